// Two nodes over sockets of one machine: who has the key is heard, and nobody else.
#include "agent/pair/channel.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/write.hpp>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>

#include "tests/support/addresses.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/pair/fake_table.h"

namespace pair {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr uint32_t kTableLines = 64;
constexpr uint16_t kPort = 41025;

// A node on 127.0.1.<host>.
struct Node {
  Node(asio::io_context& on, int host, int other, const std::string& key)
      : hello{1, 1, static_cast<uint64_t>(host), kTableLines, kTableLines},
        loop(on),
        channel(loop.get_executor(), {address(host), address(other), kPort}, derive_key(key),
                session) {
    asio::co_spawn(loop, channel.run(), [this](const std::exception_ptr&) { has_ended = true; });
  }
  // Nothing may resume that speaks of what is gone: who dials may be waiting for his next try.
  ~Node() {
    channel.stop();
    while (!has_ended) pass(20ms);
    pass(300ms);
  }
  void pass(std::chrono::milliseconds time) {
    loop.restart();
    loop.run_for(time);
  }
  static base::IpAddress address(int host) { return test::ip("127.0.1." + std::to_string(host)); }
  Report report() const { return session.report(std::chrono::steady_clock::now()); }

  Hello hello;
  asio::io_context& loop;
  FakeTable table{kTableLines};
  Session session{table, table, hello};
  Channel channel;
  bool has_ended = false;
};

class Channels : public testing::Test {
 protected:
  bool until(const std::function<bool()>& is_so) {
    for (const auto end = std::chrono::steady_clock::now() + 10s;
         std::chrono::steady_clock::now() < end; loop_.run_for(10ms))
      if (is_so()) return true;
    return false;
  }
  const std::string key_ = std::string(40, 'k');
  asio::io_context loop_;
};

TEST_F(Channels, BringFlowsToTheOtherNode) {
  Node one(loop_, 1, 2, key_), two(loop_, 2, 1, key_);
  two.session.set_role(Role::active);
  for (uint16_t port = 1; port <= 50; port++) two.table.open(flow_of(port, port));
  ASSERT_TRUE(until([&] { return one.session.is_in_sync(); }));
  EXPECT_EQ(one.table.flows(), two.table.flows());
  two.table.end(7);
  EXPECT_TRUE(until([&] { return one.table.flows() == two.table.flows(); }));
  EXPECT_EQ(one.report().peer, Role::active);
  one.channel.stop();
  EXPECT_TRUE(until([&] { return !two.report().connected; }));
  two.channel.stop();
}

TEST_F(Channels, AnotherKeyIsRefusedAndSaid) {
  Node one(loop_, 1, 2, key_), two(loop_, 2, 1, key_ + "!");
  loop_.run_for(700ms);
  EXPECT_FALSE(one.report().connected);
  EXPECT_FALSE(two.report().connected);
  EXPECT_THAT(one.report().trouble, HasSubstr("key"));
  EXPECT_THAT(two.report().trouble, HasSubstr("key"));
  one.channel.stop();
  two.channel.stop();
}

TEST_F(Channels, ANodeThatBeginsAnewIsHeardAgain) {
  Node one(loop_, 1, 2, key_);
  one.session.set_role(Role::active);
  one.table.open(flow_of(1, 1));
  {
    Node two(loop_, 2, 1, key_);
    ASSERT_TRUE(until([&] { return two.session.is_in_sync(); }));
    two.channel.stop();
    ASSERT_TRUE(until([&] { return !one.report().connected; }));
  }
  Node again(loop_, 2, 1, key_);
  EXPECT_TRUE(until([&] { return again.session.is_in_sync(); }));
  EXPECT_EQ(again.table.flows(), one.table.flows());
  one.channel.stop();
  again.channel.stop();
}

TEST_F(Channels, WhoSaysNothingOrNonsenseIsLeft) {
  Node two(loop_, 2, 1, key_);
  loop_.run_for(50ms);
  asio::ip::tcp::socket silent(loop_), loud(loop_), stranger(loop_);
  const asio::ip::tcp::endpoint there(asio::ip::make_address("127.0.1.2"), kPort);
  const auto connect = [&](asio::ip::tcp::socket& socket, const char* from) {
    socket.open(asio::ip::tcp::v4());
    socket.bind({asio::ip::make_address(from), 0});
    socket.connect(there);
    socket.non_blocking(true);
  };
  connect(silent, "127.0.1.1");
  connect(loud, "127.0.1.1");
  connect(stranger, "127.0.1.3");
  loud.write_some(asio::buffer(std::string(100, 'x')));
  const auto is_closed = [](asio::ip::tcp::socket& socket) {
    std::array<char, 100> some{};
    boost::system::error_code error;
    while (!error) socket.read_some(asio::buffer(some), error);
    return error != asio::error::would_block;
  };
  EXPECT_TRUE(until([&] { return is_closed(stranger); }));
  EXPECT_TRUE(until([&] { return is_closed(loud); }));
  EXPECT_TRUE(until([&] { return is_closed(silent); }));
  EXPECT_FALSE(two.report().connected);
  Node one(loop_, 1, 2, key_);
  EXPECT_TRUE(until([&] { return one.report().connected && two.report().connected; }));
  one.channel.stop();
  two.channel.stop();
}

TEST(AKey, IsReadFromAFileOfItsOwner) {
  const std::string folder = test::temporary_folder("pair_key"), file = folder + "/key";
  const auto why = [&](const std::string& text, mode_t mode) {
    std::ofstream(file) << text;
    ::chmod(file.c_str(), mode);
    const auto key = read_key(file);
    return key.ok() ? "" : key.error().message();
  };
  EXPECT_EQ(why(std::string(32, 'a') + "\n", 0600), "");
  EXPECT_EQ(*read_key(file), derive_key(std::string(32, 'a')));
  EXPECT_NE(*read_key(file), derive_key(std::string(33, 'a')));
  EXPECT_THAT(why(std::string(32, 'a'), 0640), HasSubstr("chmod"));
  EXPECT_THAT(why(std::string(31, 'a'), 0600), HasSubstr("32 to 512"));
  EXPECT_THAT(why(std::string(20, 'a') + "\n" + std::string(20, 'a'), 0600), HasSubstr("one line"));
  std::filesystem::remove_all(folder);
  EXPECT_THAT(read_key(file).error().message(), HasSubstr(file));
}

}  // namespace
}  // namespace pair
