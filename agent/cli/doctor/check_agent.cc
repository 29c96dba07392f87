// Of the agent: its configuration, and what it says of itself.
#include <cerrno>

#include "agent/cli/doctor/checks.h"

namespace doctor {
namespace {

using nlohmann::json;

std::string word(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

bool is_true(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

Diagnosis check_reconcile(const json& reconcile) {
  const std::string error = word(reconcile, "error");
  if (error.empty()) return {"reconcile", "", Grade::ok, "the machine is as it is wanted", ""};
  return {"reconcile", "", Grade::fail, error, "it is tried again; the agent's log has more"};
}

Diagnoses check_problems(const json& reconcile) {
  Diagnoses out;
  for (const json& problem : reconcile.value("problems", json::array())) {
    const json resource = problem.value("resource", json());
    out.push_back(
        {"problem",
         resource.is_object() ? word(resource, "type") + " " + word(resource, "name") : "",
         Grade::warn, word(problem, "what"), ""});
  }
  return out;
}

Diagnoses check_haproxy(const json& status) {
  Diagnoses out;
  for (const json& one : status.value("haproxy", json::array())) {
    const std::string error = word(one, "error");
    if (is_true(one, "running") && error.empty()) continue;
    out.push_back({"haproxy", word(one, "loadbalancer_id"), Grade::fail,
                   error.empty() ? "it does not run" : error, "the agent starts it again"});
  }
  return out;
}

Diagnoses check_pair(const json& status) {
  const json vrrp = status.value("vrrp", json());
  if (!vrrp.is_object()) return {};
  Diagnoses out;
  const bool runs = is_true(vrrp.value("keepalived", json::object()), "running");
  out.push_back({"pair", word(vrrp, "interface"), runs ? Grade::ok : Grade::fail,
                 runs ? word(vrrp, "role") : "keepalived does not run",
                 runs ? "" : "the agent starts it again"});
  for (const json& why : vrrp.value("unfit_because", json::array()))
    if (why.is_string())
      out.push_back({"pair", word(vrrp, "interface"), Grade::fail,
                     "this node may not be master: " + why.get<std::string>(), ""});
  return out;
}

uint64_t number(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_unsigned() ? found->get<uint64_t>() : 0;
}

// What a failover would break.
Diagnoses check_replication(const json& status) {
  const json replication = status.value("replication", json());
  if (!replication.is_object()) return {};
  const std::string peer = word(replication, "peer");
  if (!is_true(replication, "connected"))
    return {{"replication", peer, Grade::fail,
             "no connection would outlive a failover: " + word(replication, "trouble"),
             "start the agent there, and let TCP through between the two"}};
  Diagnoses out;
  const std::string role = word(replication, "peer_role");
  if (role == "ACTIVE" && word(status.value("vrrp", json::object()), "role") == "MASTER")
    out.push_back({"replication", peer, Grade::fail, "both nodes have the VIPs",
                   "look at the network between both"});
  if (role == "ACTIVE" && !is_true(replication, "in_sync"))
    out.push_back({"replication", peer, Grade::warn, "not all of its flows are here yet", ""});
  if (const uint64_t flows = number(replication, "unknown"); flows != 0)
    out.push_back({"replication", peer, Grade::warn,
                   std::to_string(flows) + " of its flows have no place here",
                   "give both nodes the same resources and addresses"});
  if (const uint64_t flows = number(replication, "unknown_there"); flows != 0)
    out.push_back({"replication", peer, Grade::warn,
                   "it has no place for " + std::to_string(flows) + " flows",
                   "give both nodes the same resources and addresses"});
  if (const uint64_t flows = number(replication, "not_movable"); flows != 0)
    out.push_back({"replication", peer, Grade::warn,
                   std::to_string(flows) + " flows here leave from an address that stays here",
                   "give the members' network a floating address"});
  if (out.empty())
    out.push_back({"replication", peer, Grade::ok, "a failover would break no connection", ""});
  return out;
}

Diagnosis check_versions(const Facts& facts) {
  const std::string runs = word(*facts.agent, "version");
  if (runs == facts.version) return {"agent", "", Grade::ok, "version " + runs + " answers", ""};
  return {"agent", "", Grade::warn, "version " + runs + " runs, " + facts.version + " is installed",
          "systemctl restart amphora-agent, which loses no packet"};
}

}  // namespace

Diagnoses check_configuration(const Facts& facts) {
  const Configuration& configuration = facts.configuration;
  const bool good = configuration.fault.empty();
  return {{"configuration", "", good ? Grade::ok : Grade::fail,
           good ? configuration.file + " is valid" : configuration.fault,
           good ? "" : "what follows is looked at as if everything had its default"}};
}

Diagnoses check_agent(const Facts& facts) {
  if (!facts.agent.ok()) {
    const base::Error& why = facts.agent.why_not();
    if (why.code == EACCES || why.code == EPERM) return {unseen("agent", "", why)};
    return {{"agent", "", Grade::fail, why.message(), "systemctl start amphora-agent"}};
  }
  const json& status = *facts.agent;
  const json reconcile = status.value("reconcile", json::object());
  Diagnoses out{check_versions(facts), check_reconcile(reconcile)};
  for (const auto& more : {check_problems(reconcile), check_haproxy(status), check_pair(status),
                           check_replication(status)})
    out.insert(out.end(), more.begin(), more.end());
  return out;
}

}  // namespace doctor
