// NetworkKeeper: what the network has to be told and asked once the namespace is arranged: where
// addresses are now (gratuitous ARP, neighbour advertisements), and for addresses by DHCP.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <set>
#include <string>

#include "agent/reconcile/event.h"
#include "agent/reconcile/workers.h"
#include "netns/announce.h"
#include "netns/dhcp.h"

namespace serve {

class NetworkKeeper {
 public:
  // Both outlive it.
  NetworkKeeper(const boost::asio::any_io_executor& loop, reconcile::Workers& workers,
                const netns::Namespace& space);

  // The namespace has been brought to `layout` and looks like this.
  void arranged(const netns::LayoutSpec& layout, const netns::Observed& observed);
  // Says once more where our addresses are: somebody may have missed it.
  void announce_again();
  // Until stop(). DHCP clients stay, as addresses do.
  boost::asio::awaitable<void> run();
  void stop();

 private:
  boost::asio::awaitable<void> announce();
  boost::asio::awaitable<void> keep_clients();

  reconcile::Workers& workers_;
  const netns::Namespace& space_;
  netns::Announcer announcer_;
  netns::DhcpClients clients_;  // the machine's worker has it
  std::set<std::string> dhcp_;  // interfaces that need a client
  bool dhcp_is_new_ = true;     // those of an earlier life are ended
  std::string error_;           // of the last time, so that it is said once
  reconcile::Event wake_;
  bool stopped_ = false;
};

}  // namespace serve
