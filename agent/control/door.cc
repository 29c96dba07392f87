#include "agent/control/door.h"

#include <cerrno>
#include <memory>
#include <utility>

#include "agent/control/certificates_json.h"
#include "agent/control/flow_filter.h"
#include "agent/control/flow_stream.h"
#include "agent/control/metrics.h"
#include "agent/control/networks.h"
#include "agent/control/operator_json.h"
#include "agent/control/resources.h"
#include "agent/control/surroundings.h"
#include "agent/control/versions.h"
#include "agent/http/response.h"

namespace control {

using boost::asio::awaitable;
using model::Fault;
using nlohmann::json;

Door::Door(reconcile::Changes& changes, Operator& machine, Certificates& certificates)
    : changes_(changes), operator_(machine), certificates_(certificates) {}

awaitable<http::Response> Door::handle(http::Request request) {
  const auto routed = route(request.method, request.target, request.body);
  if (const auto* refusal = std::get_if<Refusal>(&routed)) {
    http::Response response = http::fault_response(refusal->fault);
    if (!refusal->allow.empty()) response.headers.emplace_back("Allow", refusal->allow);
    co_return response;
  }
  const Call& call = std::get<Call>(routed);
  if (call.action >= Action::health) co_return co_await operate(call);
  if (call.action >= Action::certificates) co_return co_await certify(call);
  if (call.action >= Action::providers) co_return co_await surround(call);
  co_return co_await octavia(call, request);
}

awaitable<http::Response> Door::octavia(const Call& call, const http::Request& request) {
  if (call.action == Action::list || call.action == Action::show ||
      call.action == Action::status_tree)
    co_return shown(call, request);
  switch (call.action) {
    case Action::load_balancer_stats:
    case Action::listener_stats:
      co_return co_await stats(call);
    case Action::root_versions:
      co_return http::json_response(200, root_versions(http::origin_of(request)));
    case Action::v2_document:
      co_return http::json_response(200, "v2");
    default:
      co_return co_await change(call);
  }
}

http::Response Door::shown(const Call& call, const http::Request& request) const {
  const model::Statuses statuses = changes_.statuses();
  const View view{changes_.model(), statuses};
  if (call.action == Action::list) return list(view, call, http::origin_of(request));
  return call.action == Action::show ? show(view, call) : status_tree(view, call);
}

awaitable<http::Response> Door::change(const Call& call) {
  // The edit runs in its turn, perhaps after others: it looks at the model it is given.
  const auto shared = std::make_shared<const Call>(call);
  reconcile::Edit wanted = [shared](const model::Model& m, const model::Context& context) {
    return edit(m, *shared, context);
  };
  const auto outcome = co_await changes_.change(std::move(wanted));
  if (const auto* fault = std::get_if<Fault>(&outcome)) co_return http::fault_response(*fault);
  const auto& done = std::get<model::Edited>(outcome);
  const model::Statuses statuses = changes_.statuses();
  co_return edited({done.model, statuses}, done.id, call);
}

awaitable<http::Response> Door::stats(const Call& call) {
  const bool of_listener = call.action == Action::listener_stats;
  const auto there = [&](const model::Model& m) {
    return of_listener ? m.listeners.contains(call.id) : m.load_balancers.contains(call.id);
  };
  if (!there(changes_.model()))
    co_return http::fault_response(not_found(call.kind, call.id.text()));
  const Counters counters = co_await operator_.counters();
  const model::Model& m = changes_.model();
  const auto wanted = [&](const base::Uuid& listener) {
    if (of_listener) return listener == call.id;
    const auto found = m.listeners.find(listener);
    return found != m.listeners.end() && found->second.load_balancer == call.id;
  };
  co_return http::json_response(200, {{"stats", octavia_stats(counters, wanted)}});
}

awaitable<http::Response> Door::surround(const Call& call) {
  if (call.action == Action::failover && !changes_.model().load_balancers.contains(call.id))
    co_return http::fault_response(not_found(call.kind, call.id.text()));
  if (call.action != Action::networks && call.action != Action::network)
    co_return surroundings(call);
  const auto all = co_await operator_.networks();
  if (call.action == Action::networks)
    co_return http::json_response(200, networks_json(all, call.noun, call.query));
  json one = network_json(all, call.noun, call.name);
  if (!one.is_null()) co_return http::json_response(200, one);
  const std::string message = call.noun + ": " + call.name + " could not be found.";
  co_return http::json_response(
      404, {{"NeutronError", {{"type", "NotFound"}, {"message", message}, {"detail", ""}}}});
}

awaitable<http::Response> Door::certify(const Call& call) {
  if (call.action == Action::put_certificate) co_return co_await put_certificate(call);
  if (call.action == Action::remove_certificate) co_return co_await remove_certificate(call);
  co_return co_await show_certificates(call);
}

awaitable<http::Response> Door::show_certificates(const Call& call) {
  const auto entries = co_await certificates_.list();
  json rows = json::array();
  for (const auto& entry : entries) {
    json row = to_json(entry, changes_.model());
    if (call.action == Action::certificates)
      rows.push_back(std::move(row));
    else if (entry.about.name == call.name)
      co_return http::json_response(200, {{"certificate", row}});
  }
  if (call.action == Action::certificates)
    co_return http::json_response(200, {{"certificates", rows}});
  co_return http::fault_response({404, "Certificate " + call.name + " not found."});
}

awaitable<http::Response> Door::put_certificate(const Call& call) {
  const auto about = co_await certificates_.inspect(call.name, call.bytes);
  if (!about) co_return http::fault_response({400, about.error().message()});
  for (const CertificateUser& user : users_of(changes_.model(), call.name))
    if (user.use != about->use)
      co_return http::fault_response(
          {409, "Certificate " + call.name + " is the " + user.field + " of " + user.type + " " +
                    user.id.text() + ", which needs " + certificates::text(user.use) + "."});
  const auto put = co_await certificates_.put(call.name, call.bytes);
  if (!put)
    co_return http::fault_response(
        {500, "The certificate was not stored: " + put.error().message()});
  const json shown = to_json({*about, ""}, changes_.model());
  co_return http::json_response(*put == certificates::Put::created ? 201 : 200,
                                {{"certificate", shown}});
}

// In its turn among the changes of the model, so that none comes between the look and the removal.
awaitable<http::Response> Door::remove_certificate(const Call& call) {
  reconcile::Edit turn = [this, name = call.name](
                             const model::Model& m,
                             const model::Context&) -> model::Outcome<model::Edited> {
    const auto users = users_of(m, name);
    if (!users.empty())
      return Fault{409, "Certificate " + name + " is in use: it is the " + users.front().field +
                            " of " + users.front().type + " " + users.front().id.text() + "."};
    const auto removed = certificates_.remove(name);
    if (removed) return Fault{204, ""};  // no change of the model
    if (removed.error().code == ENOENT) return Fault{404, "Certificate " + name + " not found."};
    return Fault{500, removed.error().message()};
  };
  const auto outcome = co_await changes_.change(std::move(turn));
  const auto* fault = std::get_if<Fault>(&outcome);
  co_return fault == nullptr || fault->status == 204 ? http::empty_response(204)
                                                     : http::fault_response(*fault);
}

awaitable<http::Response> Door::operate(const Call& call) {
  if (call.action != Action::flows && !call.query.empty())
    co_return http::fault_response(
        {400, "There is no query parameter " + call.query.front().first + " here."});
  if (call.action == Action::health) co_return co_await health();
  if (call.action == Action::flows) co_return co_await flows(call);
  if (call.action == Action::verdicts) {
    const Verdicts verdicts = co_await operator_.verdicts();
    co_return http::json_response(200, to_json(verdicts, changes_.model()));
  }
  const Status status = co_await operator_.status();
  const Verdicts verdicts = co_await operator_.verdicts();
  if (call.action == Action::status)
    co_return http::json_response(200, to_json(status, verdicts, changes_.model()));
  const Counters counters = co_await operator_.counters();
  http::Response response;
  response.content_type = kMetricsContentType;
  response.body = metrics(status, verdicts, counters, changes_.model());
  co_return response;
}

awaitable<http::Response> Door::health() {
  const Status status = co_await operator_.status();
  const std::string error =
      status.reconcile.runs == 0 ? "nothing is set up yet" : status.reconcile.error;
  if (error.empty()) co_return http::json_response(200, {{"status", "ok"}, {"reason", nullptr}});
  co_return http::json_response(503, {{"status", "failing"}, {"reason", error}});
}

awaitable<http::Response> Door::flows(const Call& call) {
  auto filter = parse_flow_filter(call.query, changes_.model());
  if (const auto* fault = std::get_if<Fault>(&filter)) co_return http::fault_response(*fault);
  auto walk = co_await operator_.walk_flows();
  http::Response response;
  response.content_type = "application/x-ndjson";
  response.stream =
      flow_stream(std::move(walk), std::get<FlowFilter>(std::move(filter)), changes_.model());
  co_return response;
}

}  // namespace control
