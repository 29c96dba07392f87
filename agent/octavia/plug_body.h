// What POST plug/vip and plug/network bring, and the interface files that come of it (contract,
// 8.2 to 8.4). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "agent/octavia/amphora_conf.h"
#include "agent/octavia/interface_file.h"
#include "agent/octavia/parts.h"
#include "base/ip.h"

namespace octavia {

struct HostRoute {
  base::IpPrefix destination;
  base::IpAddress nexthop;  // of the same family

  friend bool operator==(const HostRoute&, const HostRoute&) = default;
};

// An address and the subnet it is in; all of one family.
struct SubnetAddress {
  base::IpAddress address;
  base::IpPrefix subnet;  // no host bits
  std::optional<base::IpAddress> gateway{};
  std::vector<HostRoute> host_routes{};

  friend bool operator==(const SubnetAddress&, const SubnetAddress&) = default;
};

struct VipBody {
  base::MacAddress mac;
  std::vector<SubnetAddress> vips;           // the VIP, then additional ones; never empty
  std::optional<base::IpAddress> vrrp_ip{};  // of the amphora, in the VIP's subnet
  std::optional<int> mtu{};                  // bytes
  std::optional<bool> is_sriov{};

  friend bool operator==(const VipBody&, const VipBody&) = default;
};

struct NetworkBody {
  base::MacAddress mac;
  std::vector<SubnetAddress> fixed_ips{};
  std::optional<int> mtu{};  // bytes
  std::optional<bool> is_sriov{};
  std::optional<VipBody> vip_net_info{};  // the port is that of the VIP

  friend bool operator==(const NetworkBody&, const NetworkBody&) = default;
};

// The Answer says what is wrong, in the words of contract 1.4. `vip` is as in the path.
std::variant<VipBody, Answer> read_vip_body(std::string_view vip, std::string_view body);
std::variant<NetworkBody, Answer> read_network_body(std::string_view body);

// `fixed_ips` are members' subnets on the VIP's network: other than those of a network of their own
// they bring their gateways.
InterfaceFile vip_interface(const std::string& name, const VipBody& body,
                            const std::vector<SubnetAddress>& fixed_ips, Topology topology);
InterfaceFile network_interface(const std::string& name, const NetworkBody& body);

// "2001:0db8:0000:...": as the stock agent writes addresses in its answers.
std::string exploded(const base::IpAddress& address);

}  // namespace octavia
