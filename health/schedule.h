// When a target is probed: at a phase of its own in every interval, so that the probes of a pool
// are spread evenly, whatever happens to other targets and in which order they came.
#pragma once

#include <chrono>

#include "health/health_spec.h"

namespace health {

using Time = std::chrono::steady_clock::time_point;

// `delay`, and no less than 100 ms.
std::chrono::milliseconds interval_of(const Target& target);

// Within a second (or the interval, if that is shorter): a new member does not wait for its
// verdict.
Time first_turn(const Target& target, Time now);

// The turn that follows `turn`: from half to one and a half intervals after the first, then always
// one interval. Turns that are wholly in the past are left out.
Time next_turn(const Target& target, Time turn, Time now);

}  // namespace health
