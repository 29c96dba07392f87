#include "agent/control/api.h"

#include <cerrno>
#include <memory>
#include <optional>
#include <utility>

#include "agent/control/catalog.h"
#include "agent/control/certificates_json.h"
#include "agent/control/cloud_stubs.h"
#include "agent/control/flow_filter.h"
#include "agent/control/flow_stream.h"
#include "agent/control/metrics.h"
#include "agent/control/metrics_scope.h"
#include "agent/control/networks.h"
#include "agent/control/operator_json.h"
#include "agent/control/versions.h"
#include "agent/http/response.h"
#include "agent/model/kinds.h"

namespace control {

using boost::asio::awaitable;
using model::Fault;
using nlohmann::json;

namespace {

constexpr size_t kLargeBody = 64 * 1024;  // what takes longer than a few milliseconds to parse

// What takes longer to show than to hand over.
bool is_large(const model::Model& m) {
  constexpr size_t kMany = 200;
  return m.load_balancers.size() + m.listeners.size() + m.pools.size() + m.members.size() +
             m.health_monitors.size() + m.l7policies.size() + m.l7rules.size() >
         kMany;
}

http::Response versions(const Call& call) {
  return http::json_response(200, root_versions(call.origin));
}

http::Response v2_document(const Call&) { return http::json_response(200, "v2"); }

// Operators' endpoints take no query, but for flows.
std::optional<Fault> refuse_query(const Call& call) {
  if (call.query.empty()) return std::nullopt;
  return Fault{400, "There is no query parameter " + call.query.front().first + " here."};
}

}  // namespace

// Every action has its row (a test asks each route for it).
const Api::Handler Api::kHandlers[] = {
    {Action::list, &Api::list},
    {Action::show, &Api::show},
    {Action::create, &Api::change},
    {Action::update, &Api::change},
    {Action::remove, &Api::change},
    {Action::replace_members, &Api::change},
    {Action::status_tree, &Api::status_tree},
    {Action::load_balancer_stats, &Api::load_balancer_stats},
    {Action::listener_stats, &Api::listener_stats},
    {Action::root_versions, &Api::plainly<versions>},
    {Action::v2_document, &Api::plainly<v2_document>},
    {Action::providers, &Api::plainly<providers>},
    {Action::capabilities, &Api::plainly<capabilities>},
    {Action::nothing, &Api::plainly<empty_list>},
    {Action::absent, &Api::plainly<absent>},
    {Action::refused, &Api::plainly<refused>},
    {Action::failover, &Api::failover},
    {Action::catalog, &Api::catalog},
    {Action::create_in_catalog, &Api::change_catalog},
    {Action::update_in_catalog, &Api::change_catalog},
    {Action::remove_from_catalog, &Api::change_catalog},
    {Action::quotas, &Api::quotas},
    {Action::default_quota, &Api::quota},
    {Action::quota, &Api::quota},
    {Action::set_quota, &Api::change_quota},
    {Action::reset_quota, &Api::change_quota},
    {Action::project, &Api::plainly<refused>},
    {Action::networks, &Api::networks},
    {Action::network, &Api::network},
    {Action::certificates, &Api::list_certificates},
    {Action::certificate, &Api::show_certificate},
    {Action::put_certificate, &Api::put_certificate},
    {Action::remove_certificate, &Api::remove_certificate},
    {Action::move_vips, &Api::move_vips},
    {Action::health, &Api::health},
    {Action::status, &Api::status},
    {Action::flows, &Api::flows},
    {Action::verdicts, &Api::verdicts},
    {Action::metrics, &Api::metrics},
};

Api::Api(reconcile::Changes& changes, Operator& machine, Certificates& certificates,
         Settings settings)
    : changes_(changes),
      operator_(machine),
      certificates_(certificates),
      settings_(std::move(settings)) {}

awaitable<http::Response> Api::handle(http::Request request) {
  std::variant<Call, NoRoute> routed;
  std::function<void()> understand = [&] {
    routed = route(request.method, request.target, request.body);
  };
  const bool large = request.body.size() > kLargeBody;
  if (large && settings_.aside)
    co_await settings_.aside(understand);
  else
    understand();
  if (const auto* no_route = std::get_if<NoRoute>(&routed)) {
    http::Response response = http::fault_response(no_route->fault);
    if (!no_route->allow.empty()) response.headers.emplace_back("Allow", no_route->allow);
    co_return response;
  }
  Call& call = std::get<Call>(routed);
  call.origin = http::origin_of(request);
  call.project = request.project.empty() ? settings_.default_project : request.project;
  for (const Handler& handler : kHandlers)
    if (handler.action == call.action) co_return co_await (this->*handler.answer)(std::move(call));
  co_return http::fault_response({500, "Nothing answers this route."});
}

template <http::Response (*Make)(const Call&)>
awaitable<http::Response> Api::plainly(Call call) {
  co_return Make(call);
}

awaitable<http::Response> Api::made(Make make) {
  const reconcile::Sight now = changes_.sight();
  http::Response response;
  std::function<void()> work = [&] {
    const model::Statuses statuses = now.statuses();
    response = make({*now.model, statuses});
  };
  if (settings_.aside && is_large(*now.model))
    co_await settings_.aside(work);
  else
    work();
  co_return response;
}

awaitable<http::Response> Api::list(Call call) {
  const Make make = [&call](const View& view) { return control::list(view, call); };
  co_return co_await made(make);
}

awaitable<http::Response> Api::show(Call call) {
  const Make make = [&call](const View& view) { return control::show(view, call); };
  co_return co_await made(make);
}

awaitable<http::Response> Api::status_tree(Call call) {
  const Make make = [&call](const View& view) { return control::status_tree(view, call); };
  co_return co_await made(make);
}

awaitable<http::Response> Api::change(Call call) {
  // The edit runs in its turn, perhaps after others: it looks at the model it is given.
  const auto shared = std::make_shared<const Call>(std::move(call));
  reconcile::Edit wanted = [shared](const model::Model& m, const model::Context& context) {
    return edit(m, *shared, context);
  };
  const auto outcome = co_await changes_.change(std::move(wanted));
  if (const auto* fault = std::get_if<Fault>(&outcome)) co_return http::fault_response(*fault);
  const auto& done = std::get<model::Edited>(outcome);
  const Make make = [&](const View& view) {
    return edited({done.model, view.statuses}, done.id, *shared);
  };
  co_return co_await made(make);
}

awaitable<http::Response> Api::load_balancer_stats(Call call) {
  if (!changes_.model().load_balancers.contains(call.id))
    co_return http::fault_response(not_found(call.kind, call.id.text()));
  const Counters counters = co_await operator_.counters();
  const model::Model& m = changes_.model();
  const auto wanted = [&](const base::Uuid& listener) {
    const auto found = m.listeners.find(listener);
    return found != m.listeners.end() && found->second.load_balancer == call.id;
  };
  co_return http::json_response(200, {{"stats", octavia_stats(counters, wanted)}});
}

awaitable<http::Response> Api::listener_stats(Call call) {
  if (!changes_.model().listeners.contains(call.id))
    co_return http::fault_response(not_found(call.kind, call.id.text()));
  const Counters counters = co_await operator_.counters();
  const auto wanted = [&](const base::Uuid& listener) { return listener == call.id; };
  co_return http::json_response(200, {{"stats", octavia_stats(counters, wanted)}});
}

awaitable<http::Response> Api::failover(Call call) {
  reconcile::Edit wanted = [id = call.id](const model::Model& m, const model::Context& context) {
    return model::renew(m, id, context);
  };
  const auto outcome = co_await changes_.change(std::move(wanted));
  if (const auto* fault = std::get_if<Fault>(&outcome)) co_return http::fault_response(*fault);
  operator_.look_at_everything();
  co_return http::empty_response(202);
}

awaitable<http::Response> Api::catalog(Call call) {
  co_return show_catalog(changes_.model(), call);
}

awaitable<http::Response> Api::change_catalog(Call call) {
  return control::change_catalog(changes_, std::move(call));
}

awaitable<http::Response> Api::quotas(Call call) { co_return show_quotas(changes_.model(), call); }

awaitable<http::Response> Api::quota(Call call) { co_return show_quota(changes_.model(), call); }

awaitable<http::Response> Api::change_quota(Call call) {
  return control::change_quota(changes_, std::move(call));
}

awaitable<http::Response> Api::networks(Call call) {
  const auto all = co_await operator_.networks();
  const Vips vips{changes_.model(), settings_.vip_ranges};
  co_return http::json_response(200, networks_json(all, vips, call.noun, call.query));
}

awaitable<http::Response> Api::network(Call call) {
  const auto all = co_await operator_.networks();
  json one = network_json(all, {changes_.model(), settings_.vip_ranges}, call.noun, call.name);
  if (!one.is_null()) co_return http::json_response(200, one);
  const std::string message = call.noun + ": " + call.name + " could not be found.";
  co_return http::json_response(
      404, {{"NeutronError", {{"type", "NotFound"}, {"message", message}, {"detail", ""}}}});
}

awaitable<http::Response> Api::list_certificates(Call) {
  const auto entries = co_await certificates_.list();
  json rows = json::array();
  for (const auto& entry : entries) rows.push_back(to_json(entry, changes_.model()));
  co_return http::json_response(200, {{"certificates", rows}});
}

awaitable<http::Response> Api::show_certificate(Call call) {
  const auto entries = co_await certificates_.list();
  for (const auto& entry : entries)
    if (entry.about.name == call.name)
      co_return http::json_response(200, {{"certificate", to_json(entry, changes_.model())}});
  co_return http::fault_response({404, "Certificate " + call.name + " not found."});
}

awaitable<http::Response> Api::put_certificate(Call call) {
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
awaitable<http::Response> Api::remove_certificate(Call call) {
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

awaitable<http::Response> Api::move_vips(Call call) {
  if (auto fault = refuse_query(call)) co_return http::fault_response(*fault);
  const model::Outcome<MovedVips> outcome = co_await operator_.move_vips();
  if (const auto* fault = std::get_if<Fault>(&outcome)) co_return http::fault_response(*fault);
  co_return http::json_response(200, {{"failover", to_json(std::get<MovedVips>(outcome))}});
}

awaitable<http::Response> Api::health(Call call) {
  if (auto fault = refuse_query(call)) co_return http::fault_response(*fault);
  const Status status = co_await operator_.status();
  std::string error = status.reconcile.runs == 0 ? "nothing is set up yet" : status.reconcile.error;
  for (const Attachment& attachment : status.attachments)
    if (error.empty()) error = attachment.losing;
  if (error.empty()) co_return http::json_response(200, {{"status", "ok"}, {"reason", nullptr}});
  co_return http::json_response(503, {{"status", "failing"}, {"reason", error}});
}

awaitable<http::Response> Api::status(Call call) {
  if (auto fault = refuse_query(call)) co_return http::fault_response(*fault);
  const Status status = co_await operator_.status();
  const Verdicts verdicts = co_await operator_.verdicts();
  const Make make = [&](const View& view) {
    return http::json_response(200, to_json(status, verdicts, view.model));
  };
  co_return co_await made(make);
}

awaitable<http::Response> Api::verdicts(Call call) {
  if (auto fault = refuse_query(call)) co_return http::fault_response(*fault);
  const Verdicts verdicts = co_await operator_.verdicts();
  co_return http::json_response(200, to_json(verdicts, changes_.model()));
}

// `?loadbalancer=ID`: of that one alone.
awaitable<http::Response> Api::metrics(Call call) {
  std::optional<base::Uuid> only;
  if (call.query.size() == 1 && call.query.front().first == "loadbalancer") {
    only = base::Uuid::parse(call.query.front().second);
    if (!only)
      co_return http::fault_response({400, "loadbalancer must be the id of a load balancer."});
  } else if (auto fault = refuse_query(call)) {
    co_return http::fault_response(*fault);
  }
  const Status status = co_await operator_.status();
  const Verdicts verdicts = co_await operator_.verdicts();
  const Counters counters = co_await operator_.counters();
  const Make make = [&](const View& view) {
    http::Response response;
    response.content_type = kMetricsContentType;
    response.body = only ? metrics_of(*only, status, verdicts, counters, view.model, view.statuses)
                         : control::metrics(status, verdicts, counters, view.model, view.statuses);
    return response;
  };
  co_return co_await made(make);
}

awaitable<http::Response> Api::flows(Call call) {
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
