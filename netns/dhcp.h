// DHCP clients: dhclient, of the package isc-dhcp-client, for interfaces whose IPv4 address nobody
// gave. What it sets is not ours: the layout leaves it alone.
#pragma once

#include <map>
#include <set>
#include <string>

#include "base/result.h"
#include "netns/namespace.h"
#include "netns/netns_spec.h"
#include "process/process.h"

namespace netns {

// The interfaces of `want` that need a client and are there.
std::set<std::string> dhcp_interfaces(const LayoutSpec& want, const Observed& observed);

class DhcpClients {
 public:
  // Where dhclient is allowed to have its files by Debian's AppArmor profile.
  struct Folders {
    std::string run = "/run", leases = "/var/lib/dhcp";
  };
  // `space` outlives it. Clients outlive it: the next one, of a later start too, finds them.
  explicit DhcpClients(const Namespace& space) : DhcpClients(space, Folders{}) {}
  DhcpClients(const Namespace& space, Folders folders)
      : space_(space), folders_(std::move(folders)) {}

  // One client runs for each of these and none for any other interface of the namespace. Asks for
  // an address and its mask only: routes come from the controller, and the names of servers in
  // resolv.conf are of another network. Call it again from time to time, for clients that died.
  // Blocks while one is started or ended (seconds at worst), not until there is an address. The
  // first error names the interface; the others are tried.
  base::Status run_for(const std::set<std::string>& interfaces);

 private:
  std::string pid_file(const std::string& interface) const;
  std::set<std::string> known() const;
  bool runs(const std::string& interface);
  base::Status start(const std::string& interface);
  void end(const std::string& interface);

  const Namespace& space_;
  Folders folders_;
  std::map<std::string, process::Process> clients_;  // by interface
};

}  // namespace netns
