#include "agent/plan/l7.h"

#include "agent/plan/l7_words.h"
#include "agent/plan/placement.h"
#include "agent/plan/wanted.h"
#include "health/expected_codes.h"

namespace plan {

namespace {

bool is_http(model::ListenerProtocol protocol) {
  return protocol != model::ListenerProtocol::tcp && protocol != model::ListenerProtocol::https;
}

bool is_tls(const model::Listener& listener) {
  return listener.protocol == model::ListenerProtocol::terminated_https;
}

haproxy::Mode mode_of(const model::Listener& listener, const model::Pool& pool) {
  using enum model::PoolProtocol;
  if (pool.protocol == http) return haproxy::Mode::http;
  const bool as_listener = pool.protocol == proxy || pool.protocol == proxyv2;
  return as_listener && is_http(listener.protocol) ? haproxy::Mode::http : haproxy::Mode::tcp;
}

haproxy::Check check_of(const model::HealthMonitor& monitor) {
  haproxy::Check check;
  check.interval = monitor.delay;
  check.timeout = monitor.timeout;
  check.rise = monitor.max_retries;
  check.fall = monitor.max_retries_down;
  if (monitor.type == model::MonitorType::tcp) return check;
  check.kind = monitor.type == model::MonitorType::https ? haproxy::Check::Kind::https
                                                         : haproxy::Check::Kind::http;
  check.method = monitor.http_method;
  check.path = monitor.url_path;
  if (monitor.http_version)
    check.version = monitor.http_version == model::HttpVersion::v1_1 ? "1.1" : "1.0";
  check.domain_name = monitor.domain_name;
  const auto codes = health::parse_expected_codes(monitor.expected_codes);
  check.expected_status = codes ? health::to_text(*codes) : "200";
  return check;
}

std::vector<std::string> headers_of(const model::Listener& listener) {
  std::vector<std::string> names;
  for (const auto& [name, value] : listener.insert_headers)
    if (value == "true" || value == "True") names.push_back(name);
  return names;
}

std::optional<haproxy::Hsts> hsts_of(const model::Listener& listener) {
  if (!listener.hsts_max_age) return std::nullopt;
  return haproxy::Hsts{*listener.hsts_max_age, listener.hsts_include_subdomains,
                       listener.hsts_preload};
}

}  // namespace

bool is_checked_by_haproxy(model::MonitorType type) {
  using enum model::MonitorType;
  return type == tcp || type == http || type == https;
}

L7Planner::L7Planner(const model::Relations& related, const std::set<base::Uuid>& down,
                     const Certificates& certificates, haproxy::Specs& specs,
                     std::map<base::Uuid, std::string>& problems)
    : related_(related),
      down_(down),
      certificates_(certificates),
      specs_(specs),
      problems_(problems) {}

void L7Planner::add(const model::LoadBalancer& lb, const model::Listener& listener,
                    const std::vector<base::IpAddress>& vips) {
  haproxy::Frontend frontend;
  frontend.listener = listener.id;
  frontend.load_balancer = lb.id;
  frontend.project = lb.project_id;
  frontend.mode = is_http(listener.protocol) ? haproxy::Mode::http : haproxy::Mode::tcp;
  for (const base::IpAddress& vip : vips) frontend.binds.push_back({vip, listener.protocol_port});
  frontend.max_connections = limit_of(listener);
  frontend.client_timeout = timeouts_of(listener).client;
  frontend.inspect_delay = listener.timeout_tcp_inspect;
  if (is_tls(listener) || !listener.default_tls_container_ref.empty()) {
    frontend.tls = frontend_tls(listener);
    if (!frontend.tls) return;
  }
  if (is_tls(listener)) frontend.hsts = hsts_of(listener);
  if (listener.protocol == model::ListenerProtocol::prometheus) {
    frontend.source = haproxy::Source::metrics;
  } else {
    if (const model::Pool* pool = serving_pool(related_.model(), listener)) {
      if (!add_backend(listener, *pool)) return;
      frontend.default_backend = haproxy::BackendId{pool->id, listener.id};
    }
    frontend.policies = policies(listener);
  }
  haproxy::Spec& spec = specs_[lb.id];
  spec.frontends.emplace(listener.id, std::move(frontend));
  spec.renewals = lb.renewals;
}

std::optional<haproxy::PemFile> L7Planner::file(const std::string& reference,
                                                const model::Common& of) {
  const auto found = certificates_.find(reference);
  if (found != certificates_.end()) return found->second;
  problems_.emplace(of.id, "certificate " + reference + " is not there");
  return std::nullopt;
}

std::optional<haproxy::FrontendTls> L7Planner::frontend_tls(const model::Listener& listener) {
  haproxy::FrontendTls tls;
  std::vector<std::string> references{listener.default_tls_container_ref};
  if (references[0].empty()) references.clear();
  references.insert(references.end(), listener.sni_container_refs.begin(),
                    listener.sni_container_refs.end());
  for (const std::string& reference : references) {
    auto certificate = file(reference, listener);
    if (!certificate) return std::nullopt;
    tls.certificates.push_back(std::move(*certificate));
  }
  if (tls.certificates.empty()) {
    problems_.emplace(listener.id, "a listener with TLS needs a certificate");
    return std::nullopt;
  }
  const auto optional_file = [&](const std::string& reference, auto& into) {
    if (reference.empty()) return true;
    into = file(reference, listener);
    return into.has_value();
  };
  if (!optional_file(listener.client_ca_tls_container_ref, tls.client_ca)) return std::nullopt;
  if (!optional_file(listener.client_crl_container_ref, tls.client_crl)) return std::nullopt;
  tls.authentication = authentication_of(listener.client_authentication);
  tls.options = {listener.tls_ciphers, listener.tls_versions, listener.alpn_protocols};
  return tls;
}

std::optional<haproxy::BackendTls> L7Planner::backend_tls(const model::Pool& pool) {
  haproxy::BackendTls tls;
  const std::pair<const std::string&, std::optional<haproxy::PemFile>&> files[] = {
      {pool.tls_container_ref, tls.certificate},
      {pool.ca_tls_container_ref, tls.ca},
      {pool.crl_container_ref, tls.crl}};
  for (const auto& [reference, into] : files) {
    if (reference.empty()) continue;
    into = file(reference, pool);
    if (!into) return std::nullopt;
  }
  tls.options = {pool.tls_ciphers, pool.tls_versions, pool.alpn_protocols};
  return tls;
}

std::vector<haproxy::Rule> L7Planner::rules(const model::L7Policy& policy) const {
  std::vector<haproxy::Rule> out;
  for (const model::L7Rule* rule : related_.rules_of(policy)) {
    if (!is_on(*rule)) continue;
    out.push_back({rule->id, fetch_of(rule->type), match_of(rule->compare_type), rule->key,
                   rule->value, rule->invert});
  }
  return out;
}

// A policy without rules matches nothing; one whose pool is switched off is not there.
std::vector<haproxy::Policy> L7Planner::policies(const model::Listener& listener) {
  std::vector<haproxy::Policy> out;
  for (const model::L7Policy* policy : related_.policies_of(listener)) {
    if (!is_on(*policy)) continue;
    haproxy::Policy made;
    made.id = policy->id;
    made.action = action_of(policy->action);
    made.target = policy->action == model::PolicyAction::redirect_prefix ? policy->redirect_prefix
                                                                         : policy->redirect_url;
    made.code = policy->redirect_http_code.value_or(302);
    made.rules = rules(*policy);
    if (made.rules.empty()) continue;
    if (made.action == haproxy::Action::use_backend) {
      if (!policy->redirect_pool) continue;
      const model::Pool& pool = related_.model().pools.at(*policy->redirect_pool);
      if (!is_on(pool) || !add_backend(listener, pool)) continue;
      made.backend = {pool.id, listener.id};
    }
    out.push_back(std::move(made));
  }
  return out;
}

const model::HealthMonitor* L7Planner::monitor_of(const model::Pool& pool) const {
  const model::HealthMonitor* monitor = related_.monitor_of(pool);
  return monitor != nullptr && is_on(*monitor) ? monitor : nullptr;
}

haproxy::Specs l7_specs(const model::Model& model, const Certificates& certificates) {
  haproxy::Specs specs;
  const model::Relations related(model);
  const std::set<base::Uuid> nobody;
  std::map<base::Uuid, std::string> ignored;
  L7Planner planner(related, nobody, certificates, specs, ignored);
  Placing placing(related);
  for (const auto& [id, listener] : model.listeners) {
    const model::LoadBalancer& lb = model.load_balancers.at(listener.load_balancer);
    if (!is_on(lb) || !is_on(listener) || placing.of(listener).by != ServedBy::haproxy) continue;
    const std::set<base::IpAddress> vips = vips_of(lb);
    if (!vips.empty()) planner.add(lb, listener, {vips.begin(), vips.end()});
  }
  std::erase_if(specs, [](const auto& one) { return one.second.frontends.empty(); });
  return specs;
}

bool L7Planner::add_backend(const model::Listener& listener, const model::Pool& pool) {
  const haproxy::BackendId id{pool.id, listener.id};
  auto& backends = specs_[listener.load_balancer].backends;
  if (backends.contains(id)) return true;
  haproxy::Backend backend;
  backend.id = id;
  backend.mode = mode_of(listener, pool);
  backend.balance = balance_of(pool.algorithm);
  if (pool.session_persistence) backend.persistence = persistence_of(*pool.session_persistence);
  const model::HealthMonitor* monitor = monitor_of(pool);
  backend.keeps_state = monitor != nullptr;
  if (monitor != nullptr && is_checked_by_haproxy(monitor->type))
    backend.check = check_of(*monitor);
  backend.insert_headers = headers_of(listener);
  if (is_tls(listener)) backend.forwarded = haproxy::Forwarded::tls;
  const Timeouts timeouts = timeouts_of(listener);
  backend.connect_timeout = timeouts.connect;
  backend.server_timeout = timeouts.member;
  backend.max_connections = limit_of(listener);
  if (pool.protocol == model::PoolProtocol::proxy) backend.proxy = haproxy::ProxyProtocol::v1;
  if (pool.protocol == model::PoolProtocol::proxyv2) backend.proxy = haproxy::ProxyProtocol::v2;
  if (pool.tls_enabled) {
    backend.tls = backend_tls(pool);
    if (!backend.tls) return false;
  }
  add_servers(pool, monitor, backend);
  backends.emplace(id, std::move(backend));
  return true;
}

void L7Planner::add_servers(const model::Pool& pool, const model::HealthMonitor* monitor,
                            haproxy::Backend& backend) {
  for (const model::Member* member : related_.members_of(pool)) {
    if (!is_wanted(*member)) continue;
    if (std::string reason = reason_against(*member); !reason.empty()) {
      problems_.emplace(member->id, std::move(reason));
      continue;
    }
    haproxy::Server server;
    server.member = member->id;
    server.place = {member->address, member->protocol_port};
    server.weight = member->weight;
    server.backup = member->backup;
    server.disabled = !member->admin_state_up;
    if (backend.check) {
      server.check_address = member->monitor_address;
      server.check_port = member->monitor_port;
    } else if (monitor != nullptr && !server.disabled) {
      server.health = down_.contains(member->id) ? haproxy::Health::down : haproxy::Health::up;
    }
    backend.servers.push_back(server);
  }
}

}  // namespace plan
