// Who may reach the VIP of an SR-IOV port, which no security group protects (contract, 8.8). Pure.
//
// Packets of services that XDP forwards never get to a firewall of the kernel: these rules narrow
// the allowed CIDRs of the listeners instead, so that they hold before anything is forwarded, or
// reaches HAProxy.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "agent/octavia/parts.h"
#include "base/ip.h"
#include "base/result.h"

namespace octavia {

struct VipRule {
  enum class Protocol : uint8_t { tcp, udp, sctp, vrrp };
  Protocol protocol = Protocol::tcp;
  std::optional<base::IpPrefix> cidr{};  // nullopt: anybody, of either family
  uint16_t port = 0;                     // VRRP has 112, which means nothing

  friend bool operator==(const VipRule&, const VipRule&) = default;
};

// The body of PUT interface/<ip>/rules: exactly these keys, all of them. The Answer is a 400.
std::variant<std::vector<VipRule>, Answer> read_vip_rules(std::string_view body);
// As read_vip_rules() reads it; for the file.
std::string vip_rules_text(const std::vector<VipRule>& rules);

// Who may still use a listener that lets in `allowed` (empty: everybody): the intersection with the
// rules for its protocol and port. An empty list is everybody; nullopt is nobody.
std::optional<std::vector<base::IpPrefix>> allowed_clients(
    const std::vector<VipRule>& rules, VipRule::Protocol protocol, uint16_t port,
    const std::vector<base::IpPrefix>& allowed);

}  // namespace octavia
