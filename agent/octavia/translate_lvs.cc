#include "agent/octavia/translate_lvs.h"

#include <algorithm>
#include <set>

#include "agent/model/relations.h"
#include "agent/octavia/translate_words.h"
#include "health/expected_codes.h"

namespace octavia {

namespace {

using base::Error;
using base::Family;
using base::IpAddress;
using base::Status;
using base::Unit;
using keepalived::LvsCheck;
using keepalived::LvsScheduler;
using keepalived::LvsServer;
using keepalived::LvsVirtualServer;

Error at(uint32_t line, const std::string& what) {
  return {0, "line " + std::to_string(line) + ": " + what};
}

model::Algorithm algorithm_of(LvsScheduler scheduler) {
  switch (scheduler) {
    case LvsScheduler::weighted_round_robin:
      return model::Algorithm::round_robin;
    case LvsScheduler::least_connections:
      return model::Algorithm::least_connections;
    case LvsScheduler::source_hash:
      return model::Algorithm::source_ip;
  }
  return model::Algorithm::round_robin;
}

model::MonitorType type_of(LvsCheck::Kind kind) {
  switch (kind) {
    case LvsCheck::Kind::udp_connect:
      return model::MonitorType::udp_connect;
    case LvsCheck::Kind::sctp:
      return model::MonitorType::sctp;
    case LvsCheck::Kind::http:
      return model::MonitorType::http;
    case LvsCheck::Kind::tcp:
      return model::MonitorType::tcp;
  }
  return model::MonitorType::tcp;
}

// Two families are two virtual servers of one listener: but for addresses, the same.
bool are_alike(const LvsVirtualServer& a, const LvsVirtualServer& b) {
  return a.vips[0].port == b.vips[0].port &&
         a.vips[0].address.family() != b.vips[0].address.family() && a.scheduler == b.scheduler &&
         a.protocol == b.protocol && a.persistence_timeout == b.persistence_timeout &&
         a.delay == b.delay && a.retry == b.retry && a.pool == b.pool && a.monitor == b.monitor &&
         a.pool_is_enabled == b.pool_is_enabled;
}

// Octavia 11 writes IPv4's default for IPv6, too; 12 and later the length.
bool is_whole_address(const LvsVirtualServer& server) {
  const std::string& granularity = server.persistence_granularity;
  return granularity.empty() || granularity == "255.255.255.255" || granularity == "128";
}

// There is one for both families: what either says that is not the whole address.
std::string granularity_of(const std::vector<LvsVirtualServer>& servers) {
  for (const LvsVirtualServer& server : servers)
    if (!is_whole_address(server)) return server.persistence_granularity;
  const bool has_v4 = std::any_of(servers.begin(), servers.end(), [](const auto& server) {
    return server.vips[0].address.family() == Family::ipv4;
  });
  return has_v4 ? "255.255.255.255" : "128";
}

bool is_same_probe(const LvsCheck& a, const LvsCheck& b) {
  return a.kind == b.kind && a.timeout == b.timeout && a.path == b.path &&
         a.status_codes == b.status_codes;
}

class LvsTranslator {
 public:
  LvsTranslator(const keepalived::LvsDocument& text, const model::LoadBalancer& lb,
                model::Model& model)
      : text_(text), lb_(lb), model_(model) {}

  Status add() {
    listener_.id = text_.listener;
    listener_.load_balancer = lb_.id;
    listener_.protocol = model::ListenerProtocol::udp;
    listener_.admin_state_up = text_.is_enabled;
    if (!text_.virtual_servers.empty())
      if (auto done = add_virtual_servers(); !done) return done.error();
    if (!model_.listeners.emplace(listener_.id, listener_).second)
      return at(1, "haproxy.cfg has a listener with this id");
    return Unit{};
  }

 private:
  Status add_virtual_servers() {
    const LvsVirtualServer& first = text_.virtual_servers[0];
    for (size_t i = 1; i < text_.virtual_servers.size(); i++)
      if (i > 1 || !are_alike(first, text_.virtual_servers[i]))
        return at(text_.virtual_servers[i].line, "it is not the other family's of the first one");
    if (!first.pool) return at(first.line, "no comment names its pool");
    if (auto done = check_vips(); !done) return done.error();
    const bool is_sctp = first.protocol == keepalived::LvsProtocol::sctp;
    listener_.protocol = is_sctp ? model::ListenerProtocol::sctp : model::ListenerProtocol::udp;
    listener_.protocol_port = first.vips[0].port;
    listener_.default_pool = first.pool;
    if (auto done = read_servers(); !done) return done.error();
    return add_pool(first);
  }

  // A listener is at every VIP of its load balancer.
  Status check_vips() const {
    std::set<IpAddress> vips{lb_.vip_address}, found;
    for (const model::AdditionalVip& vip : lb_.additional_vips) vips.insert(vip.ip_address);
    for (const LvsVirtualServer& server : text_.virtual_servers)
      for (const base::Endpoint& vip : server.vips) found.insert(vip.address);
    if (vips == found) return Unit{};
    return at(text_.virtual_servers[0].line, "its addresses are not the VIPs of the load balancer");
  }

