// Door: requests of the control socket, answered. The same for every way they come in.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "agent/control/certificates.h"
#include "agent/control/operator.h"
#include "agent/control/router.h"
#include "agent/http/http.h"
#include "agent/reconcile/reconciler.h"

namespace control {

class Door {
 public:
  // All outlive the Door.
  Door(agent::Reconciler& reconciler, Operator& machine, Certificates& certificates);

  boost::asio::awaitable<Response> handle(Request request);

 private:
  boost::asio::awaitable<Response> octavia(const Call& call, const Request& request);
  Response shown(const Call& call, const Request& request) const;
  boost::asio::awaitable<Response> stats(const Call& call);
  boost::asio::awaitable<Response> surround(const Call& call);
  boost::asio::awaitable<Response> certify(const Call& call);
  boost::asio::awaitable<Response> show_certificates(const Call& call);
  boost::asio::awaitable<Response> put_certificate(const Call& call);
  boost::asio::awaitable<Response> remove_certificate(const Call& call);
  boost::asio::awaitable<Response> operate(const Call& call);
  boost::asio::awaitable<Response> health();
  boost::asio::awaitable<Response> flows(const Call& call);
  boost::asio::awaitable<Response> change(const Call& call);

  agent::Reconciler& reconciler_;
  Operator& operator_;
  Certificates& certificates_;
};

}  // namespace control
