#include "haproxy/cli.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/socket_address.h"

namespace haproxy {

namespace {

using Clock = std::chrono::steady_clock;
using base::Error;
using base::Fd;
using base::Result;
using base::Status;
using base::Unit;

// In interactive mode this ends every answer.
constexpr std::string_view kPrompt = "\n> ";

Result<Fd> connect_to(const std::string& socket) {
  const auto address = base::unix_address(socket);
  if (!address) return Error{ENAMETOOLONG, "connect " + socket};
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return Error{errno, "socket for " + socket};
  if (::connect(fd.get(), address->get(), address->size) != 0)
    return Error{errno, "connect " + socket};
  return fd;
}

Status send_all(int fd, std::string_view text, const std::string& socket) {
  while (!text.empty()) {
    const ssize_t sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return Error{errno, "write to " + socket};
    text.remove_prefix(static_cast<size_t>(sent));
  }
  return Unit{};
}

// Appends what comes next; false: the other end has closed.
Result<bool> read_more(int fd, std::string& text, Clock::time_point end,
                       const std::string& socket) {
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    pollfd wait{fd, POLLIN, 0};
    const int ready = left.count() > 0 ? ::poll(&wait, 1, static_cast<int>(left.count())) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return Error{ready < 0 ? errno : ETIMEDOUT, "answer of " + socket};
    std::array<char, 65536> bytes;
    const ssize_t got = ::recv(fd, bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error{errno, "read from " + socket};
    text.append(bytes.data(), static_cast<size_t>(got));
    return got > 0;
  }
}

// Whether `text` began with a whole answer, which is taken off.
bool skip_answer(std::string& text) {
  const size_t end = text.find(kPrompt);
  if (end == std::string::npos) return false;
  text.erase(0, end + kPrompt.size());
  return true;
}

}  // namespace

Result<Cli> Cli::open(const std::string& socket) {
  Result<Fd> fd = connect_to(socket);
  if (!fd) return fd.error();
  Cli cli(std::move(*fd), socket);
  for (const char* command : {"prompt", "set timeout cli 1d"})
    if (auto answer = cli.ask(command); !answer) return answer.error();
  return cli;
}

Result<std::string> Cli::ask(const std::string& command, std::chrono::milliseconds limit) {
  const auto end = Clock::now() + limit;
  if (auto sent = send_all(fd_.get(), command + "\n", socket_); !sent) return sent.error();
  for (late_++;;) {
    while (late_ > 1 && skip_answer(come_)) late_--;
    if (late_ == 1 && come_.ends_with(kPrompt)) {
      late_ = 0;
      come_.resize(come_.size() - kPrompt.size());
      return std::exchange(come_, {});
    }
    Result<bool> more = read_more(fd_.get(), come_, end, socket_);
    if (!more) return more.error();
    if (!*more) return Error{ECONNRESET, "answer of " + socket_};
  }
}

Result<std::string> ask_once(const std::string& socket, const std::string& command,
                             std::chrono::milliseconds limit) {
  const auto end = Clock::now() + limit;
  Result<Fd> fd = connect_to(socket);
  if (!fd) return fd.error();
  if (auto sent = send_all(fd->get(), command + "\n", socket); !sent) return sent.error();
  ::shutdown(fd->get(), SHUT_WR);  // the master closes after its answer only if we have
  std::string text;
  for (;;) {
    Result<bool> more = read_more(fd->get(), text, end, socket);
    if (!more) return more.error();
    if (!*more) return text;
  }
}

}  // namespace haproxy
