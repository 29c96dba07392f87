// Prober: probes every target once per interval, on the loop of the caller, and says when a member
// goes up or down. One thread, non-blocking sockets in the network namespace of the thread that
// runs the loop.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "base/uuid.h"
#include "health/health_spec.h"

namespace health {

struct ProberStats {
  uint64_t started = 0, succeeded = 0, failed = 0;
  uint64_t not_ours_to_judge = 0;  // ended by an error of our own
  uint64_t skipped = 0;            // turns that passed while an earlier probe was still waiting
  std::chrono::microseconds worst_lag{0};  // of a start behind its turn
  size_t targets = 0, in_flight = 0;
};

class Prober {
 public:
  // Called on the loop when `state` or `usable` of a member changes, right after the probe that
  // decided. It may call set_targets().
  using OnChange = std::function<void(const base::Uuid& member, const Health& health)>;

  // Probes over TCP and UDP connect from `ports`, one after the other. `max_in_flight` bounds the
  // probes that wait for an answer, each with one or two descriptors; 0: a quarter of the process's
  // descriptor limit, at most 4096. Probes above it start late, not never.
  Prober(boost::asio::any_io_executor executor, OnChange on_change, SourcePorts ports = {},
         size_t max_in_flight = 0);
  ~Prober();  // stops every probe; OnChange is not called again
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  // All that is to be probed from now on; a member at most once. Unchanged targets keep their
  // health and their turn. A changed one is probed anew within a second; it stays up or down
  // until its new probes say otherwise (one failure is enough for that, and `rise` successes). Of
  // removed ones nothing is kept. New ones begin as up, or as down if they are in `down`. No call
  // for what this changes.
  void set_targets(std::vector<Target> targets, const std::set<base::Uuid>& down = {});

  // Of every target, probed or not.
  std::map<base::Uuid, Health> snapshot() const;
  const Health* find(const base::Uuid& member) const;  // until the loop goes on; nullptr: none
  ProberStats stats() const;

 private:
  class Core;
  std::shared_ptr<Core> core_;  // shared with the probes that are under way
};

}  // namespace health
