// Every route there is, as data.
#pragma once

#include <array>
#include <string_view>

#include "agent/control/router.h"

namespace control {

enum class Body { none, object, bytes };

struct Route {
  std::string_view method;
  // Segments; "{lb}", "{listener}", "{pool}", "{member}", "{healthmonitor}", "{l7policy}" and
  // "{rule}" are ids, "{name}" is any text. "v2" stands for "v2.0" too, and "lbaas" may be left
  // out.
  std::string_view pattern;
  Action action;
  model::Kind kind = model::Kind::load_balancer;
  Body body = Body::none;
  std::string_view noun = {};
};

// About what has no kind.
constexpr Route of(std::string_view method, std::string_view pattern, Action action,
                   std::string_view noun, Body body = Body::none) {
  return Route{method, pattern, action, model::Kind::load_balancer, body, noun};
}

inline constexpr std::array kRoutes{
    Route{"GET", "/", Action::root_versions},
    Route{"GET", "/v2/lbaas", Action::v2_document},
    Route{"GET", "/v2/octavia", Action::v2_document},

    Route{"GET", "/v2/lbaas/loadbalancers", Action::list, model::Kind::load_balancer},
    Route{"POST", "/v2/lbaas/loadbalancers", Action::create, model::Kind::load_balancer,
          Body::object},
    Route{"GET", "/v2/lbaas/loadbalancers/{lb}", Action::show, model::Kind::load_balancer},
    Route{"PUT", "/v2/lbaas/loadbalancers/{lb}", Action::update, model::Kind::load_balancer,
          Body::object},
    Route{"DELETE", "/v2/lbaas/loadbalancers/{lb}", Action::remove, model::Kind::load_balancer},
    Route{"GET", "/v2/lbaas/loadbalancers/{lb}/status", Action::status_tree,
          model::Kind::load_balancer},
    Route{"GET", "/v2/lbaas/loadbalancers/{lb}/statuses", Action::status_tree,
          model::Kind::load_balancer},
    Route{"GET", "/v2/lbaas/loadbalancers/{lb}/stats", Action::load_balancer_stats,
          model::Kind::load_balancer},
    Route{"PUT", "/v2/lbaas/loadbalancers/{lb}/failover", Action::failover,
          model::Kind::load_balancer},

    Route{"GET", "/v2/lbaas/listeners", Action::list, model::Kind::listener},
    Route{"POST", "/v2/lbaas/listeners", Action::create, model::Kind::listener, Body::object},
    Route{"GET", "/v2/lbaas/listeners/{listener}", Action::show, model::Kind::listener},
    Route{"PUT", "/v2/lbaas/listeners/{listener}", Action::update, model::Kind::listener,
          Body::object},
    Route{"DELETE", "/v2/lbaas/listeners/{listener}", Action::remove, model::Kind::listener},
    Route{"GET", "/v2/lbaas/listeners/{listener}/stats", Action::listener_stats,
          model::Kind::listener},

    Route{"GET", "/v2/lbaas/pools", Action::list, model::Kind::pool},
    Route{"POST", "/v2/lbaas/pools", Action::create, model::Kind::pool, Body::object},
    Route{"GET", "/v2/lbaas/pools/{pool}", Action::show, model::Kind::pool},
    Route{"PUT", "/v2/lbaas/pools/{pool}", Action::update, model::Kind::pool, Body::object},
    Route{"DELETE", "/v2/lbaas/pools/{pool}", Action::remove, model::Kind::pool},

    Route{"GET", "/v2/lbaas/pools/{pool}/members", Action::list, model::Kind::member},
    Route{"POST", "/v2/lbaas/pools/{pool}/members", Action::create, model::Kind::member,
          Body::object},
    Route{"PUT", "/v2/lbaas/pools/{pool}/members", Action::replace_members, model::Kind::member,
          Body::object},
    Route{"GET", "/v2/lbaas/pools/{pool}/members/{member}", Action::show, model::Kind::member},
    Route{"PUT", "/v2/lbaas/pools/{pool}/members/{member}", Action::update, model::Kind::member,
          Body::object},
    Route{"DELETE", "/v2/lbaas/pools/{pool}/members/{member}", Action::remove, model::Kind::member},

    Route{"GET", "/v2/lbaas/healthmonitors", Action::list, model::Kind::health_monitor},
    Route{"POST", "/v2/lbaas/healthmonitors", Action::create, model::Kind::health_monitor,
          Body::object},
    Route{"GET", "/v2/lbaas/healthmonitors/{healthmonitor}", Action::show,
          model::Kind::health_monitor},
    Route{"PUT", "/v2/lbaas/healthmonitors/{healthmonitor}", Action::update,
          model::Kind::health_monitor, Body::object},
    Route{"DELETE", "/v2/lbaas/healthmonitors/{healthmonitor}", Action::remove,
          model::Kind::health_monitor},

    Route{"GET", "/v2/lbaas/l7policies", Action::list, model::Kind::l7policy},
    Route{"POST", "/v2/lbaas/l7policies", Action::create, model::Kind::l7policy, Body::object},
    Route{"GET", "/v2/lbaas/l7policies/{l7policy}", Action::show, model::Kind::l7policy},
    Route{"PUT", "/v2/lbaas/l7policies/{l7policy}", Action::update, model::Kind::l7policy,
          Body::object},
    Route{"DELETE", "/v2/lbaas/l7policies/{l7policy}", Action::remove, model::Kind::l7policy},

    Route{"GET", "/v2/lbaas/l7policies/{l7policy}/rules", Action::list, model::Kind::l7rule},
    Route{"POST", "/v2/lbaas/l7policies/{l7policy}/rules", Action::create, model::Kind::l7rule,
          Body::object},
    Route{"GET", "/v2/lbaas/l7policies/{l7policy}/rules/{rule}", Action::show, model::Kind::l7rule},
    Route{"PUT", "/v2/lbaas/l7policies/{l7policy}/rules/{rule}", Action::update,
          model::Kind::l7rule, Body::object},
    Route{"DELETE", "/v2/lbaas/l7policies/{l7policy}/rules/{rule}", Action::remove,
          model::Kind::l7rule},

    of("GET", "/v2/lbaas/providers", Action::providers, "providers"),
    of("GET", "/v2/lbaas/providers/{name}/flavor_capabilities", Action::capabilities,
       "flavor_capabilities"),
    of("GET", "/v2/lbaas/providers/{name}/availability_zone_capabilities", Action::capabilities,
       "availability_zone_capabilities"),
    of("GET", "/v2/lbaas/flavors", Action::catalog, "flavors"),
    of("POST", "/v2/lbaas/flavors", Action::create_in_catalog, "flavors", Body::object),
    of("GET", "/v2/lbaas/flavors/{name}", Action::catalog, "flavors"),
    of("PUT", "/v2/lbaas/flavors/{name}", Action::update_in_catalog, "flavors", Body::object),
    of("DELETE", "/v2/lbaas/flavors/{name}", Action::remove_from_catalog, "flavors"),
    of("GET", "/v2/lbaas/flavorprofiles", Action::catalog, "flavorprofiles"),
    of("POST", "/v2/lbaas/flavorprofiles", Action::create_in_catalog, "flavorprofiles",
       Body::object),
    of("GET", "/v2/lbaas/flavorprofiles/{name}", Action::catalog, "flavorprofiles"),
    of("PUT", "/v2/lbaas/flavorprofiles/{name}", Action::update_in_catalog, "flavorprofiles",
       Body::object),
    of("DELETE", "/v2/lbaas/flavorprofiles/{name}", Action::remove_from_catalog, "flavorprofiles"),
    of("GET", "/v2/lbaas/availabilityzones", Action::catalog, "availability_zones"),
    of("POST", "/v2/lbaas/availabilityzones", Action::create_in_catalog, "availability_zones",
       Body::object),
    of("GET", "/v2/lbaas/availabilityzones/{name}", Action::catalog, "availability_zones"),
    of("PUT", "/v2/lbaas/availabilityzones/{name}", Action::update_in_catalog, "availability_zones",
       Body::object),
    of("DELETE", "/v2/lbaas/availabilityzones/{name}", Action::remove_from_catalog,
       "availability_zones"),
    of("GET", "/v2/lbaas/availabilityzoneprofiles", Action::catalog, "availability_zone_profiles"),
    of("POST", "/v2/lbaas/availabilityzoneprofiles", Action::create_in_catalog,
       "availability_zone_profiles", Body::object),
    of("GET", "/v2/lbaas/availabilityzoneprofiles/{name}", Action::catalog,
       "availability_zone_profiles"),
    of("PUT", "/v2/lbaas/availabilityzoneprofiles/{name}", Action::update_in_catalog,
       "availability_zone_profiles", Body::object),
    of("DELETE", "/v2/lbaas/availabilityzoneprofiles/{name}", Action::remove_from_catalog,
       "availability_zone_profiles"),
    of("GET", "/v2/octavia/amphorae", Action::nothing, "amphorae"),
    of("GET", "/v2/octavia/amphorae/{name}", Action::absent, "Amphora"),
    of("DELETE", "/v2/octavia/amphorae/{name}", Action::absent, "Amphora"),
    of("GET", "/v2/octavia/amphorae/{name}/stats", Action::absent, "Amphora"),
    of("PUT", "/v2/octavia/amphorae/{name}/config", Action::absent, "Amphora"),
    of("PUT", "/v2/octavia/amphorae/{name}/failover", Action::absent, "Amphora"),

    of("GET", "/v2/lbaas/quotas", Action::quotas, "quotas"),
    of("GET", "/v2/lbaas/quotas/defaults", Action::default_quota, "quota"),
    of("GET", "/v2/lbaas/quotas/{name}/default", Action::default_quota, "quota"),
    of("GET", "/v2/lbaas/quotas/{name}", Action::quota, "quota"),
    of("PUT", "/v2/lbaas/quotas/{name}", Action::set_quota, "quota", Body::object),
    of("DELETE", "/v2/lbaas/quotas/{name}", Action::reset_quota, "quota"),

    of("GET", "/v2/networks", Action::networks, "networks"),
    of("GET", "/v2/networks/{name}", Action::network, "networks"),
    of("GET", "/v2/subnets", Action::networks, "subnets"),
    of("GET", "/v2/subnets/{name}", Action::network, "subnets"),
    of("GET", "/v2/ports", Action::networks, "ports"),
    of("GET", "/v2/ports/{name}", Action::network, "ports"),
    of("GET", "/v2/qos/policies", Action::networks, "policies"),
    of("GET", "/v2/qos/policies/{name}", Action::network, "policies"),
    of("GET", "/v2/routers", Action::networks, "routers"),
    of("GET", "/v2/routers/{name}", Action::network, "routers"),
    of("GET", "/v2/floatingips", Action::networks, "floatingips"),
    of("GET", "/v2/floatingips/{name}", Action::network, "floatingips"),
    of("GET", "/v2/security-groups", Action::networks, "security_groups"),
    of("GET", "/v2/security-groups/{name}", Action::network, "security_groups"),
    of("GET", "/v2/security-group-rules", Action::networks, "security_group_rules"),
    of("GET", "/v2/security-group-rules/{name}", Action::network, "security_group_rules"),
    of("GET", "/v2/subnetpools", Action::networks, "subnetpools"),
    of("GET", "/v2/subnetpools/{name}", Action::network, "subnetpools"),
    of("GET", "/v2/extensions", Action::networks, "extensions"),
    of("GET", "/v2/extensions/{name}", Action::network, "extensions"),
    of("GET", "/projects", Action::project, "projects"),
    of("GET", "/projects/{name}", Action::project, "projects"),

    Route{"GET", "/v1/certificates", Action::certificates},
    Route{"GET", "/v1/certificates/{name}", Action::certificate},
    Route{"PUT", "/v1/certificates/{name}", Action::put_certificate, model::Kind::load_balancer,
          Body::bytes},
    Route{"DELETE", "/v1/certificates/{name}", Action::remove_certificate},

    Route{"GET", "/healthz", Action::health},
    Route{"GET", "/metrics", Action::metrics},
    Route{"GET", "/v1/status", Action::status},
    Route{"POST", "/v1/failover", Action::move_vips},
    Route{"GET", "/v1/flows", Action::flows},
    Route{"GET", "/v1/verdicts", Action::verdicts},
};

}  // namespace control
