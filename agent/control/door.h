// Door: requests of the control socket, answered. The same for every way they come in.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "agent/control/certificates.h"
#include "agent/control/operator.h"
#include "agent/control/router.h"
#include "agent/http/http.h"
#include "agent/reconcile/changes.h"

namespace control {

class Door {
 public:
  // All outlive the Door.
  Door(reconcile::Changes& changes, Operator& machine, Certificates& certificates);

  boost::asio::awaitable<http::Response> handle(http::Request request);

 private:
  boost::asio::awaitable<http::Response> octavia(const Call& call, const http::Request& request);
  http::Response shown(const Call& call, const http::Request& request) const;
  boost::asio::awaitable<http::Response> stats(const Call& call);
  boost::asio::awaitable<http::Response> surround(const Call& call);
  boost::asio::awaitable<http::Response> certify(const Call& call);
  boost::asio::awaitable<http::Response> show_certificates(const Call& call);
  boost::asio::awaitable<http::Response> put_certificate(const Call& call);
  boost::asio::awaitable<http::Response> remove_certificate(const Call& call);
  boost::asio::awaitable<http::Response> operate(const Call& call);
  boost::asio::awaitable<http::Response> health();
  boost::asio::awaitable<http::Response> flows(const Call& call);
  boost::asio::awaitable<http::Response> change(const Call& call);

  reconcile::Changes& changes_;
  Operator& operator_;
  Certificates& certificates_;
};

}  // namespace control
