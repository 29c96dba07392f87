// Plugging as an amphora does it: what a controller asks for becomes files, the files become the
// layout of the network namespace, and the reconciler carries that out (contract, section 8).
//
// Killed at any point, the next start reads the same files: an interface is in the layout when both
// its file and its line in plugged_interfaces are there, which is before the answer.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "agent/octavia/amphora_conf.h"
#include "agent/octavia/parts.h"
#include "agent/octavia/plug_body.h"
#include "agent/octavia/plug_store.h"
#include "netns/netns_spec.h"

namespace octavia {

// The network, as far as plugging needs it. Called on the loop's thread; what blocks is awaited.
class PlugNetwork {
 public:
  virtual ~PlugNetwork() = default;
  // Without the loopbacks; `outside` is where the management network is.
  struct Nics {
    std::vector<netns::Nic> inside, outside;
  };
  virtual Awaited<base::Result<Nics>> nics() = 0;
  // Makes the kernel look for devices that it was not told of.
  virtual Awaited<base::Status> rescan() = 0;
  // Returns when the namespace has been brought to `layout` as far as it could; whatever went wrong
  // meanwhile, with this interface or another, is an error. An interface of the layout that is
  // nowhere is none.
  virtual Awaited<base::Status> configure(netns::LayoutSpec layout) = 0;
  // Returns when what `rules` forbid is not forwarded any more (vip_rules.h).
  virtual Awaited<base::Status> enforce(std::vector<VipRule> rules) = 0;
};

class AmphoraPlugging final : public Plugging {
 public:
  // Runs a call that blocks, away from the loop; calls run one at a time, in their order.
  using Blocking = std::function<Awaited<base::Status>(std::function<base::Status()>)>;

  // `network` outlives it. `topology` is asked each time: it can be configured live. `plugs` is
  // what `store` has.
  AmphoraPlugging(PlugNetwork& network, Blocking blocking, PlugStore store, Plugs plugs,
                  std::function<Topology()> topology);

  Awaited<Answer> plug_vip(std::string vip, std::string body) override;
  Awaited<Answer> plug_network(std::string body) override;
  Awaited<Answer> put_rules(std::string interface, std::string body) override;
  Awaited<base::Result<std::optional<std::string>>> interface_of(base::IpAddress address) override;
  Awaited<base::Result<std::vector<InterfaceTraffic>>> traffic() override;

  // What the files say the namespace has to be: at the start, the layout to begin with.
  netns::LayoutSpec layout() const { return layout_of(plugs_.files, plugs_.macs); }
  const Plugs& plugs() const { return plugs_; }

 private:
  // The first NIC with this MAC; nullptr: none.
  static const netns::Nic* find(const std::vector<netns::Nic>& nics, const base::MacAddress& mac);
  Awaited<Answer> not_found();
  std::string member_name(const PlugNetwork::Nics& nics, const base::MacAddress& mac) const;
  Awaited<base::Status> keep(InterfaceFile file, base::MacAddress mac);
  // Files first, then the network. Good when the interface has its addresses: a route that the
  // kernel refuses, or an error that is of something else, is for the log.
  Awaited<base::Status> set_up(InterfaceFile file, base::MacAddress mac);

  PlugNetwork& network_;
  Blocking blocking_;
  PlugStore store_;
  Plugs plugs_;
  std::function<Topology()> topology_;
  std::set<std::string> coming_;  // names given to interfaces that are not in the namespace yet
};

}  // namespace octavia
