#include "agent/control/metrics.h"

#include <cstdio>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "agent/control/operator_json.h"

namespace control {
namespace {

using base::Uuid;

// A label value, escaped as the format says.
std::string escape(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\' || c == '"') out.push_back('\\');
    if (c == '\n') {
      out += "\\n";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

struct Label {
  std::string_view name;
  std::string value;
};
using Labels = std::initializer_list<Label>;

class Text {
 public:
  // All samples of a metric follow its heading.
  void heading(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    out_.append("# HELP ").append(name).append(" ").append(help).append("\n");
    out_.append("# TYPE ").append(name).append(" ").append(type).append("\n");
  }
  void sample(Labels labels, uint64_t value) { line(labels, std::to_string(value)); }
  void sample(Labels labels, double value) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.9g", value);
    line(labels, text);
  }
  std::string take() { return std::move(out_); }

 private:
  void line(Labels labels, std::string_view value) {
    out_ += name_;
    char separator = '{';
    for (const Label& label : labels) {
      out_.push_back(separator);
      out_.append(label.name).append("=\"").append(escape(label.value)).append("\"");
      separator = ',';
    }
    if (labels.size() != 0) out_.push_back('}');
    out_.append(" ").append(value).append("\n");
  }

  std::string name_, out_;
};

std::string family_text(base::Family family) {
  return family == base::Family::ipv4 ? "ipv4" : "ipv6";
}

void add_agent(Text& text, const Status& status) {
  text.heading("amphora_xdp_info", "gauge", "Version of the agent and of its maps.");
  text.sample({{"version", status.version}, {"abi", std::to_string(status.abi)}}, uint64_t{1});
  text.heading("amphora_xdp_uptime_seconds", "gauge", "Seconds since the agent started.");
  text.sample({}, static_cast<uint64_t>(status.uptime.count()));
  text.heading("amphora_xdp_interface", "gauge", "Interfaces and how XDP is attached to them.");
  for (const Attachment& attachment : status.attachments)
    text.sample({{"interface", attachment.interface}, {"mode", attachment.mode}},
                static_cast<uint64_t>(attachment.mode == "none" ? 0 : 1));
  text.heading("amphora_xdp_reconcile_runs_total", "counter", "Reconcile runs.");
  text.sample({}, status.reconcile.runs);
  text.heading("amphora_xdp_reconcile_failures_total", "counter", "Reconcile runs that failed.");
  text.sample({}, status.reconcile.failures);
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

void add_vrrp(Text& text, const VrrpStatus& vrrp) {
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

void add_tables(Text& text, const Status& status) {
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

void add_verdicts(Text& text, const Verdicts& verdicts, const model::Model& m) {
  text.heading("amphora_xdp_packets_total", "counter", "Packets by verdict.");
  for (const VerdictCount& verdict : verdicts.total)
    text.sample({{"verdict", verdict.name}, {"action", verdict.action}}, verdict.packets);
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

void add_listeners(Text& text, const Counters& counters, const model::Model& m) {
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
  each("octavia_listener_connections_denied_total", "counter", "Packets of refused new flows.",
       [](const Row& row) { return row.refused; });
  text.heading("octavia_listener_limit_sessions", "gauge", "Connection limit, where there is one.");
  for (const auto& [id, listener] : m.listeners)
    if (listener.connection_limit >= 0)
      text.sample({{"loadbalancer", listener.load_balancer.text()}, {"listener", id.text()}},
                  static_cast<uint64_t>(listener.connection_limit));
}

void add_checks(Text& text, const Status& status) {
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

void add_members(Text& text, const Counters& counters, const model::Model& m) {
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

}  // namespace

std::string metrics(const Status& status, const Verdicts& verdicts, const Counters& counters,
                    const model::Model& m) {
  Text text;
  add_agent(text, status);
  if (status.vrrp) add_vrrp(text, *status.vrrp);
  add_tables(text, status);
  add_verdicts(text, verdicts, m);
  add_listeners(text, counters, m);
  add_members(text, counters, m);
  add_checks(text, status);
  return text.take();
}

}  // namespace control
