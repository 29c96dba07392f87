// The HAProxies of a machine: one for each load balancer that needs one, each with a text, sockets
// and certificates of its own in folders of its own, so that what HAProxy refuses, or what it dies
// of, is that load balancer's alone. They outlive the agent, and the next Instances adopt them. All
// calls block, as Process's do: one worker thread makes them.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "haproxy/haproxy_spec.h"
#include "haproxy/process.h"

namespace haproxy {

class Instances {
 public:
  using Clock = std::chrono::steady_clock;
  using Failures = std::map<base::Uuid, base::Error>;  // by load balancer

  // Adopts all that serve. `root` is of all of them: each has a folder of its load balancer's id
  // in both of its. A single HAProxy for all, right in `root`, is what earlier agents had: it
  // serves until apply() has others in its place.
  // Folders of the root that cannot be made are an error; those of one are its load balancer's.
  static base::Result<Instances> open(Paths root);

  // Each load balancer is served as its Spec says, and those that are not named are served no more.
  // What fails is told, and leaves what was served before. The same again is tried after a pause.
  Failures apply(const Specs& specs);

  struct Revived {
    base::Uuid load_balancer;
    base::Status done = base::Unit{};  // it was started again, or could not be
  };
  // To be called several times a second: those that have died are started again.
  std::vector<Revived> revive();

  // For stats().
  std::vector<base::Uuid> names() const;
  struct Answer {
    std::vector<WorkerStats> workers;
    bool is_silent = false;  // it is to serve, and no worker that accepts has answered
  };
  // Of one. Its folders go when it has ended, and nothing more is to be read.
  Answer stats(const base::Uuid& load_balancer);

  struct Status {
    bool running = false;
    Counts counts;
    std::string error;  // what apply() said last; empty: it is served as wanted
  };
  // Of all that are to serve something.
  std::map<base::Uuid, Status> status() const;

  // Ends them all at once, with all connections, and takes away what they and we made.
  void teardown();

 private:
  struct Failure {
    Spec spec;
    base::Error error;
    Clock::time_point not_before;
    std::chrono::milliseconds pause;
  };
  struct Instance {
    explicit Instance(Process opened) : process(std::move(opened)) {}

    Process process;
    std::optional<Failure> failure = {};
    bool wanted = false;
  };

  explicit Instances(Paths root) : root_(std::move(root)) {}
  Paths paths_of(const base::Uuid& load_balancer) const;
  std::string certificates_of(const base::Uuid& load_balancer) const;
  void adopt();
  bool predecessor_accepts() const { return predecessor_ && !has_applied_; }
  base::Result<Instance*> instance(const base::Uuid& load_balancer);
  base::Status apply(const base::Uuid& load_balancer, const Spec& spec);
  base::Status serve(const base::Uuid& load_balancer, Process& process, const Spec& spec);
  void forget(const base::Uuid& load_balancer);

  Paths root_;
  std::map<base::Uuid, Instance> instances_;
  std::optional<Process> predecessor_;  // of all load balancers together
  bool has_applied_ = false;            // and so it is known who is to serve
};

}  // namespace haproxy