  Status read_servers() {
    for (const LvsVirtualServer& virtual_server : text_.virtual_servers)
      for (const LvsServer& server : virtual_server.servers)
        if (auto done = read_server(virtual_server, server); !done) return done.error();
    return Unit{};
  }

  Status read_server(const LvsVirtualServer& virtual_server, const LvsServer& server) {
    model::Member member;
    member.id = server.member;
    member.pool = *virtual_server.pool;
    member.admin_state_up = server.place.has_value();
    if (server.place) {
      member.weight = server.weight;
      member.address = server.place->address;
      member.protocol_port = server.place->port;
      if (model::has_vip(lb_, member.address))
        return at(server.line,
                  "its address is a VIP of the load balancer, where no packet of its "
                  "own comes in");
      if (auto done = read_limit(server); !done) return done.error();
      if (auto done = read_check(virtual_server, server, member); !done) return done.error();
    }
    const auto [known, is_new] = members_.emplace(member.id, member);
    // One that is switched off may be named by both families.
    if (!is_new && known->second != member) return at(server.line, "this member is given twice");
    return Unit{};
  }

  Status read_limit(const LvsServer& server) {
    const int limit = static_cast<int>(server.most_connections.value_or(-1));
    if (has_limit_ && limit != listener_.connection_limit)
      return at(server.line, "its uthreshold is not the one of the others");
    has_limit_ = true;
    listener_.connection_limit = limit;
    return Unit{};
  }

  Status read_check(const LvsVirtualServer& virtual_server, const LvsServer& server,
                    model::Member& member) {
    const bool is_first = enabled_++ == 0;
    if (is_first) check_ = server.check;
    if (server.check.has_value() != check_.has_value() ||
        (check_ && !is_same_probe(*server.check, *check_)))
      return at(server.line, "it is not checked as the others are");
    if (!server.check) return Unit{};
    if (!virtual_server.delay || !virtual_server.retry || !virtual_server.monitor)
      return at(server.line, "it is checked, and nobody says how often or for which monitor");
    if (!server.check->path.empty() && !is_url_path(server.check->path))
      return at(server.line, "its path is none");
    const base::Endpoint& target = server.check->target;
    if (target.address != member.address) member.monitor_address = target.address;
    if (target.port != member.protocol_port) member.monitor_port = target.port;
    return Unit{};
  }

  Status add_pool(const LvsVirtualServer& server) {
    model::Pool pool;
    pool.id = *server.pool;
    pool.load_balancer = lb_.id;
    pool.protocol = server.protocol == keepalived::LvsProtocol::sctp ? model::PoolProtocol::sctp
                                                                     : model::PoolProtocol::udp;
    pool.admin_state_up = server.pool_is_enabled;
    pool.algorithm = algorithm_of(server.scheduler);
    if (server.persistence_timeout) {
      pool.session_persistence.emplace();
      pool.session_persistence->persistence_timeout = server.persistence_timeout;
      pool.session_persistence->persistence_granularity = granularity_of(text_.virtual_servers);
    }
    const auto [known, is_new] = model_.pools.emplace(pool.id, pool);
    if (!is_new)
      return known->second.protocol == pool.protocol
                 ? Status(Unit{})
                 : at(server.line, "haproxy.cfg has a pool with the id of its pool");
    if (check_) add_monitor(server);
    for (const auto& [id, member] : members_)
      if (!model_.members.emplace(id, member).second)
        return at(server.line, "member " + id.text() + " is in another pool, too");
    return Unit{};
  }

  // What keepalived does not say: one success brings a member up.
  void add_monitor(const LvsVirtualServer& server) {
    model::HealthMonitor monitor;
    monitor.id = *server.monitor;
    monitor.pool = *server.pool;
    monitor.type = type_of(check_->kind);
    monitor.delay = *server.delay;
    monitor.timeout = check_->timeout;
    monitor.max_retries = 1;
    monitor.max_retries_down = *server.retry;
    if (check_->kind == LvsCheck::Kind::http) {
      std::vector<health::CodeRange> codes;
      for (const int code : check_->status_codes) codes.push_back({code, code});
      monitor.http_method = "GET";
      monitor.url_path = check_->path;
      monitor.expected_codes =
          health::to_text(*health::parse_expected_codes(health::to_text(codes)));
    }
    model_.health_monitors.emplace(monitor.id, monitor);
  }

  const keepalived::LvsDocument& text_;
  const model::LoadBalancer& lb_;
  model::Model& model_;
  model::Listener listener_;
  std::map<base::Uuid, model::Member> members_;
  std::optional<LvsCheck> check_;  // of the first member that is enabled
  size_t enabled_ = 0;
  bool has_limit_ = false;
};

}  // namespace

Status add_lvs(const keepalived::LvsDocument& text, const model::LoadBalancer& lb,
               model::Model& model) {
  return LvsTranslator(text, lb, model).add();
}

}  // namespace octavia
