#include "agent/model/edit/pool_rules.h"

#include <algorithm>

#include "agent/model/edit/references.h"
#include "agent/model/fields/value.h"
#include "agent/model/words.h"

namespace model {

namespace {

using nlohmann::json;

// Octavia's characters that a cookie's name may not have, and what is not ASCII.
bool is_cookie_name(const std::string& name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return c > ' ' && c < '\x7f' &&
           std::string_view("\"(),/:;<=>?@[\\]{}").find(c) == std::string_view::npos;
  });
}

// Whether the proxy sees requests in what it forwards.
bool may_have_cookies(PoolProtocol protocol) {
  return protocol == PoolProtocol::http || protocol == PoolProtocol::proxy ||
         protocol == PoolProtocol::proxyv2;
}

Refusal check_cookie(const Pool& pool, const SessionPersistence& persistence) {
  const bool by_app = persistence.type == PersistenceType::app_cookie;
  const bool named = !persistence.cookie_name.empty();
  const std::string protocols = has_datagrams(pool.protocol) ? "UDP/SCTP" : text(pool.protocol);
  if (named && has_datagrams(pool.protocol) && persistence.type == PersistenceType::source_ip)
    return validation_failure(
        "session_persistence SOURCE_IP type for UDP and SCTP protocols only accepts: type, "
        "persistence_timeout, persistence_granularity.");
  if (named && has_datagrams(pool.protocol))
    return validation_failure("Cookie names are not supported for " + protocols + " pools.");
  if (persistence.type != PersistenceType::source_ip && !may_have_cookies(pool.protocol))
    return validation_failure("Session persistence of type " + std::string(word(persistence.type)) +
                              " is not supported for " + protocols + " protocol pools.");
  if (named && !by_app)
    return validation_failure(
        "Field \"cookie_name\" can only be specified with session persistence of type "
        "\"APP_COOKIE\".");
  if (named && !is_cookie_name(persistence.cookie_name))
    return validation_failure("Supplied \"cookie_name\" is invalid.");
  if (!named && by_app)
    return validation_failure(
        "Field \"cookie_name\" must be specified when using the \"APP_COOKIE\" session persistence "
        "type.");
  return std::nullopt;
}

Refusal check_revocations(const Pool& pool, const json& values, Request request) {
  if (pool.crl_container_ref.empty() || !pool.ca_tls_container_ref.empty()) return std::nullopt;
  if (request == Request::create)
    return validation_failure(
        "A CA certificate reference is required to specify a revocation list.");
  if (values.contains("ca_tls_container_ref") && !values.contains("crl_container_ref"))
    return validation_failure(
        "A CA reference cannot be removed when a certificate revocation list is present.");
  return validation_failure("A CA reference is required to specify a certificate revocation list.");
}

Refusal check_tls(const Pool& pool) {
  if (pool.tls_enabled && has_datagrams(pool.protocol))
    return validation_failure("tls_enabled is not allowed on " + text(pool.protocol) +
                              " protocol pools.");
  return std::nullopt;
}

// Of an encrypted one always; of others, what a change says should be as by default.
void set_tls_defaults(Pool& pool, const json& values, Request request) {
  const bool update = request == Request::update;
  if (pool.tls_ciphers.empty() && (pool.tls_enabled || (update && is_reset(values, "tls_ciphers"))))
    pool.tls_ciphers = default_ciphers();
  if (pool.tls_versions.empty() &&
      (pool.tls_enabled || (update && is_reset(values, "tls_versions"))))
    pool.tls_versions = default_tls_versions();
  if (pool.alpn_protocols.empty() && pool.tls_enabled)
    pool.alpn_protocols = default_alpn_protocols();
}

bool says_type(const json& values) {
  const auto given = values.find("session_persistence");
  return given == values.end() || !given->is_object() || given->contains("type");
}

}  // namespace

Refusal check_persistence(const Pool& pool, const json& values, Request request) {
  if (!pool.session_persistence) return std::nullopt;
  const SessionPersistence& persistence = *pool.session_persistence;
  const bool update = request == Request::update;
  if (!says_type(values) && !update) return missing_field("type");
  if (!has_datagrams(pool.protocol) &&
      (persistence.persistence_timeout || !persistence.persistence_granularity.empty()))
    return validation_failure(
        std::string("persistence_timeout and persistence_granularity is only for ") +
        (update ? "UDP" : "UDP and SCTP") + " protocol pools.");
  return check_cookie(pool, persistence);
}

Refusal keep_persistence_type(const Pool& former, Pool& pool, const json& values) {
  if (says_type(values)) return std::nullopt;
  if (!former.session_persistence)
    return validation_failure("Invalid session_persistence provided.");
  pool.session_persistence->type = former.session_persistence->type;
  return std::nullopt;
}

Refusal complete_pool(const Context& context, Pool& pool, const json& values, Request request) {
  static const std::vector<ReferenceField> kIdentities{
      {"tls_container_ref", CertificateUse::identity}};
  static const std::vector<ReferenceField> kAuthorities{
      {"ca_tls_container_ref", CertificateUse::authorities},
      {"crl_container_ref", CertificateUse::revocations},
  };
  if (auto refusal = check_tls(pool)) return refusal;
  if (auto refusal = check_revocations(pool, values, request)) return refusal;
  if (auto refusal = check_references(context, kIdentities, values)) return refusal;
  if (auto refusal = check_references(context, kAuthorities, values)) return refusal;
  if (gives_any(values, kAuthorities))
    if (auto refusal =
            check_revocations_of(context, pool.crl_container_ref, pool.ca_tls_container_ref))
      return refusal;
  const bool decides = pool.tls_enabled || request == Request::update;
  if (auto refusal = check_tls_lists(values, decides ? EmptyList::refused : EmptyList::allowed))
    return refusal;
  set_tls_defaults(pool, values, request);
  return std::nullopt;
}

}  // namespace model
