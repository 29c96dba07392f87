#include "health/state.h"

#include <algorithm>

namespace health {
namespace {

int rise(const Target& target) { return std::max(1, target.rise); }
int top(const Target& target) { return rise(target) + std::max(1, target.fall) - 1; }

}  // namespace

Rating new_rating(const Target& target, std::chrono::system_clock::time_point now) {
  Rating rating;
  rating.score = rise(target);
  rating.health.last_change = now;
  return rating;
}

Rating down_rating(std::chrono::system_clock::time_point now) {
  Rating rating;
  rating.health.state = State::down;
  rating.health.usable = false;
  rating.health.reason = "down before the agent was started, not probed yet";
  rating.health.last_change = now;
  return rating;
}

Rating renewed_rating(const Target& target, const Rating& before) {
  Rating rating = before;
  rating.score = before.health.usable ? rise(target) : 0;
  return rating;
}

Change count(Rating& rating, const Target& target, const Probed& probed,
             std::chrono::microseconds latency, std::chrono::system_clock::time_point now) {
  Health& health = rating.health;
  if (probed.kind == Probed::Kind::success) {
    rating.score = std::min(rating.score + 1, top(target));
    if (rating.score >= rise(target)) rating.score = top(target);
  } else if (probed.kind == Probed::Kind::failure) {
    rating.score = rating.score > rise(target) ? rating.score - 1 : 0;
  }
  const bool usable = rating.score >= rise(target);
  const State state = probed.kind == Probed::Kind::own_error ? State::unknown
                      : usable                               ? State::up
                                                             : State::down;
  const bool changed = state != health.state || usable != health.usable;
  if (state != health.state) health.last_change = now;
  health.state = state;
  health.usable = usable;
  health.reason = probed.reason;
  health.latency = latency;
  health.probes++;
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
