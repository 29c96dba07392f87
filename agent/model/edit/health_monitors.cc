#include "agent/model/datagrams.h"
#include "agent/model/edit/editors.h"
#include "agent/model/edit/rules.h"
#include "agent/model/fields/read.h"
#include "agent/model/relations.h"
#include "agent/model/words.h"

namespace model {

namespace {

constexpr int kLeastUdpDelay = 3;  // s; Octavia's udp_connect_min_interval_health_monitor

Outcome<Body> read_monitor(const Body& body, unsigned use) {
  auto inner = unwrap("health_monitor_", "healthmonitor", body);
  if (auto* fault = std::get_if<Fault>(&inner)) return *fault;
  return read_fields({"health_monitor_.healthmonitor", "healthmonitor"}, table<HealthMonitor>(),
                     std::get<Body>(inner), use);
}

bool speaks_http(const HealthMonitor& monitor) {
  return monitor.type == MonitorType::http || monitor.type == MonitorType::https;
}

Refusal check_type(const HealthMonitor& monitor, const Pool& pool) {
  using enum MonitorType;
  bool datagrams = has_datagrams(pool.protocol);
  bool of_datagrams = monitor.type == udp_connect || monitor.type == sctp;
  if (!datagrams && of_datagrams)
    return validation_failure("The " + text(monitor.type) +
                              " type is only supported for pools of type UDP/SCTP.");
  if (datagrams && !of_datagrams && monitor.type != tcp && monitor.type != http)
    return validation_failure("The associated pool protocol is " + text(pool.protocol) +
                              ", so only a UDP-CONNECT/SCTP/TCP/HTTP health monitor is supported.");
  return std::nullopt;
}

// `given`: the attributes that the request sets.
Refusal check_http(const HealthMonitor& monitor, const Body& given, Request request) {
  const auto sets = [&](const char* name) {
    return given.contains(name) && (request == Request::update || !given[name].is_null());
  };
  for (const char* name :
       {"http_method", "url_path", "expected_codes", "http_version", "domain_name"})
    if (!speaks_http(monitor) && sets(name))
      return invalid_option(name, "health monitors of type " + text(monitor.type));
  if (monitor.domain_name.empty()) return std::nullopt;
  if (!monitor.http_version)
    return validation_failure("'http_version' must be specified when 'domain_name' is provided.");
  if (*monitor.http_version != HttpVersion::v1_1)
    return invalid_option("http_version 1.0", "health monitors HTTP 1.1 domain name health check");
  return std::nullopt;
}

Refusal check_delay(const HealthMonitor& monitor) {
  if (monitor.type == MonitorType::udp_connect && monitor.delay < kLeastUdpDelay)
    return validation_failure("The request delay value " + std::to_string(monitor.delay) +
                              " should be larger than " + std::to_string(kLeastUdpDelay) +
                              " for UDP-CONNECT health monitor type.");
  return std::nullopt;
}

void assign_with_defaults(HealthMonitor& monitor, const Body& values) {
  assign(monitor, values);
  if (!speaks_http(monitor)) return;
  if (monitor.http_method.empty()) monitor.http_method = "GET";
  if (monitor.url_path.empty()) monitor.url_path = "/";
  if (monitor.expected_codes.empty()) monitor.expected_codes = "200";
}

Outcome<HealthMonitor> make_monitor(const Pool& pool, const Body& values) {
  HealthMonitor monitor;
  assign_with_defaults(monitor, values);
  monitor.pool = pool.id;
  if (auto refusal = check_type(monitor, pool)) return *refusal;
  if (auto refusal = check_delay(monitor)) return *refusal;
  if (auto refusal = check_http(monitor, values, Request::create)) return *refusal;
  return monitor;
}

}  // namespace

Done create_health_monitor(Draft& draft, const Body& body) {
  auto read = read_monitor(body, kCreate);
  if (auto* fault = std::get_if<Fault>(&read)) return *fault;
  const Body& values = std::get<Body>(read);
  const auto& named = values.at("pool_id").get_ref<const std::string&>();
  Pool* pool = draft.pool(*Uuid::parse(named));
  if (!pool) return not_found(Kind::pool, named);
  if (auto refusal = draft.check_room(pool->load_balancer, Kind::health_monitor)) return *refusal;
  auto made = make_monitor(*pool, values);
  if (auto* fault = std::get_if<Fault>(&made)) return *fault;
  if (auto refusal = draft.check_pool(pool->id)) return *refusal;
  if (monitor_of(draft.model, *pool)) return Fault{409, "This pool already has a health monitor"};
  auto& monitor = std::get<HealthMonitor>(made);
  draft.stamp_new(monitor);
  draft.lock_above(*pool);
  draft.model.health_monitors.emplace(monitor.id, monitor);
  return monitor.id;
}

Done update_health_monitor(Draft& draft, const Uuid& id, const Body& body) {
  auto values = read_monitor(body, kUpdate);
  if (auto* fault = std::get_if<Fault>(&values)) return *fault;
  HealthMonitor* monitor = draft.health_monitor(id);
  if (!monitor) return not_found(Kind::health_monitor, id.text());
  assign_with_defaults(*monitor, std::get<Body>(values));
  if (auto refusal = check_http(*monitor, std::get<Body>(values), Request::update)) return *refusal;
  if (auto refusal = check_delay(*monitor)) return *refusal;
  if (auto refusal = draft.check_pool(monitor->pool)) return *refusal;
  draft.mark(*monitor, ProvisioningStatus::pending_update);
  draft.lock_above(*draft.pool(monitor->pool));
  return id;
}

Done remove_health_monitor(Draft& draft, const Uuid& id) {
  HealthMonitor* monitor = draft.health_monitor(id);
  if (!monitor) return not_found(Kind::health_monitor, id.text());
  if (auto refusal = draft.check_pool(monitor->pool)) return *refusal;
  draft.mark(*monitor, ProvisioningStatus::pending_delete);
  draft.lock_above(*draft.pool(monitor->pool));
  return id;
}

Refusal add_health_monitor(Draft& draft, const Pool& pool, const Body& values) {
  if (auto refusal = draft.check_room(pool.load_balancer, Kind::health_monitor)) return *refusal;
  auto made = make_monitor(pool, values);
  if (auto* fault = std::get_if<Fault>(&made)) return *fault;
  auto& monitor = std::get<HealthMonitor>(made);
  draft.stamp_new(monitor);
  draft.model.health_monitors.emplace(monitor.id, monitor);
  return std::nullopt;
}

}  // namespace model
