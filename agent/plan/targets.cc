#include "agent/plan/targets.h"

#include <chrono>
#include <set>

#include "agent/plan/layout.h"
#include "health/expected_codes.h"

namespace plan {

namespace {

health::Type type_of(model::MonitorType type) {
  switch (type) {
    case model::MonitorType::http:
      return health::Type::http;
    case model::MonitorType::https:
      return health::Type::https;
    case model::MonitorType::ping:
      return health::Type::ping;
    case model::MonitorType::tcp:
      break;
    case model::MonitorType::tls_hello:
      return health::Type::tls_hello;
    case model::MonitorType::udp_connect:
      return health::Type::udp_connect;
    case model::MonitorType::sctp:
      return health::Type::sctp;
  }
  return health::Type::tcp;
}

base::Endpoint place_of(const model::Member& member, health::Type type) {
  const uint16_t port = member.monitor_port.value_or(member.protocol_port);
  return {member.monitor_address.value_or(member.address),
          type == health::Type::ping ? uint16_t{0} : port};
}

// All but the member and where it is.
health::Target target_of(const model::HealthMonitor& monitor) {
  health::Target target;
  target.type = type_of(monitor.type);
  target.delay = std::chrono::seconds(monitor.delay);
  target.timeout = std::chrono::seconds(monitor.timeout);
  target.rise = monitor.max_retries;
  target.fall = monitor.max_retries_down;
  if (target.type != health::Type::http && target.type != health::Type::https) return target;
  target.method = monitor.http_method;
  target.path = monitor.url_path;
  if (monitor.http_version == model::HttpVersion::v1_1) target.version = health::HttpVersion::v1_1;
  // The model has nothing else; what it has is what Octavia takes for one.
  if (auto codes = health::parse_expected_codes(monitor.expected_codes))
    target.expected = std::move(*codes);
  target.domain_name = monitor.domain_name;
  return target;
}

bool is_on(const model::Common& resource) { return is_wanted(resource) && resource.admin_state_up; }

// Pools that nobody but HAProxy asks about their members.
std::set<base::Uuid> left_to_haproxy(const model::Model& model, const haproxy::Spec& served,
                                     const std::map<base::Uuid, Placement>& placements) {
  std::set<base::Uuid> pools;
  for (const auto& [id, backend] : served.backends)
    if (backend.check) pools.insert(id.pool);
  for (const auto& [id, listener] : model.listeners) {
    const auto placement = placements.find(id);
    if (placement == placements.end() || placement->second.where == Place::haproxy) continue;
    if (listener.default_pool) pools.erase(*listener.default_pool);
  }
  return pools;
}

}  // namespace

std::vector<health::Target> make_targets(const model::Model& model, const haproxy::Spec& served,
                                         const std::map<base::Uuid, Placement>& placements) {
  const std::set<base::Uuid> others = left_to_haproxy(model, served, placements);
  std::map<base::Uuid, health::Target> by_pool;
  for (const auto& [id, monitor] : model.health_monitors) {
    const model::Pool& pool = model.pools.at(monitor.pool);
    if (others.contains(pool.id)) continue;
    if (is_on(monitor) && is_on(pool) && is_on(model.load_balancers.at(pool.load_balancer)))
      by_pool.emplace(pool.id, target_of(monitor));
  }
  std::vector<health::Target> targets;
  for (const auto& [id, member] : model.members) {
    const auto found = by_pool.find(member.pool);
    if (found == by_pool.end() || !is_on(member)) continue;
    health::Target& target = targets.emplace_back(found->second);
    target.member = id;
    target.endpoint = place_of(member, target.type);
  }
  return targets;
}

}  // namespace plan
