#include "agent/reconcile/findings.h"

#include <utility>

#include "base/log.h"

namespace reconcile {

Findings::Findings(boost::asio::any_io_executor loop)
    : prober_(std::move(loop), [this](const base::Uuid& member, const health::Verdict& verdict) {
        spdlog::info("member {} is {}: {}", member.text(), health::to_text(verdict.state),
                     verdict.reason);
        if (on_health_) on_health_();
      }) {}

void Findings::probe(const std::vector<health::Target>& targets) {
  if (targets == targets_) return;
  targets_ = targets;
  prober_.set_targets(targets);
}

std::set<base::Uuid> Findings::members_down() const {
  std::set<base::Uuid> down;
  for (const auto& target : targets_) {
    const health::Verdict* verdict = prober_.find(target.member);
    if (verdict != nullptr && !verdict->usable) down.insert(target.member);
  }
  return down;
}

void Findings::for_each_probed(
    const std::function<void(const base::Uuid&, const health::Verdict&)>& see) const {
  for (const auto& target : targets_) {
    const health::Verdict* verdict = prober_.find(target.member);
    if (verdict != nullptr && verdict->probes > 0) see(target.member, *verdict);
  }
}

model::Statuses Findings::statuses(const model::Model& model) const {
  model::Findings findings;
  for (const auto& [member, server] : haproxy_.members) {
    if (const auto health = haproxy::health_of(server.status))
      findings.members[member] =
          *health == haproxy::Health::up ? model::CheckedState::up : model::CheckedState::down;
  }
  for_each_probed([&findings](const base::Uuid& member, const health::Verdict& verdict) {
    if (verdict.state == health::State::unknown) return;
    findings.members[member] =
        verdict.state == health::State::up ? model::CheckedState::up : model::CheckedState::down;
  });
  findings.full_listeners = full_;
  for (const auto& [listener, frontend] : haproxy_.listeners)
    if (frontend.status == "FULL") findings.full_listeners.insert(listener);
  return model::operating_statuses(model, findings);
}

}  // namespace reconcile
