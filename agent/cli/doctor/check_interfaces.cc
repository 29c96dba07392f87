// Of the interfaces in the namespace: how XDP runs on them, and what hinders it.
#include <algorithm>
#include <functional>
#include <set>

#include "agent/cli/doctor/checks.h"

namespace doctor {
namespace {

using netns::XdpMode;

// A frame must fit in a page with 256 bytes before it, an Ethernet header and what the kernel keeps
// behind it (320); ours is not of the programs that take frames of several pages.
constexpr int kMostMtu = 4096 - 256 - 14 - 320;

bool is_on(const Interface& interface, const char* feature) {
  return interface.device.ok() && interface.device->is_on(feature);
}

bool is_fixed(const Interface& interface, const char* feature) {
  const auto found = interface.device->features.find(feature);
  return found != interface.device->features.end() && found->second.fixed;
}

bool is_virtio(const Interface& interface) {
  return interface.device.ok() && interface.device->driver == "virtio_net";
}

// A command to be run where the interfaces are.
std::string inside(const Facts& facts, const std::string& command) {
  const std::string& space = facts.configuration.network_namespace;
  return space.empty() ? command : "ip netns exec " + space + " " + command;
}

Diagnoses of_each(const Facts& facts, const char* check,
                  const std::function<Diagnoses(const Interface&)>& look) {
  if (!facts.space.ok()) return {unseen(check, "", facts.space.why_not())};
  Diagnoses out;
  for (const Interface& interface : facts.space->interfaces)
    for (Diagnosis& one : look(interface)) out.push_back(std::move(one));
  return out;
}

// An agent that starts tries native again where its predecessor's link is generic, but only while
// no flow lives: a link's mode cannot be changed. Without its pin it does at once.
std::string attach_again(const Facts& facts, const std::string& name) {
  std::string pin = name;
  std::ranges::replace(pin, '.', ':');
  return "rm " + facts.configuration.pin_root + "/v" + std::to_string(facts.kernel.abi) +
         "/links/" + pin;
}
constexpr char kThenRestart[] = ", which takes the program off; then restart the agent";

// The agent's own words for why an interface is not native; "": it says nothing.
std::string reason_of(const Facts& facts, const std::string& interface) {
  if (!facts.agent.ok()) return "";
  for (const auto& one : facts.agent->value("interfaces", nlohmann::json::array()))
    if (one.value("interface", "") == interface && one.contains("reason") &&
        one["reason"].is_string())
      return one["reason"];
  return "";
}

// What stands in the way of native XDP, of that which can be changed; "": nothing that we know of.
std::string native_remedy(const Facts& facts, const Interface& interface) {
  const std::string& name = interface.name;
  if (interface.mtu > kMostMtu) return "see mtu";
  if (is_on(interface, "rx-lro") || is_on(interface, "rx-gro-hw")) return "see offloads";
  if (interface.device.ok() && interface.device->driver == "veth")
    return "its other end needs an XDP program or `ethtool -K ... gro on`; then " +
           attach_again(facts, name) + kThenRestart;
  return "";
}

Diagnosis check_mode(const Facts& facts, const Interface& interface) {
  const std::string& name = interface.name;
  if (interface.on_tc) {
    const std::string reason = reason_of(facts, name);
    return {"xdp", name, Grade::ok, "tc ingress" + (reason.empty() ? "" : ": " + reason), ""};
  }
  switch (interface.xdp) {
    case XdpMode::native:
      return {"xdp", name, Grade::ok, "native", ""};
    case XdpMode::generic: {
      const std::string reason = reason_of(facts, name);
      return {"xdp", name, Grade::warn,
              "generic, which is slower" + (reason.empty() ? "" : ": " + reason),
              native_remedy(facts, interface)};
    }
    case XdpMode::none:
      return {"xdp", name, Grade::fail, "no program: nothing is balanced that comes by it",
              facts.agent.ok() ? "the agent's log says why (journalctl -u amphora-agent)"
                               : "start the agent, which attaches it"};
  }
  return {};
}

Diagnoses check_link(const Interface& interface) {
  if (!interface.up)
    return {{"link", interface.name, Grade::fail, "down",
             "ip link set " + interface.name +
                 " up, or let the agent do it: name it in the "
                 "configuration"}};
  if (!interface.carrier)
    return {{"link", interface.name, Grade::fail, "no carrier", "look at its other end"}};
  return {};
}

Diagnosis check_lro(const Facts& facts, const Interface& interface) {
  const std::string& name = interface.name;
  // virtio_net's LRO is what the host may aggregate; hosts turn it off, or the guest may.
  for (const auto& [feature, option] :
       {std::pair{"rx-lro", "lro"}, std::pair{"rx-gro-hw", "rx-gro-hw"}}) {
    if (!is_on(interface, feature)) continue;
    const std::string what = std::string(feature) + " is on";
    if (interface.on_tc) return {"offloads", name, Grade::ok, what + ", which tc takes", ""};
    if (interface.xdp == XdpMode::native)
      return {"offloads", name, Grade::ok, what + ", and the driver takes native XDP with it", ""};
    if (is_fixed(interface, feature))
      return {"offloads", name, Grade::warn, what + " and fixed: native XDP is refused",
              is_virtio(interface)
                  ? "only the host can: QEMU's ctrl_guest_offloads=on, or guest_tso4=off, "
                    "guest_tso6=off, guest_ecn=off, guest_ufo=off of this interface"
                  : "only the driver's settings can"};
    return {"offloads", name, Grade::warn, what + ": drivers refuse native XDP with it",
            inside(facts, "ethtool -K " + name + " " + option + " off") + " && " +
                attach_again(facts, name) + kThenRestart};
  }
  return {"offloads", name, Grade::ok, "none that native XDP excludes", ""};
}

// What other guests of the host send has no checksum, if the interface takes that; native XDP turns
// it off.
Diagnoses check_guest_checksum(const Interface& interface) {
  if (!is_virtio(interface) || interface.on_tc || interface.xdp == XdpMode::native ||
      !is_on(interface, "rx-checksum"))
    return {};
  return {
      {"guest-checksum", interface.name, Grade::warn,
       "frames of guests of the same host may come without checksums: XDP forwards no TCP by it, "
       "HAProxy serves that",
       "native XDP turns it off (see xdp), and so does QEMU's guest_csum=off of this interface"}};
}

Diagnosis check_one_mtu(const Facts& facts, const Interface& interface) {
  const std::string what = std::to_string(interface.mtu) + " bytes";
  if (interface.mtu <= kMostMtu || interface.on_tc || interface.xdp == XdpMode::native)
    return {"mtu", interface.name, Grade::ok, what, ""};
  return {"mtu", interface.name, Grade::warn,
          what + "; native XDP takes " + std::to_string(kMostMtu) + " at most",
          inside(facts, "ip link set " + interface.name + " mtu 1500") + " && " +
              attach_again(facts, interface.name) + kThenRestart +
              " (with the MTU in its configuration, too)"};
}

Diagnoses check_equal_mtu(const std::vector<Interface>& interfaces) {
  const auto [low, high] = std::ranges::minmax_element(interfaces, {}, &Interface::mtu);
  if (low == interfaces.end() || low->mtu == high->mtu) return {};
  return {{"mtu", "", Grade::warn,
           high->name + " has " + std::to_string(high->mtu) + " and " + low->name + " " +
               std::to_string(low->mtu) +
               ": who sends what is too big for the smaller one is told by ICMP, and has to listen",
           "give all of them the same MTU"}};
}

Diagnosis check_virtio_queues(const Facts& facts, const Interface& interface,
                              const netns::Queues& queues) {
  const std::string what = std::to_string(queues.now) + " of " + std::to_string(queues.most) +
                           " queues for " + std::to_string(facts.cpus) + " CPUs";
  if (queues.now + facts.cpus <= queues.most)
    return {"queues", interface.name, Grade::ok, what, ""};
  const std::string lack =
      what + ": XDP shares them with the kernel and takes a lock for each frame";
  if (queues.most > facts.cpus)
    return {"queues", interface.name, Grade::warn, lack,
            inside(facts, "ethtool -L " + interface.name + " combined " +
                              std::to_string(queues.most - facts.cpus)) +
                " && " + attach_again(facts, interface.name) + kThenRestart};
  return {"queues", interface.name, Grade::warn, lack,
          "only the host can: " + std::to_string(2 * facts.cpus) + " queues (QEMU's queues=)"};
}

}  // namespace

Diagnoses check_xdp(const Facts& facts) {
  Diagnoses out = of_each(facts, "xdp", [&](const Interface& interface) -> Diagnoses {
    Diagnoses found = check_link(interface);
    found.push_back(check_mode(facts, interface));
    return found;
  });
  if (!facts.space.ok()) return out;
  for (const std::string& name : facts.configuration.interfaces) {
    const auto& there = facts.space->interfaces;
    if (std::ranges::find(there, name, &Interface::name) != there.end()) continue;
    out.push_back({"link", name, Grade::fail,
                   "the configuration names it, and it is not in namespace " +
                       facts.configuration.network_namespace,
                   "ip link shows what is outside; plug it in, or name another one"});
  }
  if (out.empty())
    out.push_back({"xdp", "", Grade::warn, "the namespace has no interfaces",
                   "plug one in, or name it in the configuration"});
  return out;
}

Diagnoses check_offloads(const Facts& facts) {
  return of_each(facts, "offloads", [&](const Interface& interface) -> Diagnoses {
    if (!interface.device.ok())
      return {unseen("offloads", interface.name, interface.device.why_not())};
    Diagnoses found{check_lro(facts, interface)};
    for (Diagnosis& one : check_guest_checksum(interface)) found.push_back(std::move(one));
    return found;
  });
}

Diagnoses check_mtu(const Facts& facts) {
  Diagnoses out = of_each(facts, "mtu", [&](const Interface& interface) -> Diagnoses {
    return {check_one_mtu(facts, interface)};
  });
  if (facts.space.ok())
    for (Diagnosis& one : check_equal_mtu(facts.space->interfaces)) out.push_back(std::move(one));
  return out;
}

// Other drivers than virtio_net make queues for XDP by themselves, or refuse native XDP, which is
// said there.
Diagnoses check_queues(const Facts& facts) {
  return of_each(facts, "queues", [&](const Interface& interface) -> Diagnoses {
    if (!is_virtio(interface) || interface.on_tc || !interface.device->queues) return {};
    return {check_virtio_queues(facts, interface, *interface.device->queues)};
  });
}

Diagnoses check_sysctls(const Facts& facts) {
  if (!facts.space.ok()) return {unseen("sysctls", "", facts.space.why_not())};
  Diagnoses out;
  for (const auto& [key, wanted] : facts.space->wanted_sysctls) {
    const auto found = facts.space->sysctls.find(key);
    if (found == facts.space->sysctls.end() || found->second == wanted) continue;
    out.push_back({"sysctls", key, Grade::fail, "it is " + found->second + " and must be " + wanted,
                   inside(facts, "sysctl -w " + key + "=" + wanted)});
  }
  if (out.empty())
    out.push_back({"sysctls", "", Grade::ok,
                   std::to_string(facts.space->wanted_sysctls.size()) + " are as they must be",
                   ""});
  return out;
}

}  // namespace doctor
