#include "health/state.h"

#include <algorithm>

namespace health {
namespace {

int rise(const Target& target) { return std::max(1, target.rise); }
int top(const Target& target) { return rise(target) + std::max(1, target.fall) - 1; }

}  // namespace

Rating new_rating(const Target& target, std::chrono::system_clock::time_point now) {
  Rating rating;
  rating.health = rise(target);
  rating.verdict.last_change = now;
  return rating;
}

Rating renewed_rating(const Target& target, const Rating& before) {
  Rating rating = before;
  rating.health = before.verdict.usable ? rise(target) : 0;
  return rating;
}

Change count(Rating& rating, const Target& target, const Outcome& outcome,
             std::chrono::microseconds latency, std::chrono::system_clock::time_point now) {
  Verdict& verdict = rating.verdict;
  if (outcome.kind == Outcome::Kind::success) {
    rating.health = std::min(rating.health + 1, top(target));
    if (rating.health >= rise(target)) rating.health = top(target);
  } else if (outcome.kind == Outcome::Kind::failure) {
    rating.health = rating.health > rise(target) ? rating.health - 1 : 0;
  }
  const bool usable = rating.health >= rise(target);
  const State state = outcome.kind == Outcome::Kind::own_error ? State::unknown
                      : usable                                 ? State::up
                                                               : State::down;
  const bool changed = state != verdict.state || usable != verdict.usable;
  if (state != verdict.state) verdict.last_change = now;
  verdict.state = state;
  verdict.usable = usable;
  verdict.reason = outcome.reason;
  verdict.latency = latency;
  verdict.probes++;
  return changed ? Change::state : Change::none;
}

const char* to_text(Type type) {
  switch (type) {
    case Type::ping:
      return "PING";
    case Type::tcp:
      return "TCP";
    case Type::http:
      return "HTTP";
    case Type::https:
      return "HTTPS";
    case Type::tls_hello:
      return "TLS-HELLO";
    case Type::udp_connect:
      return "UDP-CONNECT";
    case Type::sctp:
      return "SCTP";
  }
  return "";
}

const char* to_text(State state) {
  switch (state) {
    case State::up:
      return "up";
    case State::down:
      return "down";
    case State::unknown:
      return "unknown";
  }
  return "";
}

}  // namespace health
