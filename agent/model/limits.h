// How much of everything one machine carries out. More is refused when it is asked for (403, as a
// quota in Octavia), not accepted and left dead.
#pragma once

#include <cstddef>

#include "agent/model/model.h"

namespace model {

inline constexpr size_t kMostServices = 1000;  // listeners, once for each VIP
inline constexpr size_t kMostMembers = 30000;
inline constexpr size_t kMostAdditionalVips = 64;  // of one load balancer
inline constexpr size_t kMostRules = 50;           // of one L7 policy; Octavia's

size_t services_of(const Model& m);

}  // namespace model
