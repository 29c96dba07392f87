#include "agent/control/metrics.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <string_view>
#include <vector>

#include "agent/control/metrics_text.h"
#include "agent/control/operator_json.h"

namespace control {
namespace {

using base::Uuid;

std::string family_text(base::Family family) {
  return family == base::Family::ipv4 ? "ipv4" : "ipv6";
}

void add_machine(MetricsText& text, const Status& status) {
  text.heading("amphora_xdp_info", "gauge", "Version of the agent and of its maps.");
  text.sample({{"version", status.version}, {"abi", std::to_string(status.abi)}}, uint64_t{1});
  text.heading("amphora_xdp_uptime_seconds", "gauge", "Seconds since the agent started.");
  text.sample({}, static_cast<uint64_t>(status.uptime.count()));
  text.heading("amphora_xdp_interface", "gauge", "Interfaces and how XDP is attached to them.");
  for (const Attachment& attachment : status.attachments)
    text.sample({{"interface", attachment.interface}, {"mode", attachment.mode}},
                static_cast<uint64_t>(attachment.mode == "none" ? 0 : 1));
  text.heading("amphora_xdp_interface_lost_packets_total", "counter",
               "Packets that the kernel lost after XDP had sent them by this interface.");
  for (const Attachment& attachment : status.attachments)
    text.sample({{"interface", attachment.interface}}, attachment.lost);
  text.heading("amphora_xdp_interface_obstacle", "gauge",
               "1 where nothing can be forwarded by XDP; status says why.");
  for (const Attachment& attachment : status.attachments)
    text.sample({{"interface", attachment.interface}}, uint64_t{!attachment.obstacle.empty()});
  text.heading("amphora_xdp_reconcile_runs_total", "counter", "Reconcile runs.");
  text.sample({}, status.reconcile.runs);
  text.heading("amphora_xdp_reconcile_failures_total", "counter", "Reconcile runs that failed.");
  text.sample({}, status.reconcile.failures);
  text.heading("amphora_xdp_flow_log_written_total", "counter",
               "Ended connections of XDP that were logged.");
  text.sample({}, status.flow_log.written);
  text.heading("amphora_xdp_flow_log_left_out_total", "counter",
               "Those that were not, for there were too many.");
  text.sample({}, status.flow_log.left_out);
  text.heading("amphora_xdp_reconcile_problems", "gauge", "Resources that could not be planned.");
  text.sample({}, uint64_t{status.reconcile.problems.size()});
  text.heading("amphora_xdp_reconcile_duration_seconds", "gauge", "Duration of the last run.");
  text.sample({}, static_cast<double>(status.reconcile.took.count()) / 1e6);
}

void add_haproxies(MetricsText& text, const Status& status) {
  const auto each_haproxy = [&](std::string_view name, std::string_view type, std::string_view help,
                                auto value) {
    text.heading(name, type, help);
    for (const HaproxyStatus& one : status.haproxy)
      text.sample({{"loadbalancer", one.load_balancer.text()}}, value(one));
  };
  each_haproxy("amphora_xdp_haproxy_up", "gauge",
               "Whether the HAProxy of a load balancer that needs one runs.",
               [](const HaproxyStatus& one) { return uint64_t{one.running}; });
  each_haproxy("amphora_xdp_haproxy_reloads_total", "counter", "Its reloads.",
               [](const HaproxyStatus& one) { return one.reloads; });
  each_haproxy("amphora_xdp_haproxy_restarts_total", "counter", "Its starts after it had died.",
               [](const HaproxyStatus& one) { return one.restarts; });
}

void add_vrrp(MetricsText& text, const VrrpStatus& vrrp) {
  text.heading("amphora_xdp_vrrp_role", "gauge", "1 for the role of this node in its pair.");
  for (const char* role : {"MASTER", "BACKUP", "FAULT"})
    text.sample({{"role", role}}, uint64_t{vrrp.role == role});
  text.heading("amphora_xdp_vrrp_vip", "gauge", "Whether a VIP is on this node's interface.");
  for (const VrrpStatus::Vip& vip : vrrp.vips)
    text.sample({{"vip", vip.address.text()}, {"interface", vrrp.interface}}, uint64_t{vip.here});
  text.heading("amphora_xdp_vrrp_fit", "gauge", "Whether this node may be master.");
  text.sample({}, uint64_t{vrrp.unfit_because.empty()});
  text.heading("amphora_xdp_keepalived_up", "gauge", "Whether keepalived runs.");
  text.sample({}, uint64_t{vrrp.running});
  text.heading("amphora_xdp_keepalived_reloads_total", "counter", "Reloads of keepalived.");
  text.sample({}, vrrp.reloads);
  text.heading("amphora_xdp_keepalived_restarts_total", "counter",
               "Starts after keepalived had died.");
  text.sample({}, vrrp.restarts);
}

void add_replication(MetricsText& text, const ReplicationStatus& pair) {
  const auto add = [&](std::string_view name, std::string_view type, std::string_view help,
                       uint64_t value) {
    text.heading(name, type, help);
    text.sample({}, value);
  };
  add("amphora_xdp_replication_connected", "gauge", "Whether the other node is connected.",
      uint64_t{pair.connected});
  add("amphora_xdp_replication_in_sync", "gauge",
      "Whether this node has all of the other one's connections that can move.",
      uint64_t{pair.in_sync});
  add("amphora_xdp_replication_flows", "gauge", "Connections of the other node here.", pair.flows);
  add("amphora_xdp_replication_unknown", "gauge", "Those that have no place here.", pair.unknown);
  add("amphora_xdp_replication_not_movable", "gauge",
      "Connections of this node that the other one could not go on with.", pair.not_movable);
  add("amphora_xdp_replication_behind", "gauge", "Records that the other node has not answered.",
      pair.behind);
  text.heading("amphora_xdp_replication_behind_seconds", "gauge",
               "Since the oldest of them was sent.");
  text.sample({}, static_cast<double>(pair.behind_ms.count()) / 1e3);
  add("amphora_xdp_replication_taken_total", "counter", "Connections taken from the other node.",
      pair.taken);
  add("amphora_xdp_replication_ended_total", "counter", "Those that ended there.", pair.ended);
  text.heading("amphora_xdp_replication_refused_total", "counter", "Those that were not taken.");
  for (const auto& [why, flows] : pair.refused) text.sample({{"reason", why}}, flows);
  add("amphora_xdp_replication_walks_total", "counter",
      "Walks over the flow table for the other node.", pair.walks);
  add("amphora_xdp_replication_changes_lost_total", "counter",
      "Changes that there was no room for.", pair.changes_lost);
  add("amphora_xdp_replication_closed_total", "counter",
      "Connections to the pair's port that were neither this protocol's nor HAProxy's.",
      pair.closed);
  add("amphora_xdp_replication_handed_on", "gauge",
      "Connections of the other node's HAProxy to this node's, for stick tables.", pair.handed_on);
}

void add_tables(MetricsText& text, const Status& status) {
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help,
                        auto value) {
    text.heading(name, type, help);
    for (const FlowTableStatus& table : status.flow_tables)
      text.sample({{"family", family_text(table.family)}}, value(table));
  };
  text.heading("amphora_xdp_flows", "gauge", "Live flows by state.");
  for (const FlowTableStatus& table : status.flow_tables)
    for (const auto& [state, flows] : table.flows)
      text.sample({{"family", family_text(table.family)}, {"state", state}}, flows);
  each("amphora_xdp_flow_capacity", "gauge", "Flows the table is sized for.",
       [](const FlowTableStatus& table) { return table.capacity; });
  each("amphora_xdp_flow_bytes", "gauge", "Memory of one flow, bytes.",
       [](const FlowTableStatus& table) { return uint64_t{table.bytes_per_flow}; });
  each("amphora_xdp_flow_table_pressure_ratio", "gauge", "Live flows by capacity.",
       [](const FlowTableStatus& table) { return pressure(table); });
  each("amphora_xdp_flow_spilled_buckets", "gauge", "Buckets that once overflowed.",
       [](const FlowTableStatus& table) { return table.spilled_buckets; });
  each("amphora_xdp_half_open_overwritten_total", "counter",
       "Half-open flows that gave way to newer ones.",
       [](const FlowTableStatus& table) { return table.half_open_overwritten; });
}

std::string load_balancer_of(const model::Model& m, const Uuid& listener) {
  const auto found = m.listeners.find(listener);
  return found == m.listeners.end() ? "" : found->second.load_balancer.text();
}

void add_packets(MetricsText& text, const Verdicts& verdicts) {
  text.heading("amphora_xdp_packets_total", "counter", "Packets by verdict.");
  for (const VerdictCount& verdict : verdicts.total)
    text.sample({{"verdict", verdict.name}, {"action", verdict.action}}, verdict.packets);
}

void add_verdicts(MetricsText& text, const Verdicts& verdicts, const model::Model& m) {
  text.heading("amphora_xdp_listener_packets_total", "counter",
               "Packets by listener and verdict, where there were any.");
  for (const ListenerVerdicts& row : verdicts.listeners)
    for (const VerdictCount& verdict : row.verdicts)
      if (verdict.packets != 0)
        text.sample({{"loadbalancer", load_balancer_of(m, row.listener)},
                     {"listener", row.listener.text()},
                     {"verdict", verdict.name},
                     {"action", verdict.action}},
                    verdict.packets);
}

void add_placements(MetricsText& text, const Status& status, const model::Model& m) {
  text.heading("amphora_xdp_listener_placement", "gauge", "1 for who serves a listener.");
  for (const Placement& row : status.placements)
    if (m.listeners.contains(row.listener))
      text.sample({{"loadbalancer", load_balancer_of(m, row.listener)},
                   {"listener", row.listener.text()},
                   {"placement", row.where}},
                  uint64_t{1});
}

void add_listeners(MetricsText& text, const Counters& counters, const model::Model& m) {
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help,
                        auto value) {
    text.heading(name, type, help);
    for (const ServiceCounters& service : counters.services)
      text.sample({{"loadbalancer", load_balancer_of(m, service.listener)},
                   {"listener", service.listener.text()}},
                  value(service));
  };
  using Row = ServiceCounters;
  each("octavia_listener_current_sessions", "gauge", "Flows now.",
       [](const Row& row) { return row.flows_now; });
  each("octavia_listener_connections_total", "counter", "Flows made.",
       [](const Row& row) { return row.flows_total; });
  each("octavia_listener_bytes_in_total", "counter", "Bytes from clients.",
       [](const Row& row) { return row.bytes_in; });
  each("octavia_listener_bytes_out_total", "counter", "Bytes to clients.",
       [](const Row& row) { return row.bytes_out; });
  each("octavia_listener_request_errors_total", "counter", "Requests that could not be read.",
       [](const Row& row) { return row.request_errors; });
  each("octavia_listener_sessions_total", "counter", "Flows made.",
       [](const Row& row) { return row.flows_total; });
  each("octavia_listener_denied_connections_total", "counter", "Packets of refused new flows.",
       [](const Row& row) { return row.refused; });
  text.heading("octavia_listener_limit_sessions", "gauge", "Connection limit, where there is one.");
  for (const auto& [id, listener] : m.listeners)
    if (listener.connection_limit > 0)
      text.sample({{"loadbalancer", listener.load_balancer.text()}, {"listener", id.text()}},
                  static_cast<uint64_t>(listener.connection_limit));
}

