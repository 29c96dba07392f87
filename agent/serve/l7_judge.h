// L7Judge: HAProxy's opinion of a change, before it is stored: what it would refuse is the answer
// to the request, and no load balancer goes to ERROR for it.
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "agent/certificates/store.h"
#include "agent/model/fault.h"
#include "agent/model/model.h"
#include "haproxy/process.h"

namespace serve {

class L7Judge {
 public:
  // The store outlives it; `root` is of all HAProxies (haproxy::Instances).
  L7Judge(certificates::Store& store, haproxy::Paths root, std::string metrics_socket,
          std::chrono::milliseconds limit = std::chrono::seconds(5))
      : store_(store),
        root_(std::move(root)),
        metrics_socket_(std::move(metrics_socket)),
        limit_(limit) {}

  // As reconcile::ChangeQueue::Judge. HAProxy reads the text of a load balancer that the change
  // alters the text of, and no other; it is run for nothing else. Where it cannot be asked, or does
  // not answer within the limit, nothing is refused. Blocks; one thread makes all the calls.
  model::Refusal judge(const model::Model& before, const model::Model& after);

 private:
  std::string objection(haproxy::Spec spec);  // "": none, as far as it is known

  certificates::Store& store_;
  haproxy::Paths root_;
  std::string metrics_socket_;
  std::chrono::milliseconds limit_;
  std::chrono::steady_clock::time_point not_before_{};  // it is asked again
};

// What the API says of HAProxy's words: with the attribute that they are about, if they tell.
model::Fault fault_of(const std::string& words);

}  // namespace serve
