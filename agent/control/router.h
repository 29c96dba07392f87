// Router: what a request asks for. Pure; knows the routes and the form of what goes with them, not
// whether a resource is there.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <variant>

#include "agent/http/url.h"
#include "agent/model/fault.h"
#include "agent/model/kinds.h"
#include "agent/model/model.h"

namespace control {

enum class Action {
  // /v2.0/lbaas/...
  list,
  show,
  create,
  update,
  remove,
  replace_members,
  status_tree,
  load_balancer_stats,
  listener_stats,
  root_versions,
  v2_document,
  // what else a cloud has (cloud_stubs.h)
  providers,
  capabilities,
  nothing,  // a list that is always empty
  absent,   // one of such a list
  refused,  // what only an administrator of a cloud could do
  failover,
  catalog,  // flavors and the like: a list, or one
  create_in_catalog,
  update_in_catalog,
  remove_from_catalog,
  quotas,
  default_quota,
  quota,
  set_quota,
  reset_quota,
  project,
  networks,
  network,
  // certificates
  certificates,
  certificate,
  put_certificate,
  remove_certificate,
  // for operators
  move_vips,
  health,
  status,
  flows,
  verdicts,
  metrics,
};

// One request, understood.
struct Call {
  Action action = Action::health;
  model::Kind kind = model::Kind::load_balancer;
  base::Uuid parent;       // the pool of members, the policy of rules; else nil
  base::Uuid id;           // nil where the route has none
  std::string origin;      // of the request: "http://localhost"; the router leaves it empty
  std::string collection;  // path of the collection, as asked for: "/v2.0/lbaas/pools"
  std::string project;     // of who asks, where it is known; the router leaves it empty
  std::string noun;        // what the route is about, where `kind` does not say: "flavors"
  std::string name;        // of what has a name and no id: "web.pem"
  http::Parameters query;
  nlohmann::json body;  // an object where the route takes one; else null
  std::string bytes;    // where the route takes a body of any form
};

// Why there is nothing to do: no such path or method, or a body or id that cannot be read.
struct NoRoute {
  model::Fault fault;
  std::string allow;  // of a 405: the methods there are
};

std::variant<Call, NoRoute> route(std::string_view method, std::string_view target,
                                  std::string_view body);

}  // namespace control
