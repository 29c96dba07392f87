// What an interface's driver does to packets, as ethtool shows and changes it. Of this thread's
// network namespace.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "base/result.h"

namespace datapath {

std::string driver_of(const std::string& interface);  // "virtio_net"; "unknown"

// The kernel's names of the offloads that are on ("rx-checksum", "rx-gro-hw"); none of them where
// the interface has no such thing.
std::set<std::string> features_of(const std::string& interface);
base::Status switch_off(const std::string& interface, const std::string& feature);

// Pairs of queues.
struct Channels {
  uint32_t now = 0, most = 0;
};
std::optional<Channels> channels_of(const std::string& interface);  // nullopt: it has one

}  // namespace datapath
