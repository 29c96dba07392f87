#include "agent/control/door.h"

#include <memory>
#include <utility>

#include "agent/control/flow_filter.h"
#include "agent/control/flow_stream.h"
#include "agent/control/metrics.h"
#include "agent/control/operator_json.h"
#include "agent/control/resources.h"
#include "agent/control/response.h"
#include "agent/control/versions.h"

namespace control {

using boost::asio::awaitable;
using model::Fault;
using nlohmann::json;

Door::Door(agent::Reconciler& reconciler, Operator& machine)
    : reconciler_(reconciler), operator_(machine) {}

awaitable<Response> Door::handle(Request request) {
  const auto routed = route(request.method, request.target, request.body);
  if (const auto* refusal = std::get_if<Refusal>(&routed)) {
    Response response = fault_response(refusal->fault);
    if (!refusal->allow.empty()) response.headers.emplace_back("Allow", refusal->allow);
    co_return response;
  }
  const Call& call = std::get<Call>(routed);
  if (call.action >= Action::health) co_return co_await operate(call);
  co_return co_await octavia(call, request);
}

awaitable<Response> Door::octavia(const Call& call, const Request& request) {
  if (call.action == Action::list || call.action == Action::show ||
      call.action == Action::status_tree)
    co_return shown(call, request);
  switch (call.action) {
    case Action::load_balancer_stats:
    case Action::listener_stats:
      co_return co_await stats(call);
    case Action::root_versions:
      co_return json_response(200, root_versions(request.host));
    case Action::v2_document:
      co_return json_response(200, "v2");
    default:
      co_return co_await change(call);
  }
}

Response Door::shown(const Call& call, const Request& request) const {
  const model::Statuses statuses = reconciler_.statuses();
  const View view{reconciler_.model(), statuses};
  if (call.action == Action::list) return list(view, call, request.host);
  return call.action == Action::show ? show(view, call) : status_tree(view, call);
}

awaitable<Response> Door::change(const Call& call) {
  // The edit runs in its turn, perhaps after others: it looks at the model it is given.
  const auto shared = std::make_shared<const Call>(call);
  agent::Edit wanted = [shared](const model::Model& m, const model::Context& context) {
    return edit(m, *shared, context);
  };
  const auto outcome = co_await reconciler_.change(std::move(wanted));
  if (const auto* fault = std::get_if<Fault>(&outcome)) co_return fault_response(*fault);
  const auto& done = std::get<model::Edited>(outcome);
  const model::Statuses statuses = reconciler_.statuses();
  co_return edited({done.model, statuses}, done.id, call);
}

awaitable<Response> Door::stats(const Call& call) {
  const bool of_listener = call.action == Action::listener_stats;
  const auto there = [&](const model::Model& m) {
    return of_listener ? m.listeners.contains(call.id) : m.load_balancers.contains(call.id);
  };
  if (!there(reconciler_.model())) co_return fault_response(not_found(call.kind, call.id.text()));
  const Counters counters = co_await operator_.counters();
  const model::Model& m = reconciler_.model();
  const auto wanted = [&](const base::Uuid& listener) {
    if (of_listener) return listener == call.id;
    const auto found = m.listeners.find(listener);
    return found != m.listeners.end() && found->second.load_balancer == call.id;
  };
  co_return json_response(200, {{"stats", octavia_stats(counters, wanted)}});
}

awaitable<Response> Door::operate(const Call& call) {
  if (call.action != Action::flows && !call.query.empty())
    co_return fault_response(
        {400, "There is no query parameter " + call.query.front().first + " here."});
  if (call.action == Action::health) co_return co_await health();
  if (call.action == Action::flows) co_return co_await flows(call);
  if (call.action == Action::verdicts) {
    const Verdicts verdicts = co_await operator_.verdicts();
    co_return json_response(200, to_json(verdicts, reconciler_.model()));
  }
  const Status status = co_await operator_.status();
  const Verdicts verdicts = co_await operator_.verdicts();
  if (call.action == Action::status)
    co_return json_response(200, to_json(status, verdicts, reconciler_.model()));
  const Counters counters = co_await operator_.counters();
  Response response;
  response.content_type = kMetricsContentType;
  response.body = metrics(status, verdicts, counters, reconciler_.model());
  co_return response;
}

awaitable<Response> Door::health() {
  const Status status = co_await operator_.status();
  const std::string error =
      status.reconcile.runs == 0 ? "nothing is set up yet" : status.reconcile.error;
  if (error.empty()) co_return json_response(200, {{"status", "ok"}, {"reason", nullptr}});
  co_return json_response(503, {{"status", "failing"}, {"reason", error}});
}

awaitable<Response> Door::flows(const Call& call) {
  auto filter = parse_flow_filter(call.query, reconciler_.model());
  if (const auto* fault = std::get_if<Fault>(&filter)) co_return fault_response(*fault);
  auto walk = co_await operator_.walk_flows();
  Response response;
  response.content_type = "application/x-ndjson";
  response.stream =
      flow_stream(std::move(walk), std::get<FlowFilter>(std::move(filter)), reconciler_.model());
  co_return response;
}

}  // namespace control
