// The sysctls that a namespace needs for forwarding. Keys are paths below /proc/sys.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "netns/netns_spec.h"

namespace netns {

using Sysctls = std::map<std::string, std::string>;

// What does not depend on an interface, and what does.
Sysctls wanted_sysctls(const LayoutSpec& want);
Sysctls wanted_sysctls(const std::string& interface);

// `what` is not as_before.
Sysctls advertisement_sysctls(const std::string& interface, RouterAdvertisements what);

// A host that forwards ignores router advertisements unless this is 2. It is 2 wherever it was 1,
// so that a host which listened still does; "default" and interfaces have it.
std::string accept_ra_key(const std::string& interface);

// Both act on the calling thread's network namespace. Keys that do not exist are not in the
// answer; values have single spaces and no line end.
base::Result<Sysctls> read_sysctls(const std::set<std::string>& keys);
// Reads the value back: a sysctl that did not take it is an error. Errors name the file.
base::Result<base::Unit> write_sysctl(const std::string& key, const std::string& value);

}  // namespace netns
