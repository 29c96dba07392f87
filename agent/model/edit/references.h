// Container references: certificates and the like that attributes name.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "agent/model/edit/edit.h"
#include "agent/model/edit/rules.h"

namespace model {

struct ReferenceField {
  std::string_view name;
  CertificateUse use;
};

// Every reference that `values` (read_fields') sets can be used for what its field is there for;
// those that cannot are all named.
Refusal check_references(const Context& context, const std::vector<ReferenceField>& fields,
                         const nlohmann::json& values);

// Whether `values` sets one of these.
bool gives_any(const nlohmann::json& values, const std::vector<ReferenceField>& fields);

// CRLs are of the authorities that they are for; "": there are none.
Refusal check_revocations_of(const Context& context, const std::string& revocations,
                             const std::string& authorities);

// What Octavia gives who does not say.
std::string default_ciphers();
std::vector<std::string> default_tls_versions();
std::vector<std::string> default_alpn_protocols();
// TLS versions are those that there are. `empty`: whether an empty list is one, where it decides
// nothing; else it is not the way to get the defaults.
enum class EmptyList { refused, allowed };
Refusal check_tls_lists(const nlohmann::json& values, EmptyList empty);
// Whether a request says that an attribute should be what it is by default.
bool is_reset(const nlohmann::json& values, const char* attribute);

}  // namespace model
