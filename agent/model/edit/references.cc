#include "agent/model/edit/references.h"

#include <algorithm>
#include <iterator>

#include "agent/model/fields/value.h"

namespace model {

namespace {

using nlohmann::json;

constexpr const char* kVersions[] = {"SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"};

bool is_empty_list(const json& values, const char* name) {
  auto given = values.find(name);
  return given != values.end() && given->is_array() && given->empty();
}

}  // namespace

Refusal check_references(const Context& context, const std::vector<ReferenceField>& fields,
                         const json& values) {
  json failed = json::array();
  std::string reasons;
  for (const ReferenceField& field : fields) {
    auto given = values.find(std::string(field.name));
    if (given == values.end() || given->is_null() || *given == "") continue;
    const json refs = given->is_array() ? *given : json::array({*given});
    for (const json& ref : refs) {
      auto why = context.check_certificate
                     ? context.check_certificate(ref.get_ref<const std::string&>(), field.use)
                     : "There is no store of certificates.";
      if (!why) continue;
      failed.push_back(ref);
      reasons += (reasons.empty() ? "" : " ") + std::string(field.name) + ": " + *why;
    }
  }
  if (failed.empty()) return std::nullopt;
  return Fault{400, "Could not retrieve certificate: " + as_in_python(failed), "", reasons};
}

bool gives_any(const json& values, const std::vector<ReferenceField>& fields) {
  return std::any_of(fields.begin(), fields.end(), [&values](const ReferenceField& field) {
    return values.contains(std::string(field.name));
  });
}

Refusal check_revocations_of(const Context& context, const std::string& revocations,
                             const std::string& authorities) {
  if (revocations.empty() || authorities.empty() || !context.are_revocations_of ||
      context.are_revocations_of(revocations, authorities))
    return std::nullopt;
  return validation_failure(
      "The CRL specified is not valid for client certificate authority reference supplied.");
}

// Of the newest Octavia: those of 11 have none for an ECDSA certificate below TLS 1.3.
std::string default_ciphers() {
  return "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:"
         "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
         "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
         "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305";
}
std::vector<std::string> default_tls_versions() { return {"TLSv1.2", "TLSv1.3"}; }
std::vector<std::string> default_alpn_protocols() { return {"h2", "http/1.1", "http/1.0"}; }

bool is_reset(const json& values, const char* attribute) {
  auto given = values.find(attribute);
  return given != values.end() && given->is_null();
}

Refusal check_tls_lists(const json& values, EmptyList empty) {
  if (auto given = values.find("tls_versions"); given != values.end() && given->is_array()) {
    std::string unknown;
    for (const json& version : *given)
      if (std::find(std::begin(kVersions), std::end(kVersions), version) == std::end(kVersions))
        unknown += (unknown.empty() ? "" : ", ") + version.get<std::string>();
    if (!unknown.empty()) return validation_failure("Invalid TLS versions: " + unknown);
  }
  if (empty == EmptyList::allowed) return std::nullopt;
  if (is_empty_list(values, "tls_versions"))
    return validation_failure(
        "Empty TLS version list. Either specify at least one TLS version or remove this parameter "
        "to use the default.");
  if (is_empty_list(values, "alpn_protocols"))
    return validation_failure(
        "Empty ALPN protocol list. Either specify at least one ALPN protocol or remove this "
        "parameter to use the default.");
  return std::nullopt;
}

}  // namespace model
