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

// Every reference that `values` (read_fields') sets can be used for what its field is there for.
Refusal check_references(const Context& context, const std::vector<ReferenceField>& fields,
                         const nlohmann::json& values);

// What Octavia gives who does not say.
std::string default_ciphers();
std::vector<std::string> default_tls_versions();
std::vector<std::string> default_alpn_protocols();
// Lists that are given and empty are not the way to get these.
Refusal check_tls_lists(const nlohmann::json& values);

}  // namespace model