void add_checks(MetricsText& text, const Status& status) {
  text.heading("amphora_xdp_member_up", "gauge", "What the health checks of a member say.");
  for (const MemberCheck& check : status.checks)
    if (check.state != "unknown")
      text.sample({{"member", check.member.text()}}, uint64_t{check.state == "up"});
  text.heading("amphora_xdp_probe_latency_seconds", "gauge", "Duration of the last probe.");
  for (const MemberCheck& check : status.checks)
    if (check.latency.count() != 0)
      text.sample({{"member", check.member.text()}},
                  static_cast<double>(check.latency.count()) / 1e6);
}

void add_members(MetricsText& text, const Counters& counters, const model::Model& m) {
  std::map<Uuid, uint64_t> by_pool;
  text.heading("octavia_member_current_sessions", "gauge", "Flows now.");
  for (const MemberCounters& row : counters.members) {
    const auto member = m.members.find(row.member);
    if (member == m.members.end()) continue;
    const Uuid& pool = member->second.pool;
    by_pool[pool] += row.flows_now;
    text.sample({{"loadbalancer", m.pools.at(pool).load_balancer.text()},
                 {"pool", pool.text()},
                 {"member", row.member.text()}},
                row.flows_now);
  }
  const auto each = [&](std::string_view name, std::string_view help, auto value) {
    text.heading(name, "gauge", help);
    for (const MemberCounters& row : counters.members)
      if (row.ports != 0) text.sample({{"member", row.member.text()}}, value(row));
  };
  each("amphora_xdp_member_snat_ports_used", "Source ports towards the member that flows have.",
       [](const MemberCounters& row) { return row.ports_used; });
  each("amphora_xdp_member_snat_ports", "Source ports towards the member that there are.",
       [](const MemberCounters& row) { return row.ports; });
  text.heading("octavia_member_weight", "gauge", "Weight; 0 drains.");
  for (const auto& [id, member] : m.members)
    text.sample({{"loadbalancer", m.pools.at(member.pool).load_balancer.text()},
                 {"pool", member.pool.text()},
                 {"member", id.text()}},
                static_cast<uint64_t>(member.weight));
  text.heading("octavia_pool_current_sessions", "gauge", "Flows now.");
  for (const auto& [pool, flows] : by_pool)
    text.sample({{"loadbalancer", m.pools.at(pool).load_balancer.text()}, {"pool", pool.text()}},
                flows);
}

