// `apply` and `plan`: a load balancer as a file says it, and the way there.
#include <cstdio>
#include <map>
#include <thread>

#include "agent/cli/commands.h"
#include "agent/cli/declare/declare.h"
#include "agent/cli/files.h"
#include "agent/cli/present.h"

namespace cli {
namespace {

using nlohmann::json;
using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPollEvery{20};

// The load balancer that the file speaks of: its id, else its name.
std::string wanted_name(const json& file) {
  if (!file.is_object() || !file.contains("loadbalancer")) return "";
  const json& lb = file["loadbalancer"];
  if (!lb.is_object()) return "";
  for (const char* key : {"id", "name"})
    if (lb.contains(key) && lb[key].is_string()) return lb[key].get<std::string>();
  return "";
}

OrFailure<std::vector<model::ApiRequest>> compare(const json& file, const json& present,
                                                  const std::string& name) {
  auto requests = model::declare(file, present);
  if (requests.ok()) return std::move(*requests);
  return Failure{kMisused,
                 (name == "-" ? "standard input" : name) + ": " + requests.error().message()};
}

json to_json(const std::vector<model::ApiRequest>& requests) {
  json out{{"changes", json::array()}, {"requests", json::array()}};
  for (const model::ApiRequest& request : requests) {
    for (const std::string& change : request.changes) out["changes"].push_back(change);
    out["requests"].push_back(
        {{"method", request.method}, {"path", request.path}, {"body", request.body}});
  }
  return out;
}

void print_changes(const model::ApiRequest& request) {
  for (const std::string& change : request.changes) print(change + "\n");
}

// Sends requests one after the other, each when the load balancer is ACTIVE again.
class Applying {
 public:
  Applying(const Client& client, const json& present, steady_clock::time_point deadline,
           Format format)
      : client_(client), deadline_(deadline), format_(format) {
    if (!present.empty()) load_balancer_ = text_of(present.front(), "id");
  }

  OrFailure<json> run(const std::vector<model::ApiRequest>& requests) {
    for (const model::ApiRequest& request : requests) {
      auto sent = send(request);
      if (auto* failure = std::get_if<Failure>(&sent)) return *failure;
      if (format_ == Format::table) print_changes(request);
    }
    return wait_until(Wanted::active);
  }

 private:
  OrFailure<Answer> send(const model::ApiRequest& request) {
    const auto resolved = model::resolve(request, ids_);
    if (!resolved.ok()) return Failure{kMisused, resolved.error().message()};
    for (;;) {
      const auto ready = wait_until(Wanted::changeable);
      if (const auto* failure = std::get_if<Failure>(&ready)) return *failure;
      auto asked = client_.ask(resolved->method, resolved->path, resolved->body);
      const auto* answer = std::get_if<Answer>(&asked);
      if (answer == nullptr) return asked;
      // Another writer may have been faster between the two.
      if (answer->status == 409 && answer->fault().find("immutable") != std::string::npos &&
          steady_clock::now() < deadline_)
        continue;
      if (!answer->good()) return Failure{kRefused, refusal(request, *answer)};
      remember(request, *answer);
      return asked;
    }
  }

  static std::string refusal(const model::ApiRequest& request, const Answer& answer) {
    std::string what = answer.fault();
    for (const std::string& change : request.changes) what += "\n  while trying to " + change;
    return what;
  }

  void remember(const model::ApiRequest& request, const Answer& answer) {
    const json body = answer.json();
    if (!body.is_object() || body.empty() || !body.front().is_object()) return;
    const std::string id = text_of(body.front(), "id");
    if (!request.label.empty()) ids_[request.label] = id;
    if (body.contains("loadbalancer")) load_balancer_ = id;
  }

