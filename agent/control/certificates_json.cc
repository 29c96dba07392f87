#include "agent/control/certificates_json.h"

#include "agent/control/operator_json.h"
#include "agent/model/edit/certificate_references.h"

namespace control {
namespace {

using certificates::Use;
using nlohmann::json;

Use use_of(model::CertificateUse use) {
  switch (use) {
    case model::CertificateUse::authorities:
      return Use::authorities;
    case model::CertificateUse::revocations:
      return Use::revocations;
    case model::CertificateUse::identity:
      return Use::identity;
  }
  return Use::identity;
}

}  // namespace

std::vector<CertificateUser> users_of(const model::Model& m, const std::string& certificate) {
  std::vector<CertificateUser> users;
  for (const model::CertificateReference& reference : model::certificate_references(m))
    if (certificates::name_of(reference.text) == certificate)
      users.push_back({reference.type, reference.id, reference.field, use_of(reference.use)});
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
