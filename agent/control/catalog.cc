#include "agent/control/catalog.h"

#include <memory>
#include <utility>

#include "agent/http/response.h"
#include "agent/model/edit/catalog.h"
#include "agent/model/edit/quotas.h"
#include "agent/model/edit/rules.h"
#include "agent/model/show/query.h"

namespace control {

namespace {

using boost::asio::awaitable;
using model::CatalogKind;
using model::Fault;
using nlohmann::json;

// The route's noun is the plural of its kind.
CatalogKind kind_of(const Call& call) {
  for (const CatalogKind kind :
       {CatalogKind::flavor, CatalogKind::flavor_profile, CatalogKind::availability_zone})
    if (model::names_of(kind).plural == call.noun) return kind;
  return CatalogKind::availability_zone_profile;
}

http::Response listed(const model::Listable& of, std::vector<json> rows, const Call& call) {
  const auto page = model::list(of, std::move(rows), call.query, call.origin + call.collection);
  if (const auto* fault = std::get_if<Fault>(&page)) return http::fault_response(*fault);
  return http::json_response(200, std::get<json>(page));
}

http::Response shown(const model::Model& m, CatalogKind kind, const std::string& id, int status,
                     const http::Parameters& query) {
  const auto one = model::show(m, kind, id);
  if (!one) return http::fault_response(not_found(kind, id));
  json out = json::object();
  out[std::string(model::names_of(kind).singular)] = model::select_fields(*one, query);
  return http::json_response(status, out);
}

model::Outcome<model::CatalogEdited> edit_of(const model::Model& m, const Call& call) {
  const CatalogKind kind = kind_of(call);
  if (call.action == Action::create_in_catalog) return model::create(m, kind, call.body);
  if (call.action == Action::update_in_catalog) return model::update(m, kind, call.name, call.body);
  return model::remove(m, kind, call.name);
}

}  // namespace

http::Response show_catalog(const model::Model& m, const Call& call) {
  const CatalogKind kind = kind_of(call);
  if (call.name.empty()) return listed(model::listable(kind), model::show_all(m, kind), call);
  return shown(m, kind, call.name, 200, call.query);
}

awaitable<http::Response> change_catalog(reconcile::Changes& changes, Call call) {
  const auto id = std::make_shared<std::string>();
  reconcile::Edit wanted = [call, id](const model::Model& m,
                                      const model::Context&) -> model::Outcome<model::Edited> {
    auto edited = edit_of(m, call);
    if (auto* fault = std::get_if<Fault>(&edited)) return *fault;
    auto& done = std::get<model::CatalogEdited>(edited);
    *id = done.id;
    return model::Edited{std::move(done.model), base::Uuid{}};
  };
  const auto outcome = co_await changes.change(std::move(wanted));
  if (const auto* fault = std::get_if<Fault>(&outcome)) co_return http::fault_response(*fault);
  if (call.action == Action::remove_from_catalog) co_return http::empty_response(204);
  co_return shown(std::get<model::Edited>(outcome).model, kind_of(call), *id,
                  call.action == Action::create_in_catalog ? 201 : 200, {});
}

http::Response show_quotas(const model::Model& m, const Call& call) {
  return listed(model::listable_quotas(), model::show_quotas(m), call);
}

http::Response show_quota(const model::Model& m, const Call& call) {
  const bool by_default = call.action == Action::default_quota;
  const json quota = by_default ? model::default_quota() : model::quota_of(m, call.name);
  return http::json_response(200, {{"quota", quota}});
}

awaitable<http::Response> change_quota(reconcile::Changes& changes, Call call) {
  reconcile::Edit wanted = [call](const model::Model& m,
                                  const model::Context&) -> model::Outcome<model::Edited> {
    auto next = call.action == Action::set_quota ? model::set_quota(m, call.name, call.body)
                                                 : model::reset_quota(m, call.name);
    if (auto* fault = std::get_if<Fault>(&next)) return *fault;
    return model::Edited{std::get<model::Model>(std::move(next)), base::Uuid{}};
  };
  const auto outcome = co_await changes.change(std::move(wanted));
  if (const auto* fault = std::get_if<Fault>(&outcome)) co_return http::fault_response(*fault);
  if (call.action == Action::reset_quota) co_return http::empty_response(202);
  const json quota = model::quota_of(std::get<model::Edited>(outcome).model, call.name);
  co_return http::json_response(202, {{"quota", quota}});
}

http::Response capabilities(const Call& call) {
  if (const auto refusal = model::check_provider(call.name)) return http::fault_response(*refusal);
  const bool flavors = call.noun == "flavor_capabilities";
  return http::json_response(
      200, {{call.noun, model::capabilities(flavors ? CatalogKind::flavor_profile
                                                    : CatalogKind::availability_zone_profile)}});
}

}  // namespace control
