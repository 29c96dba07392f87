#include "agent/serve/fitness.h"

#include <algorithm>

#include "agent/plan/wanted.h"

namespace serve {
namespace {

bool is_attached(const FitnessFacts& facts) {
  const auto has_program = [&facts](const auto& link) {
    return link.second.loopback ||
           std::ranges::find(facts.attachments, link.first, &datapath::Attachment::ifindex) !=
               facts.attachments.end();
  };
  return !facts.program_is_lost && !facts.attachments.empty() &&
         std::ranges::all_of(facts.observed.links, has_program);
}

bool needs_haproxy(const FitnessFacts& facts) {
  const model::Model& m = facts.model;
  if (m.amphora)
    return !m.amphora->haproxy_text.empty() ||
           !facts.progress.served_by(plan::ServedBy::haproxy).empty();
  return std::ranges::any_of(m.listeners, [&](const auto& entry) {
    const auto& [id, listener] = entry;
    const auto placed = facts.progress.placements.find(id);
    return placed != facts.progress.placements.end() &&
           placed->second.by == plan::ServedBy::haproxy && plan::is_on(listener) &&
           plan::is_on(m.load_balancers.at(listener.load_balancer));
  });
}

}  // namespace

// A load balancer that is switched off, or whose listeners are, has a text without any: an amphora
// that has it keeps its VIPs, so that they are there at once when it is switched on.
keepalived::Fitness fitness_of(const FitnessFacts& facts) {
  keepalived::Fitness out;
  out.serves =
      facts.model.amphora ? !facts.model.load_balancers.empty() : !facts.model.listeners.empty();
  out.program_is_attached = is_attached(facts);
  out.haproxy_is_needed = needs_haproxy(facts);
  out.haproxy_answers = facts.haproxy_answers;
  out.flows_are_missing = facts.flows_are_missing;
  out.is_leaving = facts.is_leaving;
  return out;
}

}  // namespace serve
