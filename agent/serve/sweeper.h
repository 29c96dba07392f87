// Sweeper: passes over the flow table again and again: ends flows that have expired or lost their
// listener or member, tells their ends, counts what flows carried, and releases the numbers that
// none names any more.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "agent/datapath/datapath.h"
#include "agent/datapath/flow_policy.h"
#include "agent/datapath/flow_table.h"
#include "agent/datapath/grace.h"
#include "agent/reconcile/changes.h"
#include "agent/reconcile/event.h"
#include "agent/reconcile/findings.h"
#include "agent/reconcile/workers.h"
#include "agent/serve/flow_logger.h"
#include "agent/statistics/statistics.h"
#include "netns/namespace.h"
#include "netns/reset.h"

namespace serve {

class Sweeper {
 public:
  // All of them outlive it. `space`: where the flows are.
  Sweeper(boost::asio::any_io_executor loop, reconcile::Workers& workers,
          datapath::Datapath& datapath, datapath::Grace grace, const netns::Namespace& space,
          const reconcile::Changes& changes, reconcile::Findings& findings,
          statistics::Statistics& statistics, FlowLogger& log);

  // Until stop().
  boost::asio::awaitable<void> run();
  // The tables have changed, and flows may have lost their listener or member: not at the next
  // turn, but at once.
  void sweep_now();
  void stop();
  // Of a node of a pair. `look_at`: what it makes of the life of a flow. `tells`: whether both ends
  // are told that the agent ends a connection; else they are.
  void judge_by(std::function<datapath::FlowLife(const datapath::FlowLife&)> look_at,
                std::function<bool()> tells) {
    look_at_ = std::move(look_at);
    tells_ = std::move(tells);
  }

 private:
  boost::asio::awaitable<void> pass();
  boost::asio::awaitable<void> release_ended();
  boost::asio::awaitable<void> tell_ends(std::vector<netns::Reset> resets);
  void warn_of_ports(const std::vector<datapath::PortUse>& uses);

  boost::asio::any_io_executor loop_;
  reconcile::Workers& workers_;
  datapath::Datapath& datapath_;
  datapath::Grace grace_;
  const netns::Namespace& space_;
  const reconcile::Changes& changes_;
  reconcile::Findings& findings_;
  statistics::Statistics& statistics_;
  FlowLogger& log_;
  std::function<datapath::FlowLife(const datapath::FlowLife&)> look_at_;  // may be empty
  std::function<bool()> tells_;                                           // may be empty
  reconcile::Event wake_;
  std::set<base::Uuid> scarce_;  // members that were warned of: their ports run out
  bool stopped_ = false;
};

}  // namespace serve
