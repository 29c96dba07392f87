// `show`: the resources, as a tree, as lists, one by one.
#include <algorithm>
#include <array>
#include <map>

#include "agent/cli/commands.h"
#include "agent/cli/files.h"
#include "agent/cli/present.h"
#include "agent/cli/table.h"

namespace cli {
namespace {

using nlohmann::json;

std::string endpoint(const json& member) {
  const std::string address = text_of(member, "address");
  const bool ipv6 = address.find(':') != std::string::npos;
  return (ipv6 ? "[" + address + "]" : address) + ":" + text_of(member, "protocol_port");
}

std::string policy_text(const json& policy) {
  std::string out = text_of(policy, "position") + ": " + text_of(policy, "action");
  for (const char* target : {"redirect_url", "redirect_prefix", "redirect_pool_id"})
    if (policy.value(target, json()).is_string()) out += " " + text_of(policy, target);
  return out;
}

std::string rule_text(const json& rule) {
  std::string out = rule.value("invert", false) ? "not " : "";
  out += text_of(rule, "type") + " ";
  if (rule.value("key", json()).is_string()) out += text_of(rule, "key") + " ";
  return out + text_of(rule, "compare_type") + " " + text_of(rule, "value");
}

std::string detail(const std::string& kind, const json& resource) {
  std::string out;
  if (kind == "loadbalancer") out = text_of(resource, "vip_address");
  if (kind == "listener")
    out = text_of(resource, "protocol") + " " + text_of(resource, "protocol_port");
  if (kind == "pool") {
    out = text_of(resource, "protocol") + " " + text_of(resource, "lb_algorithm");
    const json persistence = resource.value("session_persistence", json());
    if (persistence.is_object()) out += ", sticky by " + text_of(persistence, "type");
    if (resource.value("tls_enabled", false)) out += ", TLS to members";
  }
  if (kind == "healthmonitor")
    out = text_of(resource, "type") + " every " + text_of(resource, "delay") + " s";
  if (kind == "member") {
    out = endpoint(resource) + " weight " + text_of(resource, "weight");
    if (resource.value("backup", false)) out += " backup";
  }
  if (kind == "l7policy") out = policy_text(resource);
  if (kind == "rule") out = rule_text(resource);
  if (!resource.value("admin_state_up", true)) out += " (disabled)";
  return out;
}

Row row(const std::string& indent, const std::string& kind, const json& resource) {
  // Rules have no names: their ids have a column.
  return {indent + (kind == "rule" ? "-" : name_or_id(resource)),
          kind,
          detail(kind, resource),
          text_of(resource, "provisioning_status"),
          text_of(resource, "operating_status"),
          text_of(resource, "id")};
}

const std::vector<Column> kColumns{{"NAME"},      {"KIND", Column::Fit::whole},
                                   {"WHAT"},      {"STATUS"},
                                   {"OPERATING"}, {"ID", Column::Fit::id}};

// Why members are not up, by id.
using Reasons = std::map<std::string, std::string>;

// Nothing where the agent does not say: the resources can be shown without.
Reasons fetch_reasons(const Client& client) {
  Reasons reasons;
  const auto got = client.get("/v1/status");
  const auto* status = std::get_if<json>(&got);
  if (!status || !status->is_object()) return reasons;
  for (const json& check : status->value("checks", json::array()))
    if (text_of(check, "state") != "up")
      reasons[text_of(check, "member_id")] = text_of(check, "reason");
  return reasons;
}

Row member_row(const std::string& indent, const json& member, const Reasons& reasons) {
  Row shown = row(indent, "member", member);
  const auto reason = reasons.find(text_of(member, "id"));
  if (reason != reasons.end()) shown[2] += ": " + reason->second;
  return shown;
}

// For people: the pool that a policy sends to by its name.
json with_pool_named(json policy, const json& pools) {
  for (const json& pool : pools)
    if (text_of(pool, "id") == text_of(policy, "redirect_pool_id"))
      policy["redirect_pool_id"] = name_or_id(pool);
  return policy;
}

void add_policies(std::vector<Row>& rows, const std::string& indent, const json& listener,
                  const json& pools) {
  for (const json& policy : listener.value("l7policies", json::array())) {
    rows.push_back(row(indent, "l7policy", with_pool_named(policy, pools)));
    for (const json& rule : policy.value("rules", json::array()))
      rows.push_back(row(indent + "  ", "rule", rule));
  }
}

void add_pool(std::vector<Row>& rows, const std::string& indent, const json& pool,
              const Reasons& reasons) {
  rows.push_back(row(indent, "pool", pool));
  const json monitor = pool.value("healthmonitor", json());
  if (monitor.is_object()) rows.push_back(row(indent + "  ", "healthmonitor", monitor));
  for (const json& member : pool["members"])
    rows.push_back(member_row(indent + "  ", member, reasons));
}

// Pools under the listeners whose default they are, then those that are nobody's.
void add_tree(std::vector<Row>& rows, const json& lb, const Reasons& reasons) {
  rows.push_back(row("", "loadbalancer", lb));
  std::map<std::string, bool> used;
  for (const json& listener : lb["listeners"]) {
    rows.push_back(row("  ", "listener", listener));
    add_policies(rows, "    ", listener, lb["pools"]);
    const std::string default_pool = text_of(listener, "default_pool_id");
    for (const json& pool : lb["pools"])
      if (text_of(pool, "id") == default_pool && !used.contains(default_pool))
        add_pool(rows, "    ", pool, reasons);
    used[default_pool] = true;
  }
  for (const json& pool : lb["pools"])
    if (!used.contains(text_of(pool, "id"))) add_pool(rows, "  ", pool, reasons);
}

int show_tree(const Common& common) {
  const auto present = fetch_present(Client(common.socket), "");
  if (const auto* failure = std::get_if<Failure>(&present)) return fail(*failure);
  const json& lbs = std::get<json>(present);
  if (common.format == Format::json) {
    print_json({{"loadbalancers", lbs}});
    return kDone;
  }
  std::vector<Row> rows;
  const Reasons reasons = fetch_reasons(Client(common.socket));
  for (const json& lb : lbs) add_tree(rows, lb, reasons);
  if (rows.empty()) {
    print("There is no load balancer yet: `amphora-xdp apply FILE` makes one.\n");
  } else {
    print(render(kColumns, rows, terminal_width()));
  }
  return kDone;
}

// Every resource of a kind; members of all pools, each with its pool's id.
std::vector<json> collect(const json& lbs, const std::string& kind) {
  std::vector<json> out;
  for (const json& lb : lbs) {
    if (kind == "loadbalancer") out.push_back(lb);
    if (kind == "listener")
      for (const json& listener : lb["listeners"]) out.push_back(listener);
    if (kind == "l7policy")
      for (const json& listener : lb["listeners"])
        for (const json& policy : listener["l7policies"]) out.push_back(policy);
    for (const json& pool : lb["pools"]) {
      if (kind == "pool") out.push_back(pool);
      if (kind == "healthmonitor" && pool.value("healthmonitor", json()).is_object())
        out.push_back(pool["healthmonitor"]);
      if (kind == "member")
        for (json member : pool["members"]) {
          member["pool_id"] = pool["id"];
          out.push_back(member);
        }
    }
  }
  return out;
}

void print_one(const json& resource) {
  std::vector<Row> rows;
  for (const auto& item : resource.items())
    rows.push_back({item.key(), text_of(resource, item.key().c_str())});
  print(render({{"FIELD", Column::Fit::whole}, {"VALUE", Column::Fit::whole}}, rows,
               terminal_width()));
}

// Children as the API shows them: their ids.
json with_ids_only(json resource) {
  resource.erase("healthmonitor");
  for (const char* key : {"listeners", "pools", "members", "l7policies", "rules"}) {
    if (!resource.contains(key) || !resource[key].is_array()) continue;
    for (json& child : resource[key]) child = json{{"id", child.value("id", json())}};
  }
  return resource;
}

// Where a listener is served, and why; nothing where the agent does not say.
void add_placement(const Client& client, json& listener) {
  const auto got = client.get("/v1/status");
  const auto* status = std::get_if<json>(&got);
  if (!status || !status->is_object()) return;
  for (const json& placed : status->value("placements", json::array()))
    if (text_of(placed, "listener") == text_of(listener, "id")) {
      listener["placement"] = placed.value("placement", json());
      listener["placement_reason"] = placed.value("reason", json());
    }
}

int show_one(const Common& common, const ShowOptions& options, const std::vector<json>& all) {
  std::vector<json> found;
  for (const json& resource : all)
    if (text_of(resource, "id") == options.which || text_of(resource, "name") == options.which)
      found.push_back(with_ids_only(resource));
  if (found.empty())
    return fail({kRefused, "there is no " + options.kind + " with the id or name " + options.which +
                               ": `amphora-xdp show " + options.kind + "` lists them."});
  if (found.size() > 1)
    return fail({kRefused, std::to_string(found.size()) + " resources of kind " + options.kind +
                               " are named " + options.which +
                               ": use an id, as `amphora-xdp show " + options.kind +
                               " --json` prints them."});
  if (options.kind == "listener") add_placement(Client(common.socket), found.front());
  if (options.kind == "member") {
    const Reasons reasons = fetch_reasons(Client(common.socket));
    const auto reason = reasons.find(text_of(found.front(), "id"));
    if (reason != reasons.end()) found.front()["check_reason"] = reason->second;
  }
  if (common.format == Format::json) {
    print_json({{options.kind, found.front()}});
  } else {
    print_one(found.front());
  }
  return kDone;
}

constexpr std::array<const char*, 6> kKinds{"loadbalancer", "listener",      "pool",
                                            "member",       "healthmonitor", "l7policy"};

bool is_kind(const std::string& word) {
  return std::find(kKinds.begin(), kKinds.end(), word) != kKinds.end();
}

std::string all_kinds() {
  std::string kinds;
  for (const char* kind : kKinds) kinds += (kinds.empty() ? "" : ", ") + std::string(kind);
  return kinds;
}

// Without the word of the kind: whatever has the id or name.
int show_any(const Common& common, const ShowOptions& options, const json& lbs) {
  ShowOptions found;
  for (const char* kind : kKinds) {
    for (const json& resource : collect(lbs, kind)) {
      if (text_of(resource, "id") != options.kind && text_of(resource, "name") != options.kind)
        continue;
      if (!found.kind.empty() && found.kind != kind)
        return fail({kRefused, "both a " + found.kind + " and a " + kind + " are named " +
                                   options.kind + ": `amphora-xdp show KIND " + options.kind +
                                   "` says which."});
      found = {kind, options.kind};
    }
  }
  if (found.kind.empty())
    return fail({kRefused, "no resource has the id or name " + options.kind +
                               ", and it is none of the kinds " + all_kinds() + "."});
  return show_one(common, found, collect(lbs, found.kind));
}

}  // namespace

int show(const Common& common, const ShowOptions& options) {
  if (options.kind.empty()) return show_tree(common);
  if (!options.which.empty() && !is_kind(options.kind))
    return fail({kMisused, options.kind + " is no kind of resource: " + all_kinds() + "."});
  const auto present = fetch_present(Client(common.socket), "");
  if (const auto* failure = std::get_if<Failure>(&present)) return fail(*failure);
  if (!is_kind(options.kind)) return show_any(common, options, std::get<json>(present));
  const std::vector<json> all = collect(std::get<json>(present), options.kind);
  if (!options.which.empty()) return show_one(common, options, all);
  const Reasons reasons = fetch_reasons(Client(common.socket));
  json list = json::array();
  std::vector<Row> rows;
  for (const json& resource : all) {
    list.push_back(with_ids_only(resource));
    rows.push_back(options.kind == "member" ? member_row("", resource, reasons)
                                            : row("", options.kind, resource));
  }
  if (common.format == Format::json) {
    print_json({{options.kind == "l7policy" ? "l7policies" : options.kind + "s", list}});
  } else {
    print(render(kColumns, rows, terminal_width()));
  }
  return kDone;
}

}  // namespace cli
