// Which certificates a model refers to, and what for. What a reference names is the store's
// business.
#pragma once

#include <string>
#include <vector>

#include "agent/model/edit/edit.h"
#include "agent/model/model.h"

namespace model {

// One reference of a listener or a pool.
struct CertificateReference {
  std::string type;  // "listener", "pool"
  Uuid id;
  std::string field;  // "default_tls_container_ref"
  std::string text;   // the reference as it was given; not ""
  CertificateUse use = CertificateUse::identity;
};

// Those of all listeners, then those of all pools.
std::vector<CertificateReference> certificate_references(const Model& m);

}  // namespace model
