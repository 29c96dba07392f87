#include "agent/flow_log/writer.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "base/fd.h"
#include "base/log.h"
#include "base/socket_address.h"

namespace flow_log {

namespace asio = boost::asio;

namespace {

using namespace std::chrono_literals;

// Flows are ended in passes that are seconds apart: what a few of them bring at once is not more
// than was allowed.
constexpr double kAtOnce = 4;           // seconds of the rate
constexpr size_t kMostWaiting = 10000;  // lines, of some hundred bytes
constexpr auto kSayEvery = 1s;
constexpr auto kReopenEvery = 1s;
constexpr auto kLong = 1h;          // whoever has something to do wakes it
constexpr size_t kMostLine = 1023;  // HAProxy's, with its head
constexpr int kInfo = 6, kNotice = 5, kFacilityShift = 3;

base::SocketAddress address_of(const Target& target) {
  return target.path.empty() ? base::socket_address(target.place)
                             : *base::unix_address(target.path);
}

}  // namespace

Writer::Writer(asio::any_io_executor loop, Target target, Limits limits)
    : target_(std::move(target)),
      allowance_(limits.lines_per_second, kAtOnce * limits.lines_per_second),
      most_waiting_(std::min(kMostWaiting, static_cast<size_t>(kAtOnce * limits.lines_per_second))),
      socket_(loop),
      wake_(loop) {}

std::shared_ptr<Writer> Writer::start(asio::any_io_executor loop, Target target, Limits limits) {
  std::shared_ptr<Writer> writer(new Writer(loop, std::move(target), limits));
  asio::co_spawn(loop, run(writer), asio::detached);
  return writer;
}

void Writer::stop() {
  stopped_ = true;
  wake_.cancel();
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

bool Writer::admits() {
  if (stopped_) return false;
  if (waiting_.size() < most_waiting_ && allowance_.take(std::chrono::steady_clock::now()))
    return true;
  leave_out();
  return false;
}

void Writer::write(const std::string& line) {
  std::string message = head(kInfo) + line;
  if (message.size() > kMostLine) message.resize(kMostLine);
  waiting_.push_back(message + "\n");
  if (waiting_.size() == 1) wake_.cancel();
}

void Writer::leave_out() {
  counts_.left_out++;
  if (not_said_++ > 0) return;
  say_at_ = std::chrono::steady_clock::now() + kSayEvery;
  wake_.cancel();
}

// RFC 3164 with HAProxy's tag: whoever sorts its lines finds these among them.
std::string Writer::head(int level) const {
  static constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t now = std::time(nullptr);
  std::tm at{};
  ::localtime_r(&now, &at);
  return fmt::format(
      "<{}>{} {:2} {:02}:{:02}:{:02} haproxy[{}]: ", (target_.facility << kFacilityShift) + level,
      kMonths[static_cast<size_t>(at.tm_mon) % kMonths.size()], at.tm_mday, at.tm_hour, at.tm_min,
      at.tm_sec, ::getpid());
}

asio::awaitable<void> Writer::run(std::shared_ptr<Writer> self) {
  while (!self->stopped_) {
    co_await self->drain();
    if (self->stopped_) co_return;
    const auto now = std::chrono::steady_clock::now();
    if (self->not_said_ > 0 && now >= self->say_at_)
      self->say_what_is_left_out();
    else
      co_await self->wait_until(self->not_said_ > 0 ? self->say_at_ : now + kLong);
  }
}

asio::awaitable<void> Writer::wait_until(Time time) {
  boost::system::error_code woken;
  wake_.expires_at(time);
  co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
}

void Writer::say_what_is_left_out() {
  const uint64_t count = std::exchange(not_said_, 0);
  if (count == 0) return;
  waiting_.push_back(head(kNotice) + std::to_string(count) +
                     " ended connections are left out of this log\n");
}

asio::awaitable<void> Writer::drain() {
  while (!waiting_.empty() && !stopped_) {
    const Sent sent = send(waiting_.front());
    if (sent == Sent::later) {
      boost::system::error_code ended;
      co_await socket_.async_wait(asio::posix::stream_descriptor::wait_write,
                                  asio::redirect_error(asio::use_awaitable, ended));
      continue;
    }
    if (sent == Sent::never) {
      // Nobody listens: what waits keeps waiting, and what is too much is left out.
      co_await wait_until(std::chrono::steady_clock::now() + kReopenEvery);
      continue;
    }
    waiting_.pop_front();
    if (sent == Sent::yes)
      counts_.written++;
    else
      leave_out();
  }
}

bool Writer::open() {
  const base::SocketAddress address = address_of(target_);
  base::Fd fd(::socket(address.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid() || ::connect(fd.get(), address.get(), address.size) != 0) {
    const std::string now = "flow log: " + target_.text() + ": " + std::strerror(errno);
    if (now != trouble_) spdlog::warn("{}", now);
    trouble_ = now;
    return false;
  }
  if (!std::exchange(trouble_, "").empty()) spdlog::info("flow log: {} again", target_.text());
  socket_.assign(fd.release());
  return true;
}

Writer::Sent Writer::send(const std::string& line) {
  // A daemon that was started again has another socket under the same name: once more.
  for (int attempt = 0; attempt < 2; attempt++) {
    if (!socket_.is_open() && !open()) return Sent::never;
    if (::send(socket_.native_handle(), line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
      return Sent::yes;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return Sent::later;
    if (errno == ENOBUFS || errno == EMSGSIZE) return Sent::lost;
    boost::system::error_code ignored;
    socket_.close(ignored);
  }
  return Sent::never;
}

}  // namespace flow_log
