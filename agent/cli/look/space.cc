// The namespace that traffic is balanced in, and the way to the controllers.
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "agent/cli/look/parts.h"
#include "agent/datapath/ingress.h"
#include "agent/datapath/pins.h"
#include "base/fd.h"
#include "base/socket_address.h"
#include "bpf/lb_abi.h"
#include "netns/devices.h"
#include "netns/network.h"
#include "netns/sysctl.h"
#include "netns/xdp_features.h"

namespace look {
namespace {

using base::Error;
using base::Result;
using netns::XdpMode;

// Interfaces whose sysctls are the agent's: those that it is told of. An amphora's are all.
netns::LayoutSpec layout_of(const Read& read, const netns::Observed& seen) {
  netns::LayoutSpec layout = read.config.layout;
  if (!read.conf) return layout;
  for (const auto& [ifindex, link] : seen.links)
    if (!link.loopback) layout.interfaces.push_back({.name = link.name});
  return layout;
}

doctor::Interface look_at(const netns::Namespace& space, const netns::Link& link, XdpMode xdp,
                          const datapath::Ingress& ingress) {
  bool on_tc = false;
  auto device = netns::run_in(space.fd(), [&] {
    on_tc = ingress.runs_on(link.ifindex);
    return netns::read_device(link.name);
  });
  return {link.name, link.mtu, link.up, link.carrier, xdp, std::move(device), on_tc};
}

// Of those that are always the same: the ports that the kernel gives depend on what is served.
std::map<std::string, std::string> constant_sysctls(const netns::LayoutSpec& layout) {
  netns::Sysctls out = netns::wanted_sysctls(layout);
  for (const netns::InterfaceSpec& interface : layout.interfaces)
    out.merge(netns::wanted_sysctls(interface.name));
  out.erase("net/ipv4/ip_local_port_range");
  return out;
}

Result<doctor::Space> look_into(const netns::Namespace& space, const Read& read) {
  auto network = netns::Network::open(space);
  if (!network) return network.error();
  auto state = network->observe({});
  if (!state) return state.error();
  const auto modes = netns::xdp_modes(space.fd());
  if (!modes) return modes.error();
  const datapath::Ingress ingress(datapath::version_folder(read.config.pin_root, LB_ABI_VERSION));
  doctor::Space out;
  for (const auto& [ifindex, link] : state->seen.links) {
    if (link.loopback) continue;
    const auto mode = modes->find(ifindex);
    out.interfaces.push_back(
        look_at(space, link, mode == modes->end() ? XdpMode::none : mode->second, ingress));
  }
  out.wanted_sysctls = constant_sysctls(layout_of(read, state->seen));
  std::set<std::string> keys;
  for (const auto& [key, value] : out.wanted_sysctls) keys.insert(key);
  auto sysctls = netns::run_in(space.fd(), [&] { return netns::read_sysctls(keys); });
  if (!sysctls) return sysctls.error();
  out.sysctls = std::move(*sysctls);
  return out;
}

// Whether this machine has a way there; nothing is sent.
std::string no_route(const base::Endpoint& to) {
  const bool four = to.address.family() == base::Family::ipv4;
  const base::Fd fd(::socket(four ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const base::SocketAddress address = base::socket_address(to);
  if (fd.valid() && ::connect(fd.get(), address.get(), address.size) == 0) return "";
  return Error{errno, "find a way to it"}.message();
}

// Of an address that there is a way to.
doctor::Seen<bool> next_hop_answers(const base::IpAddress& address) {
  auto space = netns::Namespace::open("");
  if (!space) return space.error();
  auto network = netns::Network::open(*space);
  if (!network) return network.error();
  netns::LayoutSpec want;
  want.next_hop_targets.insert(address);
  auto state = network->observe(want);
  if (!state) return state.error();
  const auto hop = state->seen.hops.find(address);
  // A way without a hop ends here: the address is this machine's.
  return hop == state->seen.hops.end() || hop->second.neighbour.has_value();
}

}  // namespace

doctor::Seen<doctor::Space> look_at_space(const Read& read) {
  const std::string& name = read.config.netns;
  auto space = netns::Namespace::find(name);
  if (!space) return space.error();
  if (!space->has_value())
    return Error{0, "there is no network namespace " + name + ": the agent makes it"};
  return look_into(**space, read);
}

std::vector<doctor::Controller> look_at_controllers(const std::vector<base::Endpoint>& addresses) {
  std::vector<doctor::Controller> out;
  for (const base::Endpoint& address : addresses) {
    doctor::Controller& controller = out.emplace_back();
    controller.address = address;
    controller.no_route = no_route(address);
    if (controller.no_route.empty())
      controller.next_hop_answers = next_hop_answers(address.address);
  }
  return out;
}

}  // namespace look
