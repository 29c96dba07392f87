// VLANs: whether XDP on an interface sees which frames are another network's, by their tags.
#pragma once

#include <string>

#include "base/result.h"

namespace datapath {

// What an interface has to do with VLANs of its namespace.
enum class Vlan {
  none,
  trunk,  // tagged frames come by it, for other interfaces
  device  // stands for one of them: its frames come by another interface, and have lost their tag
};

// A driver that takes tags off hides from the program that a frame is another network's: from now
// on it leaves them on. An error: it does not.
base::Status show_vlan_tags(const std::string& interface);

// Why XDP would take frames of VLANs for the trunk's own nevertheless; "": it would not.
std::string why_tags_are_hidden(const std::string& interface, Vlan vlan);

}  // namespace datapath
