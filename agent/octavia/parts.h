// Parts: what the door to Octavia's controllers needs of the machine, as small interfaces, so that
// tests stand in for it and fail at any call. Sections named here are those of the contract between
// controller and amphora. Everything is called on the loop's thread; what blocks is awaited.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/octavia/uploads.h"
#include "base/ip.h"
#include "base/result.h"
#include "base/uuid.h"

namespace octavia {

template <class T>
using Awaited = boost::asio::awaitable<T>;

// Names a file that a controller uploads (8.7).
struct Document {
  enum class Kind : uint8_t {
    haproxy,             // <base_path>/<id>/haproxy.cfg; `id` is the load balancer
    lvs,                 // <base_path>/lvs/octavia-keepalivedlvs-<id>.conf; `id` is the listener
    vrrp,                // <base_path>/vrrp/octavia-keepalived.conf
    certificate,         // <base_cert_dir>/<id>/<name>; `id` is the load balancer
    server_certificate,  // [amphora_agent] agent_server_cert
    config,              // amphora-agent.conf
  };
  Kind kind = Kind::haproxy;
  Uuid id = {};
  std::string name = {};  // of a certificate: no path separator, not "." or ".."

  auto operator<=>(const Document&) const = default;
};
inline Document haproxy_of(const Uuid& load_balancer) {
  return {Document::Kind::haproxy, load_balancer};
}
inline Document lvs_of(const Uuid& listener) { return {Document::Kind::lvs, listener}; }

class Documents {
 public:
  virtual ~Documents() = default;
  // The bytes that were written last; nullopt: it is not there.
  virtual Awaited<base::Result<std::optional<std::string>>> read(Document document) = 0;
  // Durable when it returns, and whole or not at all. Makes the folders that are missing.
  virtual Awaited<base::Status> write(Document document, std::string bytes) = 0;
  // Good, too, when it is not there.
  virtual Awaited<base::Status> remove(Document document) = 0;
  // All that is kept of a load balancer besides its text, which is gone: certificates and their
  // keys, states of servers. Good, too, when there is nothing.
  virtual Awaited<base::Status> forget(Uuid load_balancer) = 0;
  virtual Awaited<base::Result<Uploads>> uploads() = 0;
};

// HAProxy's opinion of a text, without touching the one that serves.
class Checker {
 public:
  virtual ~Checker() = default;
  // Whether the one that serves would take `text` as that of the peer of this name ("": of none).
  // The error is HAProxy's words, or ours where it would reach what no upload may.
  virtual Awaited<base::Status> check(std::string text, std::string peer_name) = 0;
};

// A listener as GET listeners and GET details show it (1.6, 1.7).
struct ShownListener {
  std::string id;  // the frontend's name: a UUID but for the internal one of PROMETHEUS
  enum class Server : uint8_t { haproxy, lvs };  // whose text it came with
  Server server = Server::haproxy;
  std::string type;  // "TCP", "HTTP", "TERMINATED_HTTPS", "UDP"
  bool active = true;

  friend bool operator==(const ShownListener&, const ShownListener&) = default;
};

// The uploads, carried out.
class Applier {
 public:
  virtual ~Applier() = default;
  // Whether they could be, with `document` as the new one among them: the error is for the answer,
  // in our reader's words or HAProxy's. Changes nothing. A text that was stored before and cannot
  // be read any more is left out, and does not refuse others.
  virtual Awaited<base::Status> examine(Uploads uploads, Document document) = 0;
  // Returns when the machine forwards as they say, leaving out the load balancers and listeners of
  // `stopped`; not at all where nothing has changed.
  virtual Awaited<base::Status> apply(Uploads uploads, std::set<Uuid> stopped) = 0;
  // Of `uploads`, in the order of their ids.
  virtual std::vector<ShownListener> listeners(Uploads uploads) = 0;
  // HAProxy processes that run now.
  virtual int haproxy_count() = 0;
};

// An answer of an application (1.2): {"message","details"}, or with `error` the generic
// {"error","http_code"}. Empty strings are left out.
struct Answer {
  int status = 200;
  std::string message = {}, details = {};
  std::string error = {};

  friend bool operator==(const Answer&, const Answer&) = default;
};

// Bytes since the interface is there.
struct InterfaceTraffic {
  std::string interface;
  uint64_t transmitted = 0, received = 0;

  friend bool operator==(const InterfaceTraffic&, const InterfaceTraffic&) = default;
};

// Interfaces in and out of the namespace (section 8).
class Plugging {
 public:
  virtual ~Plugging() = default;
  // POST plug/vip/<vip>, plug/network and PUT interface/<ip>/rules with their bodies as received;
  // what these say is read there. `vip` is as in the path.
  virtual Awaited<Answer> plug_vip(std::string vip, std::string body) = 0;
  virtual Awaited<Answer> plug_network(std::string body) = 0;
  virtual Awaited<Answer> put_rules(std::string interface, std::string body) = 0;
  // Who has this address in the namespace now, as the kernel says (7.5); nullopt: nobody.
  virtual Awaited<base::Result<std::optional<std::string>>> interface_of(
      base::IpAddress address) = 0;
  // Of every interface in the namespace.
  virtual Awaited<base::Result<std::vector<InterfaceTraffic>>> traffic() = 0;
};

// keepalived for ACTIVE_STANDBY (section 7).
class Vrrp {
 public:
  virtual ~Vrrp() = default;
  // Why `text` is no configuration that we would run; nothing is changed.
  virtual Awaited<base::Status> examine(std::string text) = 0;
  // The text has been stored: what must be beside it (check scripts) is written.
  virtual Awaited<base::Status> uploaded() = 0;
  // Each returns when it is done; a start or a reload of what runs or does not run does what is
  // needed.
  virtual Awaited<base::Status> start() = 0;
  virtual Awaited<base::Status> stop() = 0;
  virtual Awaited<base::Status> reload() = 0;
  // Whether the check scripts still say what the uploads need (7.4): to be called after every
  // change of them.
  virtual Awaited<base::Status> refresh_checks(Uploads uploads) = 0;
  virtual bool running() const = 0;
};

}  // namespace octavia
