// The sender against real sockets on the loopback: who gets which message, and when.
#include "agent/serve/heartbeat.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>

#include "health/heartbeat.h"

namespace serve {
namespace {

using std::chrono::milliseconds;

class Controller {
 public:
  explicit Controller(const char* address) {
    const auto ip = *base::IpAddress::parse(address);
    const bool four = ip.family() == base::Family::ipv4;
    fd_.reset(::socket(four ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0));
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_addr = in6addr_loopback;
    const auto* bound = four ? reinterpret_cast<sockaddr*>(&v4) : reinterpret_cast<sockaddr*>(&v6);
    EXPECT_EQ(::bind(fd_.get(), bound, four ? sizeof(v4) : sizeof(v6)), 0);
    sockaddr_in6 got{};
    socklen_t size = sizeof(got);
    ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&got), &size);
    place = {ip, ntohs(got.sin6_port)};  // where both families have it
  }
  std::vector<std::string> received() {
    std::vector<std::string> all;
    std::string bytes(65536, '\0');
    for (ssize_t size = 0; (size = ::recv(fd_.get(), bytes.data(), bytes.size(), 0)) > 0;)
      all.push_back(bytes.substr(0, static_cast<size_t>(size)));
    return all;
  }
  base::Endpoint place;

 private:
  base::Fd fd_;
};

std::string text(uint64_t seq) { return "message " + std::to_string(seq); }
std::string bytes(uint64_t seq, const std::string& key = "key") {
  return *health::datagram(text(seq), key);
}
using Messages = std::vector<std::string>;

class HeartbeatTest : public ::testing::Test {
 protected:
  // Runs until that many messages have been composed.
  void run(uint64_t messages) {
    boost::asio::co_spawn(loop, sender.run(), boost::asio::detached);
    run_on(messages);
  }
  void run_on(uint64_t messages) {
    wanted = messages;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (composed < messages && std::chrono::steady_clock::now() < end)
      loop.run_one_for(milliseconds(100));
    EXPECT_EQ(composed, messages);
    loop.poll();
  }
  boost::asio::awaitable<std::optional<std::string>> compose(uint64_t seq) {
    if (composed == wanted) co_return std::nullopt;  // a slow machine has time for more than asked
    ++composed;
    if (during) during();
    if (suppressed) co_return std::nullopt;
    co_return text(seq);
  }

  boost::asio::io_context loop{1};
  uint64_t composed = 0, wanted = 0;
  bool suppressed = false;
  std::function<void()> during;
  HeartbeatSender sender{loop.get_executor(), HeartbeatSockets::open(),
                         [this](uint64_t seq) { return compose(seq); }};
};

TEST_F(HeartbeatTest, TheFirstOneComesAtOnce) {
  Controller one("127.0.0.1");
  sender.configure({{one.place}, std::chrono::hours(1), "key"});
  run(1);
  EXPECT_EQ(one.received(), Messages{bytes(0)});
}

TEST_F(HeartbeatTest, ControllersTakeTurnsOverBothFamilies) {
  Controller one("127.0.0.1"), two("::1");
  sender.configure({{one.place, two.place}, milliseconds(1), "key"});
  run(5);
  EXPECT_EQ(one.received(), (Messages{bytes(0), bytes(2), bytes(4)}));
  EXPECT_EQ(two.received(), (Messages{bytes(1), bytes(3)}));
}

TEST_F(HeartbeatTest, WhatIsSuppressedIsNotCounted) {
  Controller one("127.0.0.1");
  sender.configure({{one.place}, milliseconds(1), "key"});
  suppressed = true;
  during = [this] { suppressed = composed < 4; };
  run(4);
  EXPECT_EQ(one.received(), Messages{bytes(0)});
}

TEST_F(HeartbeatTest, NewSettingsCountFromTheNextMessage) {
  Controller one("127.0.0.1"), two("127.0.0.1");
  sender.configure({{one.place}, std::chrono::hours(1), "key"});
  run(1);
  sender.configure({{two.place}, milliseconds(1), "another"});
  run_on(2);
  EXPECT_EQ(one.received(), Messages{bytes(0)});
  EXPECT_EQ(two.received(), Messages{bytes(1, "another")});
}

TEST_F(HeartbeatTest, GoesOnWhenNobodyListens) {
  base::Endpoint nobody;
  {
    Controller gone("127.0.0.1");
    nobody = gone.place;
  }
  Controller one("127.0.0.1");
  sender.configure({{nobody, one.place}, milliseconds(1), "key"});
  run(6);
  EXPECT_FALSE(one.received().empty());
}

TEST_F(HeartbeatTest, StopsWhenItIsToldTo) {
  Controller one("127.0.0.1");
  sender.configure({{one.place}, std::chrono::hours(1), "key"});
  run(1);
  sender.stop();
  loop.restart();
  loop.run();  // comes to an end
  EXPECT_EQ(one.received().size(), 1u);
}

}  // namespace
}  // namespace serve
