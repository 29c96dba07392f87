#include <boost/asio/co_spawn.hpp>

#include "tests/net/lab/requests.h"

namespace lab {

namespace {

using asio::ip::tcp;
using asio::ip::udp;
using Status = boost::system::error_code;

// What connection `id` says in its `round`: never the same twice, of changing length.
std::string phrase(uint64_t id, uint64_t round) {
  std::string text = std::to_string(id) + "." + std::to_string(round) + ":";
  return text.append(round * 37 % 900, static_cast<char>('a' + (id + round) % 26));
}

// TCP: the name is said once, then bytes come back as they were sent.
asio::awaitable<Status> open(Channel<tcp>& channel, std::string& name) {
  Status status = co_await channel.send("ECHO\n");
  while (!status && name.find('\n') == std::string::npos) status = co_await channel.receive(name);
  if (!status) name.resize(name.find('\n'));
  co_return status;
}

asio::awaitable<std::string> exchange(Channel<tcp>& channel, const std::string& said,
                                      const std::string& /*name*/) {
  Status status = co_await channel.send(said);
  std::string heard;
  while (!status && heard.size() < said.size()) status = co_await channel.receive(heard);
  if (status) co_return "stream: " + status.message();
  co_return heard == said ? "" : "stream: other bytes came back";
}

// UDP: every answer carries the name.
asio::awaitable<Status> open(Channel<udp>& channel, std::string& name) {
  std::string answer;
  Status status = co_await channel.send("open");
  if (!status) status = co_await channel.receive(answer);
  name = answer.substr(0, answer.find('\n'));
  co_return status;
}

asio::awaitable<std::string> exchange(Channel<udp>& channel, const std::string& said,
                                      const std::string& name) {
  Status status = co_await channel.send(said);
  std::string heard;
  if (!status) status = co_await channel.receive(heard);
  if (status) co_return "datagram: " + status.message();
  if (heard == name + "\n" + said) co_return "";
  co_return heard.ends_with("\n" + said) ? "datagram: answered by another member"
                                         : "datagram: other bytes came back";
}

template <class Protocol>
asio::awaitable<void> hold(const Load& load, uint64_t id, const bool& stop, Latch opening,
                           Report& report) {
  const auto executor = co_await asio::this_coro::executor;
  Channel<Protocol> channel(executor, load.deadline);
  if (!load.sources.empty()) {
    if (const Status status = channel.bind(load.sources[id % load.sources.size()]); status)
      report.fail("", "bind: " + status.message());
  }
  ++report.connections;
  Status status = co_await channel.connect(load.target);
  std::string name;
  if (!status) status = co_await open(channel, name);
  opening.reset();
  if (status) {
    report.fail("", "open: " + status.message());
    co_return;
  }
  ++report.members[name].answered;
  asio::steady_timer timer(executor);
  for (uint64_t round = 0; !stop; ++round) {
    const std::string why = co_await exchange(channel, phrase(id, round), name);
    if (!why.empty()) {
      report.fail(name, why);
      co_return;
    }
    ++report.requests;
    timer.expires_after(load.pause);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

}  // namespace

template <class Protocol>
void start_holding(asio::io_context& loop, const Load& load, const bool& stop, Latch opening,
                   Latch done, Report& report) {
  for (uint64_t id = 0; id < load.connections; ++id)
    asio::co_spawn(loop, hold<Protocol>(load, id, stop, opening, report),
                   [done](std::exception_ptr) {});
}

template void start_holding<tcp>(asio::io_context&, const Load&, const bool&, Latch, Latch,
                                 Report&);
template void start_holding<udp>(asio::io_context&, const Load&, const bool&, Latch, Latch,
                                 Report&);

}  // namespace lab
