// Api: every request that has a route, answered. The same for every way they come in.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>

#include "agent/control/certificates.h"
#include "agent/control/operator.h"
#include "agent/control/resources.h"
#include "agent/control/router.h"
#include "agent/http/http.h"
#include "agent/reconcile/changes.h"

namespace control {

// Runs a call on another thread; returns when it is done.
using Aside = std::function<boost::asio::awaitable<void>(std::function<void()>)>;

// What the configuration says to the API.
struct Settings {
  std::string default_project;  // of load balancers of who says none; "": null
  std::shared_ptr<const model::VipRanges> vip_ranges = {};  // null: none
  Aside aside = {};  // for what is large; null: where it comes
};

class Api {
 public:
  // All outlive the Api.
  Api(reconcile::Changes& changes, Operator& machine, Certificates& certificates,
      Settings settings = {});

  boost::asio::awaitable<http::Response> handle(http::Request request);

 private:
  using Answer = boost::asio::awaitable<http::Response>;
  struct Handler {
    Action action;
    Answer (Api::*answer)(Call call);
  };
  static const Handler kHandlers[];

  // An answer that depends on nothing but the request.
  template <http::Response (*Make)(const Call&)>
  Answer plainly(Call call);

  // An answer that is made of what is known; where that is much, aside.
  using Make = std::function<http::Response(const View& view)>;
  Answer made(Make make);

  Answer list(Call call);
  Answer show(Call call);
  Answer status_tree(Call call);
  Answer change(Call call);
  Answer load_balancer_stats(Call call);
  Answer listener_stats(Call call);
  Answer failover(Call call);
  Answer catalog(Call call);
  Answer change_catalog(Call call);
  Answer quotas(Call call);
  Answer quota(Call call);
  Answer change_quota(Call call);
  Answer networks(Call call);
  Answer network(Call call);
  Answer list_certificates(Call call);
  Answer show_certificate(Call call);
  Answer put_certificate(Call call);
  Answer remove_certificate(Call call);
  Answer move_vips(Call call);
  Answer health(Call call);
  Answer status(Call call);
  Answer verdicts(Call call);
  Answer metrics(Call call);
  Answer flows(Call call);

  reconcile::Changes& changes_;
  Operator& operator_;
  Certificates& certificates_;
  Settings settings_;
};

}  // namespace control
