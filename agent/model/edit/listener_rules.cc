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
bool terminates_tls(const Listener& l) {
  return l.protocol == ListenerProtocol::terminated_https ||
         (l.protocol == ListenerProtocol::prometheus && has_certificate(l));
}

// Octavia lists them as Python has them: a new listener's are a dictionary's keys.
std::string headers_text(const json& names, Request request) {
  const std::string list = as_in_python(names);
  return request == Request::create ? "dict_keys(" + list + ")" : list;
}

Refusal check_headers(const Listener& listener, Request request) {
  if (listener.insert_headers.empty()) return std::nullopt;
  const std::string protocol = text(listener.protocol);
  if (!has_requests(listener.protocol))
    return invalid_option("insert-headers", "a " + protocol + " protocol listener.");
  json all = json::array(), of_tls = json::array();
  bool unknown = false;
  for (const auto& [name, value] : listener.insert_headers) {
    all.push_back(name);
    if (is_among(kTlsHeaders, name)) of_tls.push_back(name);
    unknown = unknown || (!is_among(kTlsHeaders, name) && !is_among(kHeaders, name));
  }
  if (unknown) return invalid_option(headers_text(all, request), "insert_headers");
  if (!of_tls.empty() && listener.protocol != ListenerProtocol::terminated_https)
    return invalid_option(as_in_python(of_tls), protocol + " protocol listener.");
  return std::nullopt;
}

Refusal check_datagrams(const Listener& listener, Request request) {
  if (l4_of(listener.protocol) == L4::tcp) return std::nullopt;
  const bool inserts = request == Request::update && !listener.insert_headers.empty();
  if (!has_certificate(listener) && !inserts) return std::nullopt;
  return validation_failure(text(listener.protocol) + " protocol listener does not support TLS" +
                            (request == Request::update ? " or header insertion." : "."));
}

Refusal check_certificates(const Listener& listener) {
  const std::string needed = "An SNI or default certificate container reference must be provided ";
  const std::string protocol = text(listener.protocol);
  const bool has_ca = !listener.client_ca_tls_container_ref.empty();
  if (!terminates_tls(listener) && has_certificate(listener))
    return validation_failure("Certificate container references are not allowed on " + protocol +
                              " protocol listeners.");
  if (has_ca && !has_certificate(listener))
    return validation_failure(needed + "with a client CA container reference.");
  if (terminates_tls(listener) && !has_certificate(listener))
    return validation_failure(needed + "for " + protocol + " protocol listeners.");
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

// Of who terminates TLS always; of others, what a change says should be as by default.
void set_tls_defaults(Listener& listener, const json& values, Request request) {
  const auto wants = [&](const char* attribute) {
    return listener.protocol == ListenerProtocol::terminated_https ||
           (request == Request::update && is_reset(values, attribute));
  };
  if (listener.tls_ciphers.empty() && wants("tls_ciphers"))
    listener.tls_ciphers = default_ciphers();
  if (listener.tls_versions.empty() && wants("tls_versions"))
    listener.tls_versions = default_tls_versions();
  if (listener.alpn_protocols.empty() && wants("alpn_protocols"))
    listener.alpn_protocols = default_alpn_protocols();
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

Refusal complete_listener(const Context& context, Listener& listener, const json& values,
                          Request request) {
  static const std::vector<ReferenceField> kIdentities{
      {"sni_container_refs", CertificateUse::identity},
      {"default_tls_container_ref", CertificateUse::identity},
  };
  static const std::vector<ReferenceField> kClients{
      {"client_ca_tls_container_ref", CertificateUse::authorities},
      {"client_crl_container_ref", CertificateUse::revocations},
  };
  if (request == Request::update)
    if (auto refusal = check_datagrams(listener, request)) return refusal;
  if (auto refusal = check_headers(listener, request)) return refusal;
  if (auto refusal = check_datagrams(listener, request)) return refusal;
  if (auto refusal = check_certificates(listener)) return refusal;
  if (auto refusal = check_hsts(listener)) return refusal;
  if (auto refusal = check_references(context, kIdentities, values)) return refusal;
  if (auto refusal = check_references(context, kClients, values)) return refusal;
  if (gives_any(values, kClients))
    if (auto refusal = check_revocations_of(context, listener.client_crl_container_ref,
                                            listener.client_ca_tls_container_ref))
      return refusal;
  const bool decides = terminates_tls(listener) || request == Request::update;
  if (auto refusal = check_tls_lists(values, decides ? EmptyList::refused : EmptyList::allowed))
    return refusal;
  set_tls_defaults(listener, values, request);
  return std::nullopt;
}

}  // namespace model
