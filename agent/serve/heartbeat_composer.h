// HeartbeatComposer: what the agent knows, as the JSON of a heartbeat. What is told counts as told
// before it leaves: both files that say so are on the disk then, so that a total is told once
// whenever the agent is killed.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "agent/control/operator.h"
#include "agent/octavia/parts.h"
#include "agent/octavia/report.h"
#include "agent/reconcile/changes.h"
#include "agent/reconcile/findings.h"
#include "agent/reconcile/worker.h"
#include "agent/statistics/statistics.h"
#include "health/heartbeat.h"

namespace serve {

class HeartbeatComposer {
 public:
  // All of them outlive it.
  struct Sources {
    reconcile::Worker& storage;
    const reconcile::Changes& changes;
    const reconcile::Findings& findings;
    const statistics::Statistics& statistics;
    control::Operator& machine;
    octavia::Documents& documents;
    octavia::Vrrp& vrrp;
    std::function<std::set<base::Uuid>()> by_haproxy;  // listeners that it serves
  };
  struct Places {
    std::string state_dir;  // of statistics.json
    std::string base_path;  // of stats_counters.json
  };
  // Reads what an agent before this one told.
  HeartbeatComposer(Sources sources, Places places, std::string amphora);

  // nullopt: a pair's keepalived is dead, and the controller shall see to it (contract, 4.1).
  boost::asio::awaitable<std::optional<std::string>> compose(uint64_t seq);

 private:
  boost::asio::awaitable<bool> is_suppressed();
  boost::asio::awaitable<void> wait_for_haproxy();
  boost::asio::awaitable<octavia::Known> known();
  boost::asio::awaitable<void> store();

  Sources sources_;
  Places places_;
  std::string amphora_;
  health::Told told_;
  std::string trouble_;  // of storing the last time; empty: none
};

}  // namespace serve
