#include "agent/model/edit/references.h"

#include "agent/model/fields/value.h"

namespace model {

namespace {

using nlohmann::json;

Refusal check_reference(const Context& context, const ReferenceField& field, const json& ref) {
  if (!context.check_certificate)
    return invalid_input(field.name, ref, "There is no store of certificates to find it in.");
  if (auto why = context.check_certificate(ref.get_ref<const std::string&>(), field.use))
    return invalid_input(field.name, ref, *why);
  return std::nullopt;
}

bool is_empty_list(const json& values, const char* name) {
  auto given = values.find(name);
  return given != values.end() && given->is_array() && given->empty();
}

}  // namespace

Refusal check_references(const Context& context, const std::vector<ReferenceField>& fields,
                         const json& values) {
  for (const ReferenceField& field : fields) {
    auto given = values.find(std::string(field.name));
    if (given == values.end() || given->is_null()) continue;
    if (given->is_string() && given->get_ref<const std::string&>().empty()) continue;
    const json refs = given->is_array() ? *given : json::array({*given});
    for (const json& ref : refs)
      if (auto refusal = check_reference(context, field, ref)) return refusal;
  }
  return std::nullopt;
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

Refusal check_tls_lists(const json& values) {
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
