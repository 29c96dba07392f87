// What of an interface's offloads XDP cannot bear, in words for people. Pure.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "netns/device_spec.h"

namespace datapath {

// In generic mode: offloads that are on and hand the program packets that came together from
// several or have no checksum, which nobody computes once it has changed them.
std::set<std::string> unbearable(const netns::Device& device);

// Why packets cannot be forwarded by an interface in generic mode, and what helps; "": they can.
// `generic` is why it is.
std::string why_not_forwarded(const std::string& interface, const std::string& driver,
                              const std::set<std::string>& unbearable, const std::string& generic);

// Why the CPUs wait for each other when they send by an interface in native mode, and what helps;
// "": they do not.
std::string why_locked(const std::string& interface, const netns::Device& device, uint32_t cpus);

}  // namespace datapath
