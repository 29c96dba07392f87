#include "agent/plan/targets.h"

#include <chrono>
#include <set>

#include "agent/plan/wanted.h"
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
      return health::Type::tcp;
    case model::MonitorType::tls_hello:
      return health::Type::tls_hello;
    case model::MonitorType::udp_connect:
      return health::Type::udp_connect;
    case model::MonitorType::sctp:
      return health::Type::sctp;
  }
  __builtin_unreachable();
}

base::Endpoint endpoint_of(const model::Member& member, health::Type type) {
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

// Pools that nobody but HAProxy asks about their members.
std::set<base::Uuid> left_to_haproxy(const model::Model& model, const haproxy::Specs& served,
                                     const std::map<base::Uuid, Placement>& placements) {
  std::set<base::Uuid> pools;
  if (model.amphora)  // an uploaded text has its checks in it
    for (const auto& [id, pool] : model.pools) pools.insert(id);
  for (const auto& [load_balancer, spec] : served)
    for (const auto& [id, backend] : spec.backends)
      if (backend.check) pools.insert(id.pool);
  for (const auto& [id, listener] : model.listeners) {
    const auto placement = placements.find(id);
    if (placement == placements.end() || placement->second.by == ServedBy::haproxy) continue;
    if (listener.default_pool) pools.erase(*listener.default_pool);
  }
  return pools;
}

}  // namespace

std::vector<health::Target> make_targets(const model::Relations& related,
                                         const haproxy::Specs& served,
                                         const std::map<base::Uuid, Placement>& placements) {
  const model::Model& model = related.model();
  const std::set<base::Uuid> others = left_to_haproxy(model, served, placements);
  std::vector<health::Target> targets;
  for (const auto& [id, pool] : model.pools) {
    const model::HealthMonitor* monitor = related.monitor_of(pool);
    if (monitor == nullptr || !is_on(*monitor) || !is_on(pool) || others.contains(id)) continue;
    if (!is_on(model.load_balancers.at(pool.load_balancer))) continue;
    const health::Target any = target_of(*monitor);
    for (const model::Member* member : related.members_of(pool)) {
      if (!is_on(*member)) continue;
      health::Target& target = targets.emplace_back(any);
      target.member = member->id;
      target.endpoint = endpoint_of(*member, any.type);
    }
  }
  return targets;
}

}  // namespace plan
