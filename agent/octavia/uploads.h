// What controllers have uploaded and decides about forwarding, as values.
#pragma once

#include <map>
#include <string>

#include "base/uuid.h"

namespace octavia {

using base::Uuid;

// Every text as it was uploaded, byte for byte.
struct Uploads {
  std::map<Uuid, std::string> haproxy;  // by load balancer
  std::map<Uuid, std::string> lvs;      // by listener
  std::string vrrp;                     // "": none was uploaded
  // By load balancer: another text when any of its certificates is another. No entry: it has none.
  std::map<Uuid, std::string> certificates;

  friend bool operator==(const Uploads&, const Uploads&) = default;
};

}  // namespace octavia
