// Network namespaces for tests, as netns would observe them:
//   Net().link(2, "eth0", {"192.0.2.10/24"}).link(3, "eth1", {"203.0.113.10/24"}).reaching(model)
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/model/model.h"
#include "netns/netns_spec.h"

namespace test {

class Net {
 public:
  Net();  // has `lo`, ifindex 1

  // MAC 02:00:00:00:00:<ifindex>, up.
  Net& link(uint32_t ifindex, std::string_view name, const std::vector<std::string>& prefixes,
            int mtu = 1500);
  // Where everything goes that is on no link.
  Net& gateway(std::string_view address);
  // A resolved hop towards `address`: through the link that has a prefix with it, else through the
  // gateway of its family, else none. Neighbours have the MAC of mac_of().
  Net& reaching(std::string_view address);
  Net& reaching(const model::Model& model);   // every member
  Net& unresolved(std::string_view address);  // the neighbour of its hop is not known
  Net& unreachable(std::string_view address);

  netns::Observed& observed() { return observed_; }
  const netns::Observed& observed() const { return observed_; }

 private:
  void route(const base::IpAddress& address);

  netns::Observed observed_;
  std::vector<base::IpAddress> gateways_;
};

base::MacAddress mac_of_link(uint32_t ifindex);
base::MacAddress mac_of(const base::IpAddress& neighbour);  // 06:00: and its last four bytes

}  // namespace test
