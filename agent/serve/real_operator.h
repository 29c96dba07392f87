// What the control socket shows of the running agent, from the datapath and the reconciler.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "agent/control/operator.h"
#include "agent/datapath/datapath.h"
#include "agent/reconcile/reconciler.h"
#include "agent/serve/failover.h"
#include "agent/serve/flow_logger.h"
#include "agent/serve/replication.h"
#include "agent/serve/vrrp_keeper.h"
#include "agent/statistics/statistics.h"
#include "haproxy/instances.h"

namespace serve {

class RealOperator final : public control::Operator {
 public:
  // All of them outlive it.
  struct Parts {
    std::string network_namespace;
    reconcile::Workers& workers;
    datapath::Datapath& datapath;
    const haproxy::Instances& haproxy;
    const reconcile::Changes& changes;
    const reconcile::Findings& findings;
    reconcile::Reconciler& reconciler;
    const statistics::Statistics& statistics;
    const FlowLogger& flow_log;
    std::chrono::steady_clock::time_point started;  // the agent's process
  };
  explicit RealOperator(Parts parts) : parts_(std::move(parts)) {}

  // Of a node of a pair; it outlives this. Its instance is shown when it has one.
  void show_pair(const VrrpKeeper& keeper) { pair_ = &keeper; }
  // Its connections go along; it outlives this.
  void show_replication(const Replication& replication) { replication_ = &replication; }

  // Who moves the VIPs when they are asked for; it outlives this.
  void move_by(Failover& failover) { failover_ = &failover; }

  boost::asio::awaitable<control::Status> status() override;
  boost::asio::awaitable<std::vector<control::ConnectedNetwork>> networks() override;
  void look_at_everything() override {
    parts_.reconciler.request_run(reconcile::Reconciler::Look::everything);
  }
  boost::asio::awaitable<model::Outcome<control::MovedVips>> move_vips() override;
  boost::asio::awaitable<control::Verdicts> verdicts() override;
  boost::asio::awaitable<control::Counters> counters() override;
  boost::asio::awaitable<std::unique_ptr<control::FlowWalk>> walk_flows() override;

 private:
  boost::asio::awaitable<std::vector<datapath::PortUse>> port_use();

  Parts parts_;
  const VrrpKeeper* pair_ = nullptr;          // null: none
  const Replication* replication_ = nullptr;  // null: none
  Failover* failover_ = nullptr;              // null: nothing runs yet
};

}  // namespace serve
