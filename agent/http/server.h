// Server: one way in for the API, the control socket or a TCP port. Accepts, checks who connects,
// counts, and serves each connection.
#pragma once

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <optional>
#include <string>

#include "agent/http/http.h"
#include "agent/http/session.h"
#include "agent/http/tls.h"
#include "base/fd.h"
#include "base/result.h"

namespace http {

struct ServerOptions {
  std::string path = "/run/amphora-xdp/control.sock";
  std::optional<gid_t> group;  // may connect besides root and the agent's own user
  Limits limits;
};

struct TcpOptions {
  base::Fd listener;  // listen_tcp()'s
  TlsContext tls;     // none: plain HTTP
  Guard guard;        // none: everybody is answered
  Limits limits;
  Words words;  // none: those of fault_response()
};

// Each counts its connections alone: nobody at one door can keep others out of another.
class Server {
 public:
  // Listens; serves from when the loop runs until stop() or the destructor, which close every
  // connection and take the path away. `handler` is called on `loop`, which has one thread.
  static base::Result<std::unique_ptr<Server>> start(boost::asio::any_io_executor loop,
                                                     const ServerOptions& options, Handler handler);
  static base::Result<std::unique_ptr<Server>> start_tcp(boost::asio::any_io_executor loop,
                                                         TcpOptions options, Handler handler);
  ~Server();
  void stop();
  // Shown from the next handshake on; conversations go on as they began.
  void show(TlsContext tls);

 private:
  struct State;
  explicit Server(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;  // the connections hold on to it
};

}  // namespace http
