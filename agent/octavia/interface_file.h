// The files in which an amphora keeps what was plugged into it (contract, 8.4 and 8.7): one JSON
// file for each interface, and the list of their MACs. Pure: text and values.
//
// A stock agent reads what we write, and we read what it writes. Two things of its are not kept:
// keys that this header does not name are ignored, and the commands of "scripts", which set up
// masquerading for a kernel that forwards UDP, are neither run nor written: the lists are empty.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "netns/netns_spec.h"

namespace octavia {

enum class InterfaceType : uint8_t { lo, vip, backend };

// A VIP in an interface file ("octavia_owned"): added as a host prefix, unless keepalived does it.
struct InterfaceVip {
  base::IpAddress address;
  netns::VipKeeper keeper = netns::VipKeeper::us;

  friend bool operator==(const InterfaceVip&, const InterfaceVip&) = default;
};

// Nothing is in a list twice.
struct InterfaceFile {
  std::string name;
  std::vector<base::IpPrefix> addresses{};
  std::vector<InterfaceVip> vips{};
  bool dhcp = false;      // an IPv4 address comes from DHCP
  bool ipv6auto = false;  // IPv6 addresses come from routers
  std::vector<netns::RouteSpec> routes{};
  std::vector<netns::RuleSpec> rules{};  // "from ... lookup table"; the file has no priority
  std::optional<int> mtu{};
  // Of releases that know them (13 and 14); an older stock agent fails on keys it does not know.
  std::optional<InterfaceType> type{};
  std::optional<bool> is_sriov{};

  friend bool operator==(const InterfaceFile&, const InterfaceFile&) = default;
};

// Nothing is added that is there already.
template <class T>
void add_once(std::vector<T>& to, const std::type_identity_t<T>& value) {
  if (std::find(to.begin(), to.end(), value) == to.end()) to.push_back(value);
}

// Errors are "FILE: what". A name that is none of an interface is one.
base::Result<InterfaceFile> parse_interface_file(std::string_view text, const std::string& file);
std::string interface_file_text(const InterfaceFile& file);

// lo.json, written when the agent starts.
InterfaceFile loopback_file();

// plugged_interfaces: the MAC of each interface by the name it has in the namespace. A line is
// "MAC NAME"; the last one of a name or a MAC counts, and what is no such line is left out.
using PluggedInterfaces = std::map<std::string, base::MacAddress>;
PluggedInterfaces parse_plugged_interfaces(std::string_view text);
std::string plugged_interfaces_text(const PluggedInterfaces& plugged);

// What the network namespace has to be. An interface is found by its MAC alone: a file without a
// line in plugged_interfaces, such as that of the loopback, says nothing. Rules count for the VIP
// interface only (8.5); a file that does not say its type is that of the VIP if it has one.
netns::LayoutSpec layout_of(const std::map<std::string, InterfaceFile>& files,
                            const PluggedInterfaces& plugged);

}  // namespace octavia
