// A server on a socket of its own, and clients that say exactly the bytes a test wants said.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "agent/http/server.h"
#include "base/fd.h"

namespace http::testing {

inline const std::string kToken = "a-token-of-some-length";

class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  std::string path(const std::string& name) const { return folder_ + "/" + name; }

 private:
  std::string folder_;
};

// Serves from a thread of its own while it lives.
class Running {
 public:
  explicit Running(Handler handler, Limits limits = {});
  ~Running();
  const std::string& path() const { return options_.path; }

 private:
  TemporaryFolder folder_;
  ServerOptions options_;
  boost::asio::io_context loop_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

// The same at a port of the loopback.
class RunningTcp {
 public:
  // With a listener of its own in `options`.
  RunningTcp(Handler handler, TcpOptions options);
  ~RunningTcp();
  // A connection, with a time limit on everything.
  base::Fd connect() const;
  // Server::show(); in force when it returns.
  void show(TlsContext tls);

 private:
  uint16_t port_ = 0;
  boost::asio::io_context loop_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

struct Answer {
  int status = 0;
  std::string head;  // status line and headers
  std::string body;  // chunks put together
  // Its value; "" if there is none.
  std::string header(std::string_view name) const;
};

// Blocking, with a time limit of seconds on everything.
class Wire {
 public:
  explicit Wire(const std::string& path);
  explicit Wire(base::Fd connected);
  Wire& say(std::string_view bytes);  // a peer that has gone is no error
  // nullopt: the connection ended before an answer did.
  enum class Of { get, head };
  std::optional<Answer> hear(Of method = Of::get);
  // True: the server ended the connection, and nothing was left to read.
  bool ended();
  // One request on this connection.
  std::optional<Answer> ask(std::string_view method, std::string_view target,
                            std::string_view body = "");
  int fd() const { return fd_.get(); }

 private:
  bool fill();  // reads more; false at the end
  std::optional<std::string> take_until(std::string_view mark);
  std::optional<std::string> take(size_t size);
  std::optional<std::string> take_chunks();

  base::Fd fd_;
  std::string buffer_;
};

// A connection of its own.
std::optional<Answer> ask(const std::string& path, std::string_view method, std::string_view target,
                          std::string_view body = "");

}  // namespace http::testing
