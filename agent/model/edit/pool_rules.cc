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

Refusal check_persistence(const Pool& pool) {
  if (!pool.session_persistence) return std::nullopt;
  const SessionPersistence& persistence = *pool.session_persistence;
  if (!has_datagrams(pool.protocol) &&
      (persistence.persistence_timeout || !persistence.persistence_granularity.empty()))
    return validation_failure(
        "persistence_timeout and persistence_granularity is only for UDP and SCTP protocol pools.");
  return check_cookie(pool, persistence);
}

Refusal check_tls(const Pool& pool) {
  if (pool.tls_enabled && has_datagrams(pool.protocol))
    return validation_failure("tls_enabled is not allowed on " + text(pool.protocol) +
                              " protocol pools.");
  if (!pool.crl_container_ref.empty() && pool.ca_tls_container_ref.empty())
    return validation_failure(
        "A CA certificate reference is required to specify a revocation list.");
  return std::nullopt;
}

void set_tls_defaults(Pool& pool) {
  if (pool.tls_ciphers.empty()) pool.tls_ciphers = default_ciphers();
  if (pool.tls_versions.empty()) pool.tls_versions = default_tls_versions();
  if (pool.alpn_protocols.empty()) pool.alpn_protocols = default_alpn_protocols();
}

}  // namespace

bool has_datagrams(PoolProtocol protocol) {
  return protocol == PoolProtocol::udp || protocol == PoolProtocol::sctp;
}

Refusal complete_pool(const Context& context, Pool& pool, const json& values) {
  static const std::vector<ReferenceField> kReferences{
      {"tls_container_ref", CertificateUse::identity},
      {"ca_tls_container_ref", CertificateUse::authorities},
      {"crl_container_ref", CertificateUse::revocations},
  };
  if (auto refusal = check_persistence(pool)) return refusal;
  if (auto refusal = check_tls(pool)) return refusal;
  if (auto refusal = check_tls_lists(values)) return refusal;
  if (auto refusal = check_references(context, kReferences, values)) return refusal;
  if (pool.tls_enabled) set_tls_defaults(pool);
  return std::nullopt;
}

}  // namespace model
