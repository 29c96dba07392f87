// `status`: is it running, where, and how full is it.
#include <algorithm>
#include <cstdio>

#include "agent/cli/commands.h"
#include "agent/cli/files.h"
#include "agent/cli/table.h"

namespace cli {
namespace {

using nlohmann::json;

uint64_t number(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<uint64_t>() : 0;
}

std::string percent(const json& object, const char* key) {
  char text[16];
  std::snprintf(text, sizeof(text), "%.1f%%", 100 * object.value(key, 0.0));
  return text;
}

// It is counted in whole seconds.
std::string uptime(uint64_t seconds) {
  return seconds == 0 ? "less than 1s" : short_duration(1000 * seconds);
}

void print_agent(const json& status) {
  const json& reconcile = status["reconcile"];
  const json& packets = status["packets"];
  const std::string space = status.value("namespace", "");
  print("amphora-xdp-agent " + text_of(status, "version") + ", map ABI " + text_of(status, "abi") +
        ", up " + uptime(number(status, "uptime_s")) + ", in " +
        (space.empty() ? "the namespace that it was started in" : "namespace " + space) + "\n");
  const json& resources = status["resources"];
  print("resources: " + text_of(resources, "loadbalancers") + " load balancers, " +
        text_of(resources, "listeners") + " listeners, " + text_of(resources, "pools") +
        " pools, " + text_of(resources, "members") + " members\n");
  print("packets: " + short_number(number(packets, "send")) + " sent, " +
        short_number(number(packets, "pass")) + " passed to the kernel, " +
        short_number(number(packets, "drop")) + " dropped\n");
  const std::string error = text_of(reconcile, "error");
  print("reconcile: " + text_of(reconcile, "runs") + " runs, " + text_of(reconcile, "failures") +
        " failed, last at " + text_of(reconcile, "last") + " took " +
        short_number(number(reconcile, "took_us")) + " us" +
        (error == "-" ? "" : "\n  FAILED: " + error) + "\n");
  for (const json& problem : reconcile["problems"]) {
    const json resource = problem.value("resource", json());
    print("  problem: " +
          (resource.is_object() ? text_of(resource, "type") + " " + text_of(resource, "name") +
                                      " (" + text_of(resource, "id") + "): "
                                : std::string()) +
          text_of(problem, "what") + "\n");
  }
}

// Nothing without a pair: most have none.
void print_vrrp(const json& status) {
  const json vrrp = status.value("vrrp", json());
  if (!vrrp.is_object()) return;
  const json& keepalived = vrrp["keepalived"];
  print("pair: " + text_of(vrrp, "role") + " on " + text_of(vrrp, "interface") + ", priority " +
        text_of(vrrp, "priority") + "; keepalived " +
        (keepalived.value("running", false) ? "runs" : "DOES NOT RUN") + ", supervised, " +
        text_of(keepalived, "restarts") + " restarts\n");
  for (const json& vip : vrrp["vips"])
    print("  VIP " + text_of(vip, "address") + ": " +
          (vip.value("here", false) ? "here" : "not here") + "\n");
  for (const json& why : vrrp["unfit_because"])
    print("  may not be master: " + why.get<std::string>() + "\n");
}

void print_stick_tables(const json& pair) {
  if (number(pair, "handed_on") > 0)
    print("  its HAProxy exchanges stick tables with this node's\n");
}

// Nothing without another node.
void print_replication(const json& status) {
  const json pair = status.value("replication", json());
  if (!pair.is_object()) return;
  const std::string peer = "connections: the other node, " + text_of(pair, "peer") + ", ";
  if (!pair.value("connected", false)) {
    print(peer + "is NOT CONNECTED; " + text_of(pair, "trouble") + "\n");
    print_stick_tables(pair);
    return;
  }
  const std::string role = text_of(pair, "peer_role");
  print(peer + (role == "-" ? "is connected" : "is " + role) + "; " + text_of(pair, "flows") +
        " of it are here" + (pair.value("in_sync", false) ? ", in sync" : "") + "\n");
  print_stick_tables(pair);
  if (number(pair, "behind") > 0)
    print("  it is behind by " + text_of(pair, "behind") + " records, " +
          text_of(pair, "behind_ms") + " ms\n");
  if (number(pair, "unknown") > 0)
    print("  without a place here: " + text_of(pair, "unknown") +
          " connections of listeners or members that this node does not have\n");
  if (number(pair, "unknown_there") > 0)
    print("  without a place there: " + text_of(pair, "unknown_there") + " connections\n");
  if (number(pair, "not_movable") > 0)
    print("  not movable: " + text_of(pair, "not_movable") +
          " connections whose address towards the member stays here\n");
}

void print_interfaces(const json& interfaces) {
  std::vector<Row> rows;
  for (const json& one : interfaces)
    rows.push_back({text_of(one, "interface"), text_of(one, "ifindex"), text_of(one, "mode"),
                    text_of(one, "reason")});
  print("\n" + render({{"INTERFACE", Column::Fit::whole},
                       {"INDEX", Column::Fit::number},
                       {"XDP", Column::Fit::whole},
                       {"REASON"}},
                      rows, terminal_width()));
}

void print_tables(const json& tables) {
  std::vector<Row> rows;
  for (const json& table : tables) {
    const json states = table.value("live_by_state", json::object());
    const uint64_t half = number(states, "half_open"), open = number(states, "open");
    const uint64_t live = number(table, "live");
    rows.push_back({text_of(table, "family"), short_number(number(table, "capacity")),
                    short_number(live), short_number(open), short_number(half),
                    short_number(live - std::min(live, open + half)), percent(table, "pressure"),
                    text_of(table, "bytes_per_flow")});
  }
  constexpr auto kNumber = Column::Fit::number;
  print("\n" + render({{"FLOWS", Column::Fit::whole},
                       {"CAPACITY", kNumber},
                       {"LIVE", kNumber},
                       {"OPEN", kNumber},
                       {"HALF-OPEN", kNumber},
                       {"CLOSING", kNumber},
                       {"FULL", kNumber},
                       {"BYTES/FLOW", kNumber}},
                      rows, terminal_width()));
}

}  // namespace

int status(const Common& common) {
  const auto got = Client(common.socket).get("/v1/status");
  if (const auto* failure = std::get_if<Failure>(&got)) return fail(*failure);
  const json& status = std::get<json>(got);
  if (common.format == Format::json) {
    print_json(status);
    return kDone;
  }
  if (!status.is_object() || !status.contains("reconcile"))
    return fail({kUnreachable, "what listens on " + common.socket + " is not the agent."});
  print_agent(status);
  print_vrrp(status);
  print_replication(status);
  print_interfaces(status["interfaces"]);
  print_tables(status["flow_tables"]);
  return kDone;
}

}  // namespace cli
