#include "agent/plan/rings.h"

#include <utility>

#include "agent/plan/schedule.h"
#include "bpf/lb_abi.h"

namespace plan {

namespace {

std::vector<uint16_t> weighted_turns(const std::vector<MaglevBackend>& members) {
  std::vector<uint32_t> weights;
  weights.reserve(members.size());
  for (const MaglevBackend& member : members) weights.push_back(member.weight);
  return interleave(slot_counts(weights, LB_MAX_RING_SLOTS));
}

}  // namespace

const std::vector<uint16_t>& Schedules::slots(const RingKey& key, model::Algorithm algorithm,
                                              std::vector<MaglevBackend> members) {
  std::shared_ptr<const Schedule>& schedule = now_.schedules[key];
  const auto before = before_.schedules.find(key);
  if (before != before_.schedules.end() && before->second->algorithm == algorithm &&
      before->second->members == members) {
    schedule = before->second;
    return schedule->slots;
  }
  now_.computed++;
  std::vector<uint16_t> slots = algorithm == model::Algorithm::round_robin
                                    ? weighted_turns(members)
                                    : maglev_table(members, LB_MAX_RING_SLOTS);
  schedule = std::make_shared<Schedule>(Schedule{algorithm, std::move(members), std::move(slots)});
  return schedule->slots;
}

}  // namespace plan
