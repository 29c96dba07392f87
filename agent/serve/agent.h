// Agent: the parts, wired. Who holds what, who tells whom, and what runs.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "agent/control/api.h"
#include "agent/reconcile/change_queue.h"
#include "agent/reconcile/findings.h"
#include "agent/reconcile/real_machine.h"
#include "agent/reconcile/reconciler.h"
#include "agent/reconcile/workers.h"
#include "agent/serve/amphora.h"
#include "agent/serve/clock.h"
#include "agent/serve/failover.h"
#include "agent/serve/fragment_keeper.h"
#include "agent/serve/haproxy_keeper.h"
#include "agent/serve/l7_judge.h"
#include "agent/serve/link_watch.h"
#include "agent/serve/network_keeper.h"
#include "agent/serve/pair.h"
#include "agent/serve/parts.h"
#include "agent/serve/program_watch.h"
#include "agent/serve/real_certificates.h"
#include "agent/serve/real_operator.h"
#include "agent/serve/replication.h"
#include "agent/serve/servers.h"
#include "agent/serve/statistics_keeper.h"
#include "agent/serve/sweeper.h"

namespace serve {

class Agent {
 public:
  // Wires the parts; nothing runs yet. `started`: when the process did.
  Agent(const Config& config, Parts parts, std::chrono::steady_clock::time_point started);

  // Octavia's controllers have their door and their heartbeats, too. `space` outlives the agent.
  base::Status serve_octavia(AmphoraEntry entry, const netns::Namespace& space);

  // Of two nodes that share the VIPs, as the configuration says.
  base::Status join_pair(const netns::Namespace& space);

  // Until SIGTERM or SIGINT. Maps, program, links and addresses stay: traffic goes on without us.
  base::Status run(std::optional<http::TcpOptions> api);

 private:
  void stop();
  // For control::Api: on a worker.
  boost::asio::awaitable<void> aside(std::function<void()> work);
  // Of a pair's node; nullopt: nothing was looked at yet.
  std::optional<keepalived::Fitness> fitness() const;
  FailoverFacts failover_facts() const;
  base::Status replicate();
  void find_other_amphora();
  bool has_vips() const;

  Config config_;
  Parts parts_;
  boost::asio::io_context loop_{1};
  Servers servers_;
  reconcile::Workers workers_;

  // What is wanted, what is known, and who brings the machine there.
  reconcile::RealMachine machine_;
  reconcile::Findings findings_;
  L7Judge l7_judge_;
  reconcile::ChangeQueue changes_;
  reconcile::Reconciler reconciler_;

  // The standing jobs.
  Clock clock_;
  FlowLogger flow_logger_;
  Sweeper sweeper_;
  HaproxyKeeper haproxy_keeper_;
  StatisticsKeeper statistics_keeper_;
  NetworkKeeper network_keeper_;
  std::deque<LinkWatch> link_watches_;
  ProgramWatch program_watch_;
  FragmentKeeper fragment_keeper_;

  // What the door shows.
  RealOperator operator_;
  RealCertificates certificates_;
  std::shared_ptr<const model::VipRanges> vip_ranges_;
  control::Api door_;
  std::unique_ptr<Amphora> amphora_;          // none: standalone
  std::unique_ptr<Pair> pair_;                // none: one node alone, or an amphora
  std::unique_ptr<Replication> replication_;  // none: one node alone, or a pair without a key
  Failover failover_;
};

}  // namespace serve
