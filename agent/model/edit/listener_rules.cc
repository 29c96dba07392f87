#include "agent/model/edit/listener_rules.h"

#include <algorithm>

#include "agent/model/edit/references.h"
#include "agent/model/edit/rules.h"
#include "agent/model/fields/read.h"
#include "agent/model/words.h"

namespace model {

namespace {

using nlohmann::json;

constexpr std::string_view kHeaders[] = {"X-Forwarded-For", "X-Forwarded-Port",
                                         "X-Forwarded-Proto"};
constexpr std::string_view kTlsHeaders[] = {
    "X-SSL-Client-Verify",     "X-SSL-Client-Has-Cert", "X-SSL-Client-DN",
    "X-SSL-Client-CN",         "X-SSL-Issuer",          "X-SSL-Client-SHA1",
    "X-SSL-Client-Not-Before", "X-SSL-Client-Not-After"};

template <size_t N>
bool is_among(const std::string_view (&names)[N], const std::string& name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

bool has_certificate(const Listener& l) {
  return !l.default_tls_container_ref.empty() || !l.sni_container_refs.empty();
}
bool has_references(const Listener& l) {
  return has_certificate(l) || !l.client_ca_tls_container_ref.empty();
}
bool terminates_tls(const Listener& l) {
  return l.protocol == ListenerProtocol::terminated_https ||
         (l.protocol == ListenerProtocol::prometheus && has_references(l));
}

Refusal check_headers(const Listener& listener) {
  if (listener.insert_headers.empty()) return std::nullopt;
  const std::string protocol = text(listener.protocol);
  if (!has_requests(listener.protocol))
    return invalid_option("insert-headers", "a " + protocol + " protocol listener.");
  for (const auto& [name, value] : listener.insert_headers) {
    const bool of_tls = is_among(kTlsHeaders, name);
    if (!of_tls && !is_among(kHeaders, name)) return invalid_option(name, "insert_headers");
    if (of_tls && listener.protocol != ListenerProtocol::terminated_https)
      return invalid_option(name, protocol + " protocol listener.");
  }
  return std::nullopt;
}

// The first TLS option that is set, for listeners that can have none.
const char* set_tls_option(const Listener& l) {
  if (l.client_authentication != ClientAuthentication::none) return "client_authentication";
  if (!l.client_crl_container_ref.empty()) return "client_crl_container_ref";
  if (!l.tls_ciphers.empty()) return "tls_ciphers";
  if (!l.tls_versions.empty()) return "tls_versions";
  if (!l.alpn_protocols.empty()) return "alpn_protocols";
  return nullptr;
}

Refusal check_plain(const Listener& listener) {
  const std::string protocol = text(listener.protocol);
  if (has_references(listener) && l4_of(listener.protocol) != L4::tcp)
    return validation_failure(protocol + " protocol listener does not support TLS.");
  if (has_references(listener))
    return validation_failure("Certificate container references are not allowed on " + protocol +
                              " protocol listeners.");
  if (const char* option = set_tls_option(listener))
    return validation_failure(std::string(option) + " is not allowed on " + protocol +
                              " protocol listeners.");
  return std::nullopt;
}

Refusal check_tls(const Listener& listener) {
  const std::string needed = "An SNI or default certificate container reference must be provided ";
  const bool has_ca = !listener.client_ca_tls_container_ref.empty();
  if (has_ca && !has_certificate(listener))
    return validation_failure(needed + "with a client CA container reference.");
  if (!has_certificate(listener))
    return validation_failure(needed + "for " + text(listener.protocol) + " protocol listeners.");
  if (listener.client_authentication != ClientAuthentication::none && !has_ca)
    return validation_failure("Client authentication setting " +
                              std::string(word(listener.client_authentication)) +
                              " requires a client CA container reference.");
  if (!listener.client_crl_container_ref.empty() && !has_ca)
    return validation_failure(
        "A client authentication CA reference is required to specify a client authentication "
        "revocation list.");
  return std::nullopt;
}

Refusal check_hsts(const Listener& listener) {
  const bool more = listener.hsts_include_subdomains || listener.hsts_preload;
  if (!listener.hsts_max_age && !more) return std::nullopt;
  if (listener.protocol != ListenerProtocol::terminated_https)
    return validation_failure("HSTS is only supported by TERMINATED_HTTPS protocol listeners.");
  if (!listener.hsts_max_age)
    return validation_failure(
        "hsts_max_age must be specified with hsts_include_subdomains or hsts_preload.");
  return std::nullopt;
}

void set_tls_defaults(Listener& listener) {
  if (listener.tls_ciphers.empty()) listener.tls_ciphers = default_ciphers();
  if (listener.tls_versions.empty()) listener.tls_versions = default_tls_versions();
  if (listener.alpn_protocols.empty()) listener.alpn_protocols = default_alpn_protocols();
}

}  // namespace

bool has_requests(ListenerProtocol protocol) {
  return protocol == ListenerProtocol::http || protocol == ListenerProtocol::terminated_https;
}

Fault no_children(ListenerProtocol protocol) {
  return {400, "Protocol " + text(protocol) + " listeners cannot have child objects."};
}

Refusal check_takes_policies(const Listener& listener) {
  if (listener.protocol == ListenerProtocol::prometheus) return no_children(listener.protocol);
  if (!has_requests(listener.protocol))
    return unsupported(text(listener.protocol) + " protocol listeners do not support L7 policies");
  return std::nullopt;
}

Refusal complete_listener(const Context& context, Listener& listener, const json& values) {
  static const std::vector<ReferenceField> kReferences{
      {"default_tls_container_ref", CertificateUse::identity},
      {"sni_container_refs", CertificateUse::identity},
      {"client_ca_tls_container_ref", CertificateUse::authorities},
      {"client_crl_container_ref", CertificateUse::revocations},
  };
  if (auto refusal = check_headers(listener)) return refusal;
  if (auto refusal = terminates_tls(listener) ? check_tls(listener) : check_plain(listener))
    return refusal;
  if (auto refusal = check_hsts(listener)) return refusal;
  if (auto refusal = check_tls_lists(values)) return refusal;
  if (auto refusal = check_references(context, kReferences, values)) return refusal;
  if (listener.protocol == ListenerProtocol::terminated_https) set_tls_defaults(listener);
  return std::nullopt;
}

}  // namespace model
