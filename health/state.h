// When probes take a member down and up again: HAProxy's counting, as pure functions.
//
// HAProxy (check_notify_success and check_notify_failure in src/check.c) keeps one number between 0
// and rise + fall - 1; a server is up from `rise` on. A success below the top adds one, and
// reaching `rise` goes to the top at once; a failure above `rise` takes one off, at or below it
// goes to 0. A new server has `rise` exactly: up, and down at its first failure (src/server.c).
#pragma once

#include <chrono>
#include <string>

#include "health/health_spec.h"

namespace health {

struct Probed {
  enum class Kind {
    success,
    failure,
    own_error  // nothing was learnt of the member
  };
  Kind kind = Kind::own_error;
  std::string reason;
};

struct Rating {
  int score = 0;  // HAProxy's number
  Health health;
};

// Of a member that was never probed; `now` becomes last_change.
Rating new_rating(const Target& target, std::chrono::system_clock::time_point now);

// Of a member that was down before this agent ran: `rise` successes bring it up.
Rating down_rating(std::chrono::system_clock::time_point now);

// Of a member whose monitor changed: it stays up or down, and the counting starts over.
Rating renewed_rating(const Target& target, const Rating& before);

enum class Change { none, state };

// Counts one result. Change::state: `state` or `usable` is another than before.
Change count(Rating& rating, const Target& target, const Probed& probed,
             std::chrono::microseconds latency, std::chrono::system_clock::time_point now);

}  // namespace health
