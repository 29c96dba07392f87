// Who serves a listener: the datapath, or HAProxy, and why. Not to offload is always safe.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "agent/model/relations.h"
#include "base/ip.h"

namespace plan {

enum class ServedBy { xdp, haproxy };

struct Placement {
  ServedBy by = ServedBy::xdp;
  std::string reason;  // in words for people: "protocol HTTP", "pool p1 speaks PROXYV2"

  friend bool operator==(const Placement&, const Placement&) = default;
};

std::string_view word(ServedBy by);     // "xdp", "haproxy"
std::string text(base::Family family);  // "IPv4"

// Decides for one listener after the other; what it finds out about a pool's members it keeps, as
// many listeners may share them.
class Placing {
 public:
  // `related` must outlive it. `obstacle`: why this machine's XDP can forward nothing; "": it can.
  explicit Placing(const model::Relations& related, std::string obstacle = "")
      : related_(related), obstacle_(std::move(obstacle)) {}

  Placement of(const model::Listener& listener);

 private:
  using Families = std::map<base::Family, base::IpAddress>;  // one address of each

  Placement wished(const model::Listener& listener);
  std::string mixed_families(const model::LoadBalancer& lb, const model::Pool& pool);
  const Families& member_families(const model::Pool& pool);
  bool has_policies(const model::Listener& listener) const;

  const model::Relations& related_;
  std::string obstacle_;
  std::unordered_map<base::Uuid, Families, model::UuidHash> families_;  // by pool
};

}  // namespace plan
