#include "agent/reconcile/findings.h"

#include <utility>

#include "base/log.h"
#include "health/state.h"

namespace reconcile {

Findings::Findings(boost::asio::any_io_executor loop, health::SourcePorts ports)
    : prober_(
          std::move(loop),
          [this](const base::Uuid& member, const health::Health& health) {
            spdlog::info("{} is {}: {}", name_ ? name_(member) : "member " + member.text(),
                         health::to_text(health.state), health.reason);
            if (on_health_) on_health_();
          },
          ports) {}

void Findings::probe(const std::vector<health::Target>& targets) {
  const auto before = std::exchange(down_before_, std::nullopt);
  if (!before && targets == targets_) return;
  targets_ = targets;
  prober_.set_targets(targets, before.value_or(std::set<base::Uuid>{}));
  // Who was down and is monitored no more is planned as if it still were.
  if (before && members_down() != *before && on_health_) on_health_();
}

std::set<base::Uuid> Findings::members_down() const {
  if (down_before_) return *down_before_;
  std::set<base::Uuid> down;
  for (const auto& target : targets_) {
    const health::Health* health = prober_.find(target.member);
    if (health != nullptr && !health->usable) down.insert(target.member);
  }
  return down;
}

void Findings::for_each_probed(
    const std::function<void(const base::Uuid&, const health::Health&)>& see) const {
  if (down_before_) {
    const health::Health down = health::down_rating(std::chrono::system_clock::now()).health;
    for (const base::Uuid& member : *down_before_) see(member, down);
  }
  for (const auto& target : targets_) {
    const health::Health* health = prober_.find(target.member);
    if (health != nullptr && (health->probes > 0 || !health->usable)) see(target.member, *health);
  }
}

model::Findings Findings::seen() const {
  model::Findings findings;
  for (const auto& [member, server] : haproxy_.members) {
    if (const auto health = haproxy::health_of(server.status))
      findings.members[member] =
          *health == haproxy::Health::up ? model::CheckedState::up : model::CheckedState::down;
  }
  for_each_probed([&findings](const base::Uuid& member, const health::Health& health) {
    if (health.state == health::State::unknown) return;
    findings.members[member] =
        health.state == health::State::up ? model::CheckedState::up : model::CheckedState::down;
  });
  // As HAProxy has them, which takes a server for up until its checks say otherwise.
  for (const auto& target : targets_) {
    const health::Health* health = prober_.find(target.member);
    if (health != nullptr && health->usable && health->probes == 0)
      findings.members.emplace(target.member, model::CheckedState::up);
  }
  findings.full_listeners = full_;
  findings.lossy_listeners = lossy_;
  for (const auto& [listener, frontend] : haproxy_.listeners)
    if (frontend.status == "FULL") findings.full_listeners.insert(listener);
  return findings;
}

}  // namespace reconcile
