#include "agent/control/certificates_json.h"

#include "agent/control/operator_json.h"

namespace control {
namespace {

using certificates::Use;
using nlohmann::json;

struct Reference {
  const char* field;
  const std::string& text;
  Use use;
};

std::vector<Reference> references_of(const model::Listener& listener) {
  std::vector<Reference> out{
      {"default_tls_container_ref", listener.default_tls_container_ref, Use::identity},
      {"client_ca_tls_container_ref", listener.client_ca_tls_container_ref, Use::authorities},
      {"client_crl_container_ref", listener.client_crl_container_ref, Use::revocations}};
  for (const std::string& sni : listener.sni_container_refs)
    out.push_back({"sni_container_refs", sni, Use::identity});
  return out;
}

std::vector<Reference> references_of(const model::Pool& pool) {
  return {{"tls_container_ref", pool.tls_container_ref, Use::identity},
          {"ca_tls_container_ref", pool.ca_tls_container_ref, Use::authorities},
          {"crl_container_ref", pool.crl_container_ref, Use::revocations}};
}

template <class Resources>
void add_users(std::vector<CertificateUser>& users, const char* type, const Resources& resources,
               const std::string& certificate) {
  for (const auto& [id, resource] : resources)
    for (const Reference& reference : references_of(resource))
      if (certificates::name_of(reference.text) == certificate)
        users.push_back({type, id, reference.field, reference.use});
}

}  // namespace

std::set<std::string> certificate_references(const model::Model& m) {
  std::set<std::string> all;
  const auto add = [&all](const auto& resources) {
    for (const auto& [id, resource] : resources)
      for (const Reference& reference : references_of(resource))
        if (!reference.text.empty()) all.insert(reference.text);
  };
  add(m.listeners);
  add(m.pools);
  return all;
}

std::vector<CertificateUser> users_of(const model::Model& m, const std::string& certificate) {
  std::vector<CertificateUser> users;
  add_users(users, "listener", m.listeners, certificate);
  add_users(users, "pool", m.pools, certificate);
  return users;
}

json to_json(const certificates::Entry& entry, const model::Model& m) {
  const certificates::About& about = entry.about;
  json used_by = json::array();
  for (const CertificateUser& user : users_of(m, about.name))
    used_by.push_back({{"type", user.type}, {"id", user.id.text()}, {"field", user.field}});
  const bool known = about.parts > 0;
  const auto or_null = [known](json value) { return known ? value : json(); };
  return {{"name", about.name},
          {"kind", or_null(certificates::text(about.use))},
          {"subject", or_null(about.subject)},
          {"subject_alternative_names", about.alternates},
          {"not_before", or_null(time_json(about.not_before))},
          {"not_after", about.not_after ? time_json(*about.not_after) : json()},
          {"parts", about.parts},
          {"fingerprint", or_null(about.fingerprint)},
          {"fault", entry.fault.empty() ? json() : json(entry.fault)},
          {"used_by", used_by}};
}

}  // namespace control
