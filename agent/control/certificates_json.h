// Certificates as JSON, and who refers to them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "agent/control/certificates.h"
#include "agent/model/model.h"

namespace control {

// A listener or pool that refers to a certificate.
struct CertificateUser {
  std::string type;  // "listener", "pool"
  base::Uuid id;
  std::string field;  // "default_tls_container_ref"
  certificates::Use use = certificates::Use::identity;
};

std::vector<CertificateUser> users_of(const model::Model& m, const std::string& certificate);

nlohmann::json to_json(const certificates::Entry& entry, const model::Model& m);

}  // namespace control
