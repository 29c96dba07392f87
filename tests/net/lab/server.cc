// lab_server: a member of the lab. Over TCP it answers HTTP/1.1 requests with its name, keeping the
// connection, and after "ECHO\n" says its name once and then echoes; over UDP it answers every
// datagram with its name, a newline and the datagram. Both families, until it is terminated.
#include <CLI/CLI.hpp>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>
#include <string>
#include <utility>

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;
using Status = boost::system::error_code;

auto token(Status& status) { return asio::redirect_error(asio::use_awaitable, status); }

asio::awaitable<void> echo(tcp::socket socket, std::string pending, const std::string& name) {
  Status status;
  pending = name + "\n" + pending;
  std::array<char, 16384> piece;
  while (!status) {
    co_await asio::async_write(socket, asio::buffer(pending), token(status));
    if (status) break;
    const size_t got = co_await socket.async_read_some(asio::buffer(piece), token(status));
    pending.assign(piece.data(), got);
  }
}

asio::awaitable<void> serve(tcp::socket socket, const std::string& name) {
  const std::string greeting = "ECHO\n", end = "\r\n\r\n";
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " +
                             std::to_string(name.size()) + end + name;
  Status status;
  std::string received;
  std::array<char, 16384> piece;
  while (!status) {
    const size_t got = co_await socket.async_read_some(asio::buffer(piece), token(status));
    received.append(piece.data(), got);
    if (received.starts_with(greeting)) {
      co_await echo(std::move(socket), received.substr(greeting.size()), name);
      co_return;
    }
    for (size_t at = received.find(end); at != std::string::npos && !status;
         at = received.find(end)) {
      const bool last = received.substr(0, at).find("Connection: close") != std::string::npos;
      received.erase(0, at + end.size());
      co_await asio::async_write(socket, asio::buffer(answer), token(status));
      if (last) co_return;
    }
  }
}

asio::awaitable<void> accept(tcp::acceptor& acceptor, const std::string& name) {
  for (;;) {
    Status status;
    tcp::socket socket = co_await acceptor.async_accept(token(status));
    if (status == asio::error::operation_aborted) co_return;
    if (status) continue;
    socket.set_option(tcp::no_delay(true), status);
    asio::co_spawn(acceptor.get_executor(), serve(std::move(socket), name), asio::detached);
  }
}

asio::awaitable<void> answer_datagrams(udp::socket& socket, const std::string& name) {
  std::array<char, 65536> datagram;
  for (;;) {
    Status status;
    udp::endpoint from;
    const size_t got =
        co_await socket.async_receive_from(asio::buffer(datagram), from, token(status));
    if (status == asio::error::operation_aborted) co_return;
    if (status) continue;
    const std::string reply = name + "\n" + std::string(datagram.data(), got);
    co_await socket.async_send_to(asio::buffer(reply), from, token(status));
  }
}

void run(const std::string& name, uint16_t port) {
  asio::io_context loop(1);
  tcp::acceptor acceptor(loop);
  acceptor.open(tcp::v6());
  acceptor.set_option(tcp::acceptor::reuse_address(true));
  acceptor.set_option(asio::ip::v6_only(false));
  acceptor.bind({tcp::v6(), port});
  acceptor.listen(4096);
  udp::socket datagrams(loop, udp::v6());  // for both families unless net.ipv6.bindv6only is set
  datagrams.set_option(asio::ip::v6_only(false));
  datagrams.set_option(asio::socket_base::receive_buffer_size(4 << 20));
  datagrams.bind({udp::v6(), port});
  asio::co_spawn(loop, accept(acceptor, name), asio::detached);
  asio::co_spawn(loop, answer_datagrams(datagrams, name), asio::detached);
  asio::signal_set signals(loop, SIGTERM, SIGINT);
  signals.async_wait([&loop](const Status&, int) { loop.stop(); });
  loop.run();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("A member of the lab: answers with its name over TCP and UDP.");
  std::string name;
  uint16_t port = 8080;
  app.add_option("--name", name, "what it answers")->required();
  app.add_option("--port", port, "TCP and UDP port");
  CLI11_PARSE(app, argc, argv);
  try {
    run(name, port);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "lab_server %s: port %u: %s\n", name.c_str(), port, error.what());
    return 1;
  }
  return 0;
}
