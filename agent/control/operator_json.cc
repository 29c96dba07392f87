#include "agent/control/operator_json.h"

#include <array>
#include <ctime>

#include "agent/model/title.h"

namespace control {
namespace {

using nlohmann::json;

json table_json(const FlowTableStatus& table) {
  return {{"family", table.family == base::Family::ipv4 ? "ipv4" : "ipv6"},
          {"capacity", table.capacity},
          {"lines", table.lines},
          {"bytes_per_flow", table.bytes_per_flow},
          {"live", live_flows(table)},
          {"live_by_state", table.flows},
          {"pressure", pressure(table)},
          {"spilled_buckets", table.spilled_buckets},
          {"half_open_overwritten", table.half_open_overwritten}};
}

json attachment_json(const Attachment& attachment) {
  return {{"interface", attachment.interface},
          {"ifindex", attachment.ifindex},
          {"mode", attachment.mode},
          {"reason", attachment.reason.empty() ? json() : json(attachment.reason)},
          {"lost", attachment.lost},
          {"obstacle", attachment.obstacle.empty() ? json() : json(attachment.obstacle)}};
}

// What a problem is about, in Octavia's nouns.
json resource_json(const base::Uuid& id, const model::Model& m) {
  if (id.is_nil()) return nullptr;
  json resource{{"type", nullptr}, {"id", id.text()}, {"name", nullptr}};
  if (const auto title = model::title_of(m, id)) {
    resource["type"] = title->type;
    resource["name"] = title->name;
  }
  return resource;
}

json reconcile_json(const ReconcileStatus& reconcile, const model::Model& m) {
  auto problems = json::array();
  for (const Problem& problem : reconcile.problems)
    problems.push_back({{"resource", resource_json(problem.resource, m)}, {"what", problem.what}});
  return {{"runs", reconcile.runs},
          {"failures", reconcile.failures},
          {"last", time_json(reconcile.last)},
          {"took_us", reconcile.took.count()},
          {"error", reconcile.error.empty() ? json() : json(reconcile.error)},
          {"problems", problems}};
}

json checks_json(const std::vector<MemberCheck>& checks) {
  auto rows = json::array();
  for (const MemberCheck& check : checks)
    rows.push_back({{"member_id", check.member.text()},
                    {"state", check.state},
                    {"reason", check.reason},
                    {"latency_us", check.latency.count()},
                    {"since", time_json(check.since)}});
  return rows;
}

json placements_json(const std::vector<Placement>& placements) {
  auto rows = json::array();
  for (const Placement& row : placements)
    rows.push_back(
        {{"listener", row.listener.text()}, {"placement", row.where}, {"reason", row.reason}});
  return rows;
}

json vrrp_json(const std::optional<VrrpStatus>& vrrp) {
  if (!vrrp) return nullptr;
  auto vips = json::array();
  for (const VrrpStatus::Vip& vip : vrrp->vips)
    vips.push_back({{"address", vip.address.text()}, {"here", vip.here}});
  return {{"role", vrrp->role},
          {"interface", vrrp->interface},
          {"priority", vrrp->priority},
          {"vips", vips},
          {"unfit_because", vrrp->unfit_because},
          {"keepalived",
           {{"running", vrrp->running},
            {"starts", vrrp->starts},
            {"reloads", vrrp->reloads},
            {"restarts", vrrp->restarts}}}};
}

json replication_json(const std::optional<ReplicationStatus>& pair) {
  if (!pair) return nullptr;
  return {{"peer", pair->peer.text()},
          {"connected", pair->connected},
          {"trouble", pair->trouble.empty() ? json() : json(pair->trouble)},
          {"peer_role", pair->peer_role.empty() ? json() : json(pair->peer_role)},
          {"in_sync", pair->in_sync},
          {"synced_ms_ago", pair->synced ? json(pair->synced->count()) : json()},
          {"flows", pair->flows},
          {"unknown", pair->unknown},
          {"unknown_there", pair->unknown_there},
          {"not_movable", pair->not_movable},
          {"behind", pair->behind},
          {"behind_ms", pair->behind_ms.count()},
          {"taken", pair->taken},
          {"ended", pair->ended},
          {"refused", pair->refused},
          {"walks", pair->walks},
          {"changes_lost", pair->changes_lost},
          {"closed", pair->closed},
          {"handed_on", pair->handed_on}};
}

json verdicts_json(const std::vector<VerdictCount>& verdicts) {
  auto rows = json::array();
  for (const VerdictCount& verdict : verdicts)
    rows.push_back(
        {{"verdict", verdict.name}, {"action", verdict.action}, {"packets", verdict.packets}});
  return rows;
}

json actions_json(const std::vector<VerdictCount>& verdicts) {
  json sums{{"send", 0}, {"pass", 0}, {"drop", 0}};
  for (const VerdictCount& verdict : verdicts) {
    const uint64_t sum = sums.value(verdict.action, uint64_t{0});
    sums[verdict.action] = sum + verdict.packets;
  }
  return sums;
}

}  // namespace

json time_json(model::Time time) {
  if (time == model::Time{}) return nullptr;
  const std::time_t seconds =
      std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text.data();
}

static json haproxy_json(const std::vector<HaproxyStatus>& all) {
  auto rows = json::array();
  for (const HaproxyStatus& one : all)
    rows.push_back({{"loadbalancer_id", one.load_balancer.text()},
                    {"running", one.running},
                    {"starts", one.starts},
                    {"reloads", one.reloads},
                    {"restarts", one.restarts},
                    {"error", one.error}});
  return rows;
}

uint64_t live_flows(const FlowTableStatus& table) {
  uint64_t sum = 0;
  for (const auto& [state, flows] : table.flows) sum += flows;
  return sum;
}

double pressure(const FlowTableStatus& table) {
  if (table.capacity == 0) return 0;
  return static_cast<double>(live_flows(table)) / static_cast<double>(table.capacity);
}

json to_json(const Status& status, const Verdicts& verdicts, const model::Model& m) {
  auto interfaces = json::array();
  for (const Attachment& attachment : status.attachments)
    interfaces.push_back(attachment_json(attachment));
  auto tables = json::array();
  for (const FlowTableStatus& table : status.flow_tables) tables.push_back(table_json(table));
  return {
      {"version", status.version},
      {"abi", status.abi},
      {"uptime_s", status.uptime.count()},
      {"namespace", status.network_namespace},
      {"resources",
       {{"loadbalancers", m.load_balancers.size()},
        {"listeners", m.listeners.size()},
        {"pools", m.pools.size()},
        {"members", m.members.size()},
        {"healthmonitors", m.health_monitors.size()},
        {"l7policies", m.l7policies.size()},
        {"rules", m.l7rules.size()}}},
      {"interfaces", interfaces},
      {"flow_tables", tables},
      {"packets", actions_json(verdicts.total)},
      {"reconcile", reconcile_json(status.reconcile, m)},
      {"checks", checks_json(status.checks)},
      {"placements", placements_json(status.placements)},
      {"haproxy", haproxy_json(status.haproxy)},
      {"flow_log", {{"written", status.flow_log.written}, {"left_out", status.flow_log.left_out}}},
      {"vrrp", vrrp_json(status.vrrp)},
      {"replication", replication_json(status.replication)}};
}

json to_json(const Verdicts& verdicts, const model::Model& m) {
  auto listeners = json::array();
  for (const ListenerVerdicts& row : verdicts.listeners) {
    json entry{{"listener_id", row.listener.text()},
               {"listener_name", nullptr},
               {"loadbalancer_id", nullptr},
               {"loadbalancer_name", nullptr},
               {"verdicts", verdicts_json(row.verdicts)}};
    const auto listener = m.listeners.find(row.listener);
    if (listener != m.listeners.end()) {
      const auto& lb = m.load_balancers.at(listener->second.load_balancer);
      entry["listener_name"] = listener->second.name;
      entry["loadbalancer_id"] = lb.id.text();
      entry["loadbalancer_name"] = lb.name;
    }
    listeners.push_back(std::move(entry));
  }
  return {{"verdicts", verdicts_json(verdicts.total)}, {"listeners", listeners}};
}

json to_json(const MovedVips& moved) {
  return {{"active", moved.to.text()},
          {"took_ms", moved.took.count()},
          {"not_movable", moved.not_movable}};
}

}  // namespace control
