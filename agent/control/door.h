// Door: requests of the control socket, answered. The same for every way they come in.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "agent/control/http.h"
#include "agent/control/operator.h"
#include "agent/control/router.h"
#include "agent/reconciler.h"

namespace control {

class Door {
 public:
  // Both outlive the Door.
  Door(agent::Reconciler& reconciler, Operator& machine);

  boost::asio::awaitable<Response> handle(Request request);

 private:
  boost::asio::awaitable<Response> octavia(const Call& call, const Request& request);
  Response shown(const Call& call, const Request& request) const;
  boost::asio::awaitable<Response> stats(const Call& call);
  boost::asio::awaitable<Response> operate(const Call& call);
  boost::asio::awaitable<Response> health();
  boost::asio::awaitable<Response> flows(const Call& call);
  boost::asio::awaitable<Response> change(const Call& call);

  agent::Reconciler& reconciler_;
  Operator& operator_;
};

}  // namespace control
