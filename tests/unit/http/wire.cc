#include "tests/unit/http/wire.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <future>
#include <stdexcept>
#include <utility>

#include "agent/http/tcp_listener.h"
#include "base/socket_address.h"
#include "tests/support/temporary_folder.h"

namespace http::testing {
namespace {

void limit_time(const base::Fd& fd) {
  const timeval limit{10, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

}  // namespace

TemporaryFolder::TemporaryFolder() { folder_ = test::temporary_folder("http"); }

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

Running::Running(Handler handler, Limits limits) {
  options_.path = folder_.path("control.sock");
  options_.limits = limits;
  auto started = Server::start(loop_.get_executor(), options_, std::move(handler));
  if (!started.ok()) throw std::runtime_error(started.error().message());
  server_ = std::move(*started);
  thread_ = std::thread([this] { loop_.run(); });
}

Running::~Running() {
  boost::asio::post(loop_, [this] { server_->stop(); });
  thread_.join();
}

RunningTcp::RunningTcp(Handler handler, TcpOptions options) {
  auto listener = listen_tcp({*base::IpAddress::parse("127.0.0.1"), 0});
  if (!listener.ok()) throw std::runtime_error(listener.error().message());
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  ::getsockname(listener->get(), reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  options.listener = std::move(*listener);
  auto started = Server::start_tcp(loop_.get_executor(), std::move(options), std::move(handler));
  if (!started.ok()) throw std::runtime_error(started.error().message());
  server_ = std::move(*started);
  thread_ = std::thread([this] { loop_.run(); });
}

RunningTcp::~RunningTcp() {
  boost::asio::post(loop_, [this] { server_->stop(); });
  thread_.join();
}

void RunningTcp::show(TlsContext tls) {
  std::promise<void> shown;
  boost::asio::post(loop_, [&] {
    server_->show(std::move(tls));
    shown.set_value();
  });
  shown.get_future().wait();
}

base::Fd RunningTcp::connect() const {
  base::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port_);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    throw std::runtime_error("connect");
  limit_time(fd);
  return fd;
}

std::string Answer::header(std::string_view name) const {
  const std::string start = "\r\n" + std::string(name) + ": ";
  const auto same = [](char a, char b) { return std::tolower(a) == std::tolower(b); };
  const auto at = std::search(head.begin(), head.end(), start.begin(), start.end(), same);
  if (at == head.end()) return "";
  const size_t from = static_cast<size_t>(at - head.begin()) + start.size();
  return head.substr(from, head.find("\r\n", from) - from);
}

Wire::Wire(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const auto address = base::unix_address(path).value();
  if (::connect(fd_.get(), address.get(), address.size) != 0)
    throw std::runtime_error("connect " + path);
  limit_time(fd_);
}

Wire::Wire(base::Fd connected) : fd_(std::move(connected)) {}

Wire& Wire::say(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) break;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return *this;
}

bool Wire::fill() {
  std::array<char, 64 * 1024> bytes{};
  const ssize_t size = ::recv(fd_.get(), bytes.data(), bytes.size(), 0);
  if (size <= 0) return false;
  buffer_.append(bytes.data(), static_cast<size_t>(size));
  return true;
}

std::optional<std::string> Wire::take(size_t size) {
  while (buffer_.size() < size)
    if (!fill()) return std::nullopt;
  std::string out = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return out;
}

std::optional<std::string> Wire::take_until(std::string_view mark) {
  for (;;) {
    const size_t at = buffer_.find(mark);
    if (at != std::string::npos) return take(at + mark.size());
    if (!fill()) return std::nullopt;
  }
}

std::optional<std::string> Wire::take_chunks() {
  std::string out;
  for (;;) {
    const auto line = take_until("\r\n");
    if (!line) return std::nullopt;
    const auto chunk = take(std::stoul(*line, nullptr, 16) + 2);
    if (!chunk) return std::nullopt;
    if (chunk->size() == 2) return out;
    out.append(*chunk, 0, chunk->size() - 2);
  }
}

std::optional<Answer> Wire::hear(Of method) {
  const auto head = take_until("\r\n\r\n");
  if (!head) return std::nullopt;
  Answer answer;
  answer.head = *head;
  answer.status = std::atoi(head->c_str() + std::strlen("HTTP/1.1 "));
  const std::string length = answer.header("Content-Length");
  std::optional<std::string> body = "";
  if (method == Of::get && answer.header("Transfer-Encoding") == "chunked") {
    body = take_chunks();
  } else if (method == Of::get && !length.empty()) {
    body = take(std::stoul(length));
  }
  if (!body) return std::nullopt;
  answer.body = *body;
  return answer;
}

bool Wire::ended() {
  if (!buffer_.empty()) return false;
  char byte = 0;
  return ::recv(fd_.get(), &byte, 1, 0) == 0 || errno == ECONNRESET;
}

std::optional<Answer> Wire::ask(std::string_view method, std::string_view target,
                                std::string_view body) {
  std::string request =
      std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: lb\r\n";
  if (!body.empty() || method == "POST" || method == "PUT")
    request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  say(request + "\r\n" + std::string(body));
  return hear(method == "HEAD" ? Of::head : Of::get);
}

std::optional<Answer> ask(const std::string& path, std::string_view method, std::string_view target,
                          std::string_view body) {
  return Wire(path).ask(method, target, body);
}

}  // namespace http::testing
