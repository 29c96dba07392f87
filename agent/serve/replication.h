// Replication: what the two nodes of a pair tell each other of their flows, so that who has the
// VIPs next goes on with them (docs/pair.md). Lives on the loop's thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "agent/datapath/datapath.h"
#include "agent/pair/channel.h"
#include "agent/pair/session.h"
#include "agent/reconcile/event.h"
#include "agent/reconcile/reconciler.h"
#include "agent/serve/replica_table.h"
#include "base/ip.h"
#include "base/result.h"

namespace serve {

class Replication {
 public:
  // All outlive it. `has_vips`: whether the VIPs are on this node's interface.
  struct Around {
    reconcile::Workers& workers;
    datapath::Datapath& datapath;
    const reconcile::Reconciler& reconciler;
    std::function<bool()> has_vips;
  };
  // Loads the programs that put flows into the table.
  static base::Result<std::unique_ptr<Replication>> open(boost::asio::any_io_executor loop,
                                                         Around around);

  // Who the other node is from now on; nullopt: there is none.
  void aim(std::optional<pair::Channel::Target> target);
  // Jobs, until stop().
  void start();
  void stop();

  bool is_standby() const { return role_ == pair::Role::standby; }
  // The other node has the VIPs, and not all of its flows are here yet.
  bool is_missing_flows() const;
  // What the pair makes of the life of a flow (pair_life.h), in each pass over the table.
  datapath::FlowLife look_at(const datapath::FlowLife& flow) const;

  // Of the other node; nullopt: there is none.
  const std::optional<base::IpAddress>& peer() const { return peer_; }
  pair::Report report() const;
  pair::Port::Counts port_counts() const { return channel_.port_counts(); }
  // The VIPs are about to go to the other node, on purpose; they have gone; that is over.
  void leave() { session_.leave(); }
  void tell_answered() { session_.tell_answered(); }
  void stop_leaving() { session_.stop_leaving(); }
  uint64_t not_movable() const { return table_.not_movable(); }

 private:
  Replication(boost::asio::any_io_executor loop, Around around, datapath::FlowReplica replica,
              datapath::ChangeRing changes);
  boost::asio::awaitable<void> follow();
  boost::asio::awaitable<void> learn_names();
  void look_at_role();
  uint32_t tick() const;

  boost::asio::any_io_executor loop_;
  Around around_;
  ReplicaTable table_;
  pair::Session session_;
  pair::Channel channel_;
  std::optional<base::IpAddress> peer_;
  reconcile::Event wake_;
  pair::Role role_ = pair::Role::standby;
  uint32_t ages_from_ = 0, active_from_ = 0;  // ticks
  uint64_t known_runs_ = 0;                   // of the reconciler, when names were learnt
  bool stopped_ = false;
};

}  // namespace serve
