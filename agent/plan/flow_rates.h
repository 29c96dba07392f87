// How many flows may begin in a second, as the operator wants it.
#pragma once

#include <cstdint>
#include <map>

#include "base/uuid.h"

namespace plan {

// Flows a second; 0: any number.
struct FlowRate {
  uint32_t listener = 0;  // of all its clients, on all its addresses
  uint32_t client = 0;    // of one: an IPv4 address, or an IPv6 /64
  uint32_t network = 0;   // of its neighbours, too: an IPv4 /24, or an IPv6 /56

  bool operator==(const FlowRate&) const = default;
};

struct FlowRates {
  FlowRate others;  // of listeners that are not named
  std::map<base::Uuid, FlowRate> by_listener;

  const FlowRate& of(const base::Uuid& listener) const {
    const auto own = by_listener.find(listener);
    return own == by_listener.end() ? others : own->second;
  }
};

}  // namespace plan
