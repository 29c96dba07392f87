// Devices: what the driver of an interface says of it, as ethtool(8) shows it.
#pragma once

#include <string>

#include "base/result.h"
#include "netns/device_spec.h"

namespace netns {

// An interface of the calling thread's network namespace.
base::Result<Device> read_device(const std::string& interface);

}  // namespace netns
