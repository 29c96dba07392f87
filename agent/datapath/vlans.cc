#include "agent/datapath/vlans.h"

#include "netns/devices.h"

namespace datapath {
namespace {

using base::Error;
using base::Status;
using base::Unit;

// One that says nothing has none on.
bool is_on(const std::string& interface, const char* feature) {
  const auto device = netns::read_device(interface);
  return device && device->is_on(feature);
}

}  // namespace

Status show_vlan_tags(const std::string& interface) {
  for (const char* takes_off : {"rx-vlan-hw-parse", "rx-vlan-stag-hw-parse"}) {
    if (!is_on(interface, takes_off)) continue;
    (void)netns::switch_off(interface, takes_off);  // it is looked at what has come of it
    if (!is_on(interface, takes_off)) continue;
    return Error{0, "interface " + interface +
                        " takes VLAN tags off, so that XDP would take their frames for its own; "
                        "`ethtool -K " +
                        interface + " " + takes_off + " off` is refused"};
  }
  return Unit{};
}

std::string why_tags_are_hidden(const std::string& interface, Vlan vlan) {
  if (vlan != Vlan::trunk) return "";
  const auto device = netns::read_device(interface);
  if (!device || device->driver != "veth") return "";
  return "VLANs are on " + interface +
         ", and a veth has their tags beside the frames, where XDP does not see them";
}

}  // namespace datapath