// As HAProxy words a state: 1 for the one that it is.
void add_states(MetricsText& text, std::initializer_list<Label> of, std::string_view state,
                std::initializer_list<std::string_view> all) {
  for (const std::string_view one : all) {
    std::vector<Label> labels(of);
    labels.push_back({"state", std::string(one)});
    text.sample(labels, uint64_t{one == state});
  }
}

using model::OperatingStatus;

OperatingStatus status_of(const model::Statuses& statuses, const Uuid& id) {
  const auto found = statuses.find(id);
  return found == statuses.end() ? OperatingStatus::offline : found->second;
}

std::string_view listener_state(OperatingStatus status) {
  if (status == OperatingStatus::degraded) return "FULL";
  return status == OperatingStatus::offline ? "STOP" : "OPEN";
}

std::string_view member_state(OperatingStatus status) {
  if (status == OperatingStatus::offline) return "MAINT";
  if (status == OperatingStatus::error) return "DOWN";
  return status == OperatingStatus::draining ? "DRAIN" : "UP";
}

void add_load_balancers(MetricsText& text, const Counters& counters, const model::Model& m) {
  struct Sum {
    uint64_t now = 0, total = 0, listeners = 0;
  };
  std::map<Uuid, Sum> sums;
  for (const auto& [id, lb] : m.load_balancers) sums[id];
  for (const auto& [id, listener] : m.listeners) sums[listener.load_balancer].listeners++;
  for (const ServiceCounters& row : counters.services) {
    const auto listener = m.listeners.find(row.listener);
    if (listener == m.listeners.end()) continue;
    sums[listener->second.load_balancer].now += row.flows_now;
    sums[listener->second.load_balancer].total += row.flows_total;
  }
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help,
                        uint64_t Sum::*value) {
    text.heading(name, type, help);
    for (const auto& [id, sum] : sums) text.sample({{"loadbalancer", id.text()}}, sum.*value);
  };
  each("octavia_loadbalancer_current_connections", "gauge", "Flows now.", &Sum::now);
  each("octavia_loadbalancer_connections_total", "counter", "Flows made.", &Sum::total);
  each("octavia_loadbalancer_listeners", "gauge", "Listeners.", &Sum::listeners);
}

