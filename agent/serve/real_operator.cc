#include "agent/serve/real_operator.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "agent/datapath/abi.h"
#include "agent/datapath/flow_table.h"
#include "agent/datapath/flow_walk.h"
#include "agent/datapath/sizes.h"
#include "agent/serve/replication_status.h"
#include "agent/serve/vrrp_status.h"
#include "base/log.h"

namespace serve {

namespace asio = boost::asio;

namespace {

const char* word_of(datapath::AttachMode mode) {
  switch (mode) {
    case datapath::AttachMode::native:
      return "native";
    case datapath::AttachMode::generic:
      return "generic";
    case datapath::AttachMode::tc:
      return "tc";
  }
  return "";
}

const char* text(datapath::Fate fate) {
  switch (fate) {
    case datapath::Fate::sent:
      return "send";
    case datapath::Fate::passed:
      return "pass";
    case datapath::Fate::dropped:
      return "drop";
  }
  return "";
}

std::vector<control::VerdictCount> rows(const datapath::Verdicts& counts) {
  std::vector<control::VerdictCount> rows;
  for (size_t i = LB_CONTINUE + 1; i < counts.size(); i++) {
    auto verdict = static_cast<lb_verdict>(i);
    rows.push_back({std::string(datapath::verdict_name(verdict)),
                    text(datapath::verdict_fate(verdict)), counts[i]});
  }
  return rows;
}

// Octavia's ids of the numbers in the tables. A listener with several VIPs has several services.
struct Names {
  std::map<uint32_t, base::Uuid> listeners;  // by service id
  std::map<uint32_t, base::Uuid> members;    // by backend id

  static Names of(const datapath::Tables& tables) {
    Names names;
    for (const auto& [key, service] : tables.services)
      names.listeners[service.id] = datapath::from_abi(service.listener);
    for (const auto& [id, backend] : tables.backends)
      names.members[id] = datapath::from_abi(backend.member);
    return names;
  }
  static base::Uuid find(const std::map<uint32_t, base::Uuid>& names, uint32_t id) {
    auto found = names.find(id);
    return found == names.end() ? base::Uuid{} : found->second;
  }
};

const char* protocol_name(uint8_t protocol) {
  switch (protocol) {
    case IPPROTO_TCP:
      return "TCP";
    case IPPROTO_UDP:
      return "UDP";
    default:
      return "SCTP";
  }
}

const char* word_of(std::optional<haproxy::Health> health) {
  if (!health) return "unknown";
  return *health == haproxy::Health::up ? "up" : "down";
}

class RealFlowWalk final : public control::FlowWalk {
 public:
  RealFlowWalk(const datapath::FlowMemory& memory, Names names)
      : walk_(memory), names_(std::move(names)) {}

  Next slice(size_t lines, const Visit& visit) override {
    auto show = [&](const datapath::FlowRecord& record) {
      control::Flow flow;
      static_cast<datapath::FlowFacts&>(flow) = record;
      flow.protocol = protocol_name(record.protocol);
      flow.state = datapath::flow_state_name(record.state);
      flow.listener_id = Names::find(names_.listeners, record.service);
      flow.member_id = Names::find(names_.members, record.backend);
      flow.idle = std::min(record.idle_client, record.idle_member);
      visit(flow);
    };
    return walk_.slice(lines, show) == datapath::FlowWalk::Progress::done ? Next::done : Next::more;
  }

