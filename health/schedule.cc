#include "health/schedule.h"

#include <algorithm>

namespace health {
namespace {

using namespace std::chrono_literals;
using Duration = Time::duration;

// FNV-1a and a finisher: the same on every machine and in every run, and spread over all bits.
uint64_t stable_hash(const base::Uuid& id) {
  uint64_t hash = 0xcbf29ce484222325;
  for (uint8_t byte : id.bytes) hash = (hash ^ byte) * 0x100000001b3;
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
  return hash ^ (hash >> 33);
}

// The first moment from `from` on that is the member's own in a grid of `interval`.
Time on_grid(const base::Uuid& id, Duration interval, Time from) {
  const auto width = static_cast<uint64_t>(interval.count());
  const auto since = static_cast<uint64_t>(from.time_since_epoch().count());
  const uint64_t phase = stable_hash(id) % width;
  const uint64_t behind = (since % width + width - phase) % width;
  return behind == 0 ? from : from + Duration(static_cast<Duration::rep>(width - behind));
}

}  // namespace

std::chrono::milliseconds interval_of(const Target& target) {
  return std::max(100ms, target.delay);
}

Time first_turn(const Target& target, Time now) {
  return on_grid(target.member, std::min<Duration>(1s, interval_of(target)), now);
}

Time next_turn(const Target& target, Time turn, Time now) {
  const Duration interval = interval_of(target);
  const Time next = on_grid(target.member, interval, turn + interval / 2);
  if (next > now) return next;
  return next + (now - next) / interval * interval;
}

}  // namespace health