bool is_active(const model::Member& member, OperatingStatus status) {
  return member.admin_state_up && member.weight > 0 && status != OperatingStatus::error;
}

void add_pools(MetricsText& text, const model::Model& m, const model::Statuses& statuses) {
  std::map<Uuid, std::pair<uint64_t, uint64_t>> active;  // members, backup members
  for (const auto& [id, pool] : m.pools) active[id];
  for (const auto& [id, member] : m.members)
    if (is_active(member, status_of(statuses, id)))
      (member.backup ? active[member.pool].second : active[member.pool].first)++;
  const auto labels = [&](const Uuid& pool, auto use) {
    use(std::initializer_list<Label>{{"loadbalancer", m.pools.at(pool).load_balancer.text()},
                                     {"pool", pool.text()}});
  };
  text.heading("octavia_pool_active_members", "gauge", "Members that get new flows.");
  for (const auto& [id, counts] : active)
    labels(id, [&, n = counts.first](auto all) { text.sample(all, n); });
  text.heading("octavia_pool_backup_members", "gauge", "Backup members that would get new flows.");
  for (const auto& [id, counts] : active)
    labels(id, [&, n = counts.second](auto all) { text.sample(all, n); });
  text.heading("octavia_pool_status", "gauge", "1 for the state that the pool is in.");
  for (const auto& [id, pool] : m.pools)
    labels(id, [&, down = status_of(statuses, id) == OperatingStatus::error](auto all) {
      add_states(text, all, down ? "DOWN" : "UP", {"UP", "DOWN"});
    });
}

