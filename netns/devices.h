// Devices: what the driver of an interface says of it, as ethtool(8) shows and changes it.
#pragma once

#include <string>

#include "base/result.h"
#include "netns/device_spec.h"

namespace netns {

// An interface of the calling thread's network namespace.
base::Result<Device> read_device(const std::string& interface);

// An offload of it, by the kernel's name. That it is off afterwards read_device() has to say: a
// driver may take the order and not follow it.
base::Status switch_off(const std::string& interface, const std::string& feature);

}  // namespace netns
