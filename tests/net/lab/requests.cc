#include "tests/net/lab/requests.h"

#include <boost/asio/co_spawn.hpp>
#include <charconv>
#include <optional>

namespace lab {

namespace {

using asio::ip::tcp;
using asio::ip::udp;
using Status = boost::system::error_code;

const std::string kRequest = "GET / HTTP/1.1\r\nHost: lab\r\n\r\n";
const std::string kLastRequest = "GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n";

// The body of the HTTP answer at the start of `bytes`; nullopt: not complete yet. Takes it out.
std::optional<std::string> take_body(std::string& bytes) {
  const std::string length = "Content-Length: ", end = "\r\n\r\n";
  const size_t head = bytes.find(end), at = bytes.find(length);
  if (head == std::string::npos || at == std::string::npos) return std::nullopt;
  size_t size = 0;
  std::from_chars(bytes.data() + at + length.size(), bytes.data() + head, size);
  if (bytes.size() < head + end.size() + size) return std::nullopt;
  std::string body = bytes.substr(head + end.size(), size);
  bytes.erase(0, head + end.size() + size);
  return body;
}

// One question and its answer; the member's name, or "" and the report says why.
asio::awaitable<std::string> ask(Channel<tcp>& channel, const std::string& known, uint64_t,
                                 const Load& load, Report& report) {
  Status status = co_await channel.send(load.member_closes ? kLastRequest : kRequest);
  std::string bytes;
  std::optional<std::string> name;
  while (!status && !name) {
    status = co_await channel.receive(bytes);
    name = take_body(bytes);
  }
  while (!status && load.member_closes) status = co_await channel.receive(bytes);
  if (status == asio::error::eof && load.member_closes && name) status = {};
  if (status) report.fail(known, "request: " + status.message());
  co_return status ? "" : *name;
}

asio::awaitable<std::string> ask(Channel<udp>& channel, const std::string& known, uint64_t number,
                                 const Load&, Report& report) {
  const std::string question = "question " + std::to_string(number);
  Status status = co_await channel.send(question);
  std::string answer;
  if (!status) status = co_await channel.receive(answer);
  if (status) {
    report.fail(known, "datagram: " + status.message());
    co_return "";
  }
  const size_t line = answer.find('\n');
  if (line == std::string::npos || answer.substr(line + 1) != question) {
    report.fail(known, "datagram: not the answer to this question");
    co_return "";
  }
  co_return answer.substr(0, line);
}

asio::awaitable<void> pause(const Load& load) {
  if (load.pause.count() == 0) co_return;
  asio::steady_timer timer(co_await asio::this_coro::executor, load.pause);
  co_await timer.async_wait(asio::use_awaitable);
}

template <class Protocol>
asio::awaitable<void> converse(const Load& load, const bool& stop, Report& report) {
  Channel<Protocol> channel(co_await asio::this_coro::executor, load.deadline);
  if (!load.sources.empty()) {
    const auto& source = load.sources[report.connections % load.sources.size()];
    if (const Status status = channel.bind(source); status)
      report.fail("", "bind: " + status.message());
  }
  ++report.connections;
  if (const Status status = co_await channel.connect(load.target); status) {
    report.fail("", "connect: " + status.message());
    co_return;
  }
  std::string known;
  for (uint64_t i = 0; i < load.requests && (i == 0 || !stop); ++i) {
    const std::string name = co_await ask(channel, known, i, load, report);
    if (name.empty()) co_return;
    if (!known.empty() && name != known) report.fail(known, "request: answered by another member");
    known = name;
    ++report.requests;
    ++report.members[name].answered;
    co_await pause(load);
  }
}

template <class Protocol>
asio::awaitable<void> work(const Load& load, uint64_t& left, const bool& stop, Report& report) {
  while (!stop && left > 0) {
    --left;
    co_await converse<Protocol>(load, stop, report);
  }
}

}  // namespace

template <class Protocol>
void start_requests(asio::io_context& loop, const Load& load, const bool& stop, Latch done,
                    Report& report) {
  const auto left =
      std::make_shared<uint64_t>(load.connections == 0 ? UINT64_MAX : load.connections);
  for (uint64_t i = 0; i < load.concurrency; ++i)
    asio::co_spawn(loop, work<Protocol>(load, *left, stop, report),
                   [left, done](std::exception_ptr) {});
}

template void start_requests<tcp>(asio::io_context&, const Load&, const bool&, Latch, Report&);
template void start_requests<udp>(asio::io_context&, const Load&, const bool&, Latch, Report&);

}  // namespace lab
