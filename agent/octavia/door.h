// Door: requests of Octavia's controllers, answered (contract, section 1). Every handler may be
// called again with the same request, and two at once: what changes the uploads has its turn.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <set>
#include <string>
#include <vector>

#include "agent/http/http.h"
#include "agent/octavia/amphora_conf.h"
#include "agent/octavia/details.h"
#include "agent/octavia/parts.h"
#include "agent/octavia/routes.h"
#include "agent/octavia/turns.h"

namespace octavia {

// What PUT certificate and PUT config change of the running agent.
class Running {
 public:
  virtual ~Running() = default;
  // Why a server could not show this PEM of certificate and key; nothing is changed.
  virtual base::Status examine_certificate(const std::string& pem) = 0;
  // Shown from the next handshake on.
  virtual base::Status show_certificate(const std::string& pem) = 0;
  // What the agent was started with, with mutable options as they are now.
  virtual const AmphoraConf& conf() const = 0;
  virtual void reconfigure(const AmphoraConf& conf) = 0;
};

class Door {
 public:
  // All of them outlive the Door.
  struct Parts {
    Documents& documents;
    Applier& applier;
    Plugging& plugging;
    Vrrp& vrrp;
    Running& running;
  };
  Door(boost::asio::any_io_executor loop, Parts parts, Identity identity);

  Awaited<http::Response> handle(http::Request request);

 private:
  Awaited<http::Response> dispatch(const Call& call, const std::string& body);

  // loadbalancer.cc
  Awaited<http::Response> put_haproxy(const Call& call, const std::string& body);
  Awaited<http::Response> get_haproxy(const Call& call);
  Awaited<http::Response> act(const Call& call);
  // listeners.cc
  Awaited<http::Response> list_listeners();
  Awaited<http::Response> remove_listener(const Call& call);
  Awaited<http::Response> put_lvs(const Call& call, const std::string& body);
  Awaited<http::Response> get_lvs(const Call& call);
  // certificates.cc
  Awaited<http::Response> put_certificate(const Call& call, const std::string& body);
  Awaited<http::Response> get_certificate(const Call& call);
  Awaited<http::Response> remove_certificate(const Call& call);
  // config.cc
  Awaited<http::Response> put_server_certificate(const std::string& body);
  Awaited<http::Response> put_config(const std::string& body);
  Awaited<http::Response> details();
  // networking.cc
  Awaited<http::Response> plug(const Call& call, const std::string& body);
  Awaited<http::Response> get_interface(const Call& call);
  Awaited<http::Response> put_rules(const Call& call, const std::string& body);
  Awaited<http::Response> put_vrrp(const std::string& body);
  Awaited<http::Response> act_on_vrrp(const Call& call);

  // The uploads with `text` in the place of `document`, kept if somebody can carry them out.
  struct Kept {
    enum class How { kept, refused, failed } how = How::kept;
    std::string why;  // of the others
  };
  Awaited<Kept> keep(const Document& document, const std::string& text);
  // As GET listeners shows them.
  std::vector<ShownListener> shown(const Uploads& uploads) const;
  // Brings the machine to the uploads as they are stored.
  Awaited<base::Status> carry_out();

  Parts parts_;
  Identity identity_;
  Turns uploads_, plugs_;
  std::set<Uuid> stopped_;  // load balancers and listeners; until they are started or we are
};

}  // namespace octavia