void add_statuses(MetricsText& text, const Status& status, const model::Model& m,
                  const model::Statuses& statuses) {
  text.heading("octavia_listener_status", "gauge", "1 for the state that the listener is in.");
  for (const auto& [id, listener] : m.listeners)
    add_states(text, {{"loadbalancer", listener.load_balancer.text()}, {"listener", id.text()}},
               listener_state(status_of(statuses, id)), {"OPEN", "FULL", "STOP"});
  text.heading("octavia_member_status", "gauge", "1 for the state that the member is in.");
  for (const auto& [id, member] : m.members)
    add_states(text,
               {{"loadbalancer", m.pools.at(member.pool).load_balancer.text()},
                {"pool", member.pool.text()},
                {"member", id.text()}},
               member_state(status_of(statuses, id)), {"UP", "DOWN", "MAINT", "DRAIN"});
  text.heading("octavia_member_check_last_change_seconds", "gauge",
               "How long the member has been in its state.");
  for (const MemberCheck& check : status.checks) {
    const auto member = m.members.find(check.member);
    if (member == m.members.end() || check.since == model::Time{}) continue;
    // Not below zero when the clock was set back.
    const auto age = std::max(std::chrono::floor<std::chrono::seconds>(status.asked - check.since),
                              std::chrono::seconds{0});
    text.sample({{"loadbalancer", m.pools.at(member->second.pool).load_balancer.text()},
                 {"pool", member->second.pool.text()},
                 {"member", check.member.text()}},
                static_cast<uint64_t>(age.count()));
  }
}

}  // namespace

std::string metrics(const Status& status, const Verdicts& verdicts, const Counters& counters,
                    const model::Model& m, const model::Statuses& statuses, MetricsOf of) {
  MetricsText text;
  if (of == MetricsOf::machine) {
    add_machine(text, status);
    if (status.vrrp) add_vrrp(text, *status.vrrp);
    if (status.replication) add_replication(text, *status.replication);
    add_tables(text, status);
    add_packets(text, verdicts);
  }
  add_haproxies(text, status);
  add_verdicts(text, verdicts, m);
  add_load_balancers(text, counters, m);
  add_placements(text, status, m);
  add_listeners(text, counters, m);
  add_pools(text, m, statuses);
  add_statuses(text, status, m, statuses);
  add_members(text, counters, m);
  add_checks(text, status);
  return text.take();
}

}  // namespace control
