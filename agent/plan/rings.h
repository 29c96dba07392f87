// Rings: the order in which members get new flows. A schedule of many members with different
// weights takes up to 25 ms to compute, so what a plan has computed is remembered for the next one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "agent/model/model.h"
#include "agent/plan/maglev.h"
#include "base/ip.h"
#include "base/uuid.h"

namespace plan {

struct RingKey {
  base::Uuid pool;
  base::Family family = base::Family::ipv4;
  auto operator<=>(const RingKey&) const = default;
};

struct Schedule {
  model::Algorithm algorithm = model::Algorithm::round_robin;
  std::vector<MaglevBackend> members;
  std::vector<uint16_t> slots;  // indexes in `members`
};

// A value: to forget it costs time, and changes no plan.
struct Memory {
  std::map<RingKey, std::shared_ptr<const Schedule>> schedules;
  size_t computed = 0;  // so many schedules the plan that left this had to compute
};

// Remembers or computes. A schedule depends on nothing but its arguments.
class Schedules {
 public:
  // `before` must outlive it.
  explicit Schedules(const Memory& before) : before_(before) {}

  // For ROUND_ROBIN one round of turns by weight, for SOURCE_IP and SOURCE_IP_PORT a Maglev table;
  // `members` have positive weights and are sorted by endpoint, and at least one. Once for each
  // key. Slot -> index in `members`; valid as long as this is.
  const std::vector<uint16_t>& slots(const RingKey& key, model::Algorithm algorithm,
                                     std::vector<MaglevBackend> members);

  // What was asked for; the rest of `before` is forgotten.
  Memory take() && { return std::move(now_); }

 private:
  const Memory& before_;
  Memory now_;
};

}  // namespace plan