 private:
  datapath::FlowWalk walk_;
  Names names_;
};

control::FlowTableStatus table_status(const datapath::FlowTable& flows, base::Family family) {
  const bool six = family == base::Family::ipv6;
  const auto& lines = flows.memory().lines(family);
  const auto& counted = flows.census().tables[six ? 1 : 0];
  control::FlowTableStatus status;
  status.family = family;
  status.lines = lines.count();
  // Sized for half load: four lines to a flow.
  constexpr uint32_t kLines = 4;
  status.capacity = lines.count() / kLines;
  status.bytes_per_flow = datapath::bytes_per_flow(family);
  for (uint32_t state = LB_FLOW_HALF_OPEN; state < LB_FLOW_STATES; state++)
    status.flows[datapath::flow_state_name(state)] = counted.lines[state];
  status.spilled_buckets = counted.spilled_buckets;
  status.half_open_overwritten = flows.half_open_overwritten();
  return status;
}

}  // namespace

asio::awaitable<control::Status> RealOperator::status() {
  control::Status status;
  auto count = [this] {
    std::vector<control::HaproxyStatus> all;
    for (const auto& [load_balancer, one] : parts_.haproxy.status())
      all.push_back({load_balancer, one.running, one.counts.starts, one.counts.reloads,
                     one.counts.restarts, one.error});
    return all;
  };
  status.haproxy = co_await parts_.workers.haproxy.run(count);
  status.asked =
      std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  status.version = AMPHORA_XDP_VERSION;
  status.abi = LB_ABI_VERSION;
  status.uptime = std::chrono::duration_cast<std::chrono::seconds>(
      std::chrono::steady_clock::now() - parts_.started);
  status.network_namespace = parts_.network_namespace;
  for (const auto& [index, link] : parts_.reconciler.observed().links) {
    if (link.loopback) continue;
    control::Attachment row{link.name, index, "none", "no program is attached", 0};
    for (const auto& attached : parts_.reconciler.attachments()) {
      if (attached.ifindex != index) continue;
      row.mode = word_of(attached.mode);
      row.reason = attached.reason;
      row.obstacle = attached.obstacle;
      row.note = attached.note;
      row.losing = attached.losing;
    }
    status.attachments.push_back(row);
  }
  for (auto family : {base::Family::ipv4, base::Family::ipv6})
    status.flow_tables.push_back(table_status(parts_.datapath.flows(), family));
  const reconcile::Progress& progress = parts_.reconciler.progress();
  status.reconcile.runs = progress.runs;
  status.reconcile.failures = progress.failures;
  status.reconcile.last = std::chrono::time_point_cast<std::chrono::microseconds>(progress.last);
  status.reconcile.took = progress.took;
  status.reconcile.error = progress.error;
  for (const auto& [id, problem] : progress.problems)
    status.reconcile.problems.push_back({id, problem});
  for (const auto& [id, why] : progress.unserved) status.reconcile.problems.push_back({id, why});
  parts_.findings.for_each_probed([&status](const base::Uuid& member, const auto& health) {
    status.checks.push_back(
        {member, health::to_text(health.state), health.reason, health.latency,
         std::chrono::time_point_cast<std::chrono::microseconds>(health.last_change)});
  });
  for (const auto& [member, server] : parts_.findings.haproxy().members) {
    if (server.status == "no check" || server.reason.empty()) continue;
    status.checks.push_back(
        {member, word_of(haproxy::health_of(server.status)), server.reason, {}, {}});
  }
  for (const auto& [listener, placement] : progress.placements)
    status.placements.push_back(
        {listener, std::string(plan::word(placement.by)), placement.reason});
  const std::vector<datapath::PortUse> uses = co_await port_use();
  for (const datapath::PortUse& use : uses)
    if (use.is_scarce())
      status.reconcile.problems.push_back({use.member, datapath::scarce_ports(use)});
  auto ask = [this] { return parts_.datapath.without_checksums(); };
  const auto offloading = co_await parts_.workers.machine.run(ask);
  for (const auto& row : status.attachments)
    if (row.mode != "tc" && offloading && offloading->contains(row.ifindex))
      status.reconcile.problems.push_back(
          {{},
           "packets come in by " + row.interface +
               " without their checksums, and no connection comes up: its other end leaves them to "
               "the interface. There, run `ethtool -K NAME tx off`, or give this one the hook tc"});
  auto read_lost = [this] { return parts_.datapath.lost_packets(); };
  const auto lost = co_await parts_.workers.machine.run(read_lost);
  for (const auto& row : status.attachments)
    for (const std::string& what : {row.obstacle, row.note})
      if (!what.empty()) status.reconcile.problems.push_back({{}, what});
  for (auto& row : status.attachments) {
    if (!lost || !lost->contains(row.ifindex)) continue;
    const datapath::Lost& here = lost->at(row.ifindex);
    row.lost = here.packets;
    status.reconcile.problems.push_back({{}, datapath::why_lost(here, row.interface)});
  }
  for (const auto& name : progress.missing)
    status.reconcile.problems.push_back({{}, "interface " + name + " is not there (yet)"});
  status.flow_log = {parts_.flow_log.counts().written, parts_.flow_log.counts().left_out};
  if (pair_ != nullptr && pair_->instance())
    status.vrrp = vrrp_status(
        {*pair_->instance(), pair_->running(), pair_->counts(), pair_->reasons_against()},
        parts_.reconciler.observed());
  if (replication_ != nullptr && replication_->peer())
    status.replication =
        replication_status(*replication_->peer(), replication_->report(),
                           replication_->not_movable(), replication_->port_counts());
  co_return status;
}

// Of all members, as the last pass over the flow table found it.
asio::awaitable<std::vector<datapath::PortUse>> RealOperator::port_use() {
  auto read = [this] { return parts_.datapath.port_limits(); };
  const auto limits = co_await parts_.workers.machine.run(read);
  co_return datapath::port_use(limits, parts_.datapath.flows().census());
}

asio::awaitable<std::vector<control::ConnectedNetwork>> RealOperator::networks() {
  std::vector<control::ConnectedNetwork> out;
  for (const auto& [index, link] : parts_.reconciler.observed().links)
    if (!link.loopback) out.push_back({link.name, link.mac, link.mtu, link.addresses});
  co_return out;
}

asio::awaitable<model::Outcome<control::MovedVips>> RealOperator::move_vips() {
  return failover_->run();
}

asio::awaitable<control::Verdicts> RealOperator::verdicts() {
  auto read = [this]() -> control::Verdicts {
    control::Verdicts out;
    if (auto total = parts_.datapath.verdicts()) out.total = rows(*total);
    std::map<base::Uuid, datapath::Verdicts> by_listener;
    for (const auto& [id, listener] : Names::of(parts_.datapath.tables()).listeners) {
      auto stats = parts_.datapath.service_stats(id);
      if (!stats) continue;
      auto& sum = by_listener[listener];
      for (size_t i = 0; i < sum.size(); i++) sum[i] += stats->verdicts[i];
    }
    for (const auto& [listener, counts] : by_listener)
      out.listeners.push_back({listener, rows(counts)});
    return out;
  };
  co_return co_await parts_.workers.machine.run(read);
}

asio::awaitable<control::Counters> RealOperator::counters() {
  struct Now {
    std::map<base::Uuid, control::ServiceCounters> services;
    std::map<base::Uuid, uint64_t> members;  // flows
  };
  auto read = [this]() -> Now {
    Now now;
    const Names names = Names::of(parts_.datapath.tables());
    for (const auto& [id, listener] : names.listeners) {
      auto stats = parts_.datapath.service_stats(id);
      if (!stats) continue;
      auto& sum = now.services[listener];
      sum.flows_now += stats->connections;
      for (size_t i = LB_CONTINUE + 1; i < stats->verdicts.size(); i++)
        if (datapath::verdict_fate(static_cast<lb_verdict>(i)) == datapath::Fate::dropped)
          sum.refused += stats->verdicts[i];
    }
    const auto use = parts_.datapath.flows().memory().backend_use();
    for (const auto& [id, member] : names.members)
      now.members[member] = datapath::shared(use[id].flows).load();
    return now;
  };
  Now now = co_await parts_.workers.machine.run(read);
  const reconcile::HaproxyView& l7 = parts_.findings.haproxy();
  for (const auto& [listener, frontend] : l7.listeners)
    now.services[listener].flows_now += frontend.traffic.current;
  std::map<base::Uuid, datapath::PortUse> ports;
  const std::vector<datapath::PortUse> uses = co_await port_use();
  for (const datapath::PortUse& use : uses) ports[use.member] = use;
  control::Counters out;
  for (const auto& [member, server] : l7.members) now.members[member] += server.traffic.current;
  for (const auto& [member, flows] : now.members) {
    const datapath::PortUse& of_member = ports[member];
    out.members.push_back({member, flows, of_member.used, of_member.ports});
  }
  for (const auto& [id, listener] : parts_.changes.model().listeners) {
    control::ServiceCounters& sum = out.services.emplace_back(now.services[id]);
    const statistics::Traffic total = parts_.statistics.total(id);
    sum.listener = id;
    sum.flows_total = total.connections;
    sum.bytes_in = total.bytes_in;
    sum.bytes_out = total.bytes_out;
    sum.request_errors = total.request_errors;
  }
  co_return out;
}

asio::awaitable<std::unique_ptr<control::FlowWalk>> RealOperator::walk_flows() {
  auto read = [this] { return Names::of(parts_.datapath.tables()); };
  Names names = co_await parts_.workers.machine.run(read);
  co_return std::make_unique<RealFlowWalk>(parts_.datapath.flows().memory(), std::move(names));
}

}  // namespace serve
