// The interfaces of a namespace as they are now: for questions between two reconciliations.
#pragma once

#include <vector>

#include "base/result.h"
#include "netns/netns_spec.h"

namespace netns {

// In the order of their indexes, the loopback left out. Blocks for milliseconds; works from any
// thread, on a socket of its own. Errors are errno.
base::Result<std::vector<Nic>> read_nics(int namespace_fd);

// Asks the kernel to look for devices on the PCI bus that it was not told of; blocks. Good where
// there is no such bus.
base::Result<base::Unit> rescan_pci();

}  // namespace netns