  // The load balancer as it is then; null if there is none yet.
  // A change may be what ends an ERROR.
  enum class Wanted { active, changeable };
  OrFailure<json> wait_until(Wanted wanted) const {
    if (load_balancer_.empty()) return json();
    for (;;) {
      auto got = client_.get("/v2.0/lbaas/loadbalancers/" + load_balancer_);
      if (const auto* failure = std::get_if<Failure>(&got)) return *failure;
      const json lb = std::get<json>(got).value("loadbalancer", json::object());
      const std::string status = text_of(lb, "provisioning_status");
      if (status == "ACTIVE" || (status == "ERROR" && wanted == Wanted::changeable)) return lb;
      if (status == "ERROR")
        return Failure{kRefused, "load balancer " + text_of(lb, "name") + " (" + load_balancer_ +
                                     ") is in ERROR: `amphora-xdp status` says why."};
      if (steady_clock::now() >= deadline_)
        return Failure{kTimedOut, "load balancer " + text_of(lb, "name") + " (" + load_balancer_ +
                                      ") is still " + status +
                                      ": it was accepted; `amphora-xdp status` says what the agent "
                                      "is waiting for."};
      std::this_thread::sleep_for(kPollEvery);
    }
  }

  const Client& client_;
  steady_clock::time_point deadline_;
  Format format_;
  std::map<std::string, std::string> ids_;
  std::string load_balancer_;
};

// What `plan` compares with.
OrFailure<json> present_for(const Common& common, const PlanOptions& options, const json& file) {
  if (!options.state.empty()) return read_present(options.state);
  if (options.offline) return json::array();
  auto fetched = fetch_present(Client(common.socket), wanted_name(file));
  const auto* failure = std::get_if<Failure>(&fetched);
  if (failure == nullptr || failure->code != kUnreachable || common.socket_given) return fetched;
  std::fprintf(stderr, "amphora-xdp: %s\namphora-xdp: comparing with an empty agent instead.\n",
               failure->what.c_str());
  return json::array();
}

}  // namespace

int apply(const Common& common, const ApplyOptions& options) {
  const auto file = read_json(options.file);
  if (const auto* failure = std::get_if<Failure>(&file)) return fail(*failure);
  const Client client(common.socket);
  const auto present = fetch_present(client, wanted_name(std::get<json>(file)));
  if (const auto* failure = std::get_if<Failure>(&present)) return fail(*failure);
  const auto requests = compare(std::get<json>(file), std::get<json>(present), options.file);
  if (const auto* failure = std::get_if<Failure>(&requests)) return fail(*failure);
  const auto& todo = std::get<std::vector<model::ApiRequest>>(requests);
  Applying applying(client, std::get<json>(present), steady_clock::now() + options.timeout,
                    common.format);
  const auto done = applying.run(todo);
  if (const auto* failure = std::get_if<Failure>(&done)) return fail(*failure);
  const json& lb = std::get<json>(done);
  if (common.format == Format::json) {
    print_json({{"changes", to_json(todo)["changes"]}, {"loadbalancer", lb}});
  } else {
    if (todo.empty()) print("nothing to change\n");
    print("load balancer " + text_of(lb, "name") + " (" + text_of(lb, "id") + ") is ACTIVE\n");
  }
  return kDone;
}

int plan(const Common& common, const PlanOptions& options) {
  const auto file = read_json(options.file);
  if (const auto* failure = std::get_if<Failure>(&file)) return fail(*failure);
  const auto present = present_for(common, options, std::get<json>(file));
  if (const auto* failure = std::get_if<Failure>(&present)) return fail(*failure);
  const auto requests = compare(std::get<json>(file), std::get<json>(present), options.file);
  if (const auto* failure = std::get_if<Failure>(&requests)) return fail(*failure);
  const auto& todo = std::get<std::vector<model::ApiRequest>>(requests);
  if (common.format == Format::json) {
    print_json(to_json(todo));
  } else {
    for (const model::ApiRequest& request : todo) print_changes(request);
    if (todo.empty()) print("nothing to change\n");
  }
  return kDone;
}

}  // namespace cli
