// Two nodes over sockets of one machine: who has the key is heard, and nobody else.
#include "agent/pair/channel.h"

#include <gmock/gmock.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>

#include "tests/support/addresses.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/certificates/maker.h"
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
        channel(loop.get_executor(), session) {
    channel.aim(with(host, other, key));
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
  static Channel::Target with(int host, int other, const std::string& key) {
    return {address(host), address(other), kPort, derive_key(key)};
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

// Somebody at 127.0.1.2 who is no node: a server of TLS that ends what it has accepted.
class Somebody {
 public:
  explicit Somebody(asio::io_context& loop)
      : acceptor_(loop, {asio::ip::make_address("127.0.1.2"), kPort}) {
    SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_3_VERSION);
    asio::co_spawn(loop, serve(), [this](const std::exception_ptr&) { has_ended = true; });
  }
  void stop() { acceptor_.close(); }

  asio::ssl::context context{asio::ssl::context::tls_server};
  int welcomed = 0;  // with whom it has shaken hands
  bool has_ended = false;

 private:
  asio::awaitable<void> serve() {
    for (;;) {
      asio::ssl::stream<asio::ip::tcp::socket> stream(
          co_await acceptor_.async_accept(asio::use_awaitable), context);
      boost::system::error_code error;
      co_await stream.async_handshake(asio::ssl::stream_base::server,
                                      asio::redirect_error(asio::use_awaitable, error));
      if (error) continue;
      welcomed++;
      std::array<char, 100> some{};  // what the node says first, so that it has heard the rest
      co_await stream.async_read_some(asio::buffer(some),
                                      asio::redirect_error(asio::use_awaitable, error));
    }
  }
  asio::ip::tcp::acceptor acceptor_;
};

// Of a server without anything else to show.
unsigned with_the_key(SSL*, const char*, unsigned char* key, unsigned room) {
  const Key ours = derive_key(std::string(40, 'k'));
  if (room < ours.size()) return 0;
  std::copy(ours.begin(), ours.end(), key);
  return static_cast<unsigned>(ours.size());
}

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
  const auto says = [](const Node& node) {
    return node.report().trouble.find("key") != std::string::npos;
  };
  EXPECT_TRUE(until([&] { return says(one) && says(two); }))
      << one.report().trouble << "; " << two.report().trouble;
  EXPECT_FALSE(one.report().connected);
  EXPECT_FALSE(two.report().connected);
  one.channel.stop();
  two.channel.stop();
}

// TLS itself is content with a certificate that nobody has asked for.
TEST_F(Channels, ACertificateIsNotTheKey) {
  Somebody server(loop_);
  const auto made = certificates::testing::make({.name = "somebody"});
  SSL_CTX_use_certificate(server.context.native_handle(), made.certificate.get());
  SSL_CTX_use_PrivateKey(server.context.native_handle(), made.key.get());
  {
    Node one(loop_, 1, 2, key_);
    ASSERT_TRUE(until([&] { return server.welcomed > 0; }));
    ASSERT_TRUE(until([&] { return !one.report().trouble.empty(); }));
    EXPECT_THAT(one.report().trouble, HasSubstr("does not have the key"));
    EXPECT_FALSE(one.report().connected);
  }
  server.stop();
  EXPECT_TRUE(until([&] { return server.has_ended; }));
}

// Who has the key and says nothing that can be understood, as an agent of another time, is tried
// less and less often; once there was a node, at once.
TEST_F(Channels, WhoDoesNotGreetIsTriedLessOften) {
  Somebody server(loop_);
  SSL_CTX_set_psk_server_callback(server.context.native_handle(), with_the_key);
  Node one(loop_, 1, 2, key_);
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(until([&] { return server.welcomed >= 5; }));  // at 0, 100, 300, 700 and 1500 ms
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 1500ms);
  server.stop();
  ASSERT_TRUE(until([&] { return server.has_ended; }));
  {
    Node two(loop_, 2, 1, key_);
    ASSERT_TRUE(until([&] { return one.report().connected; }));
  }
  ASSERT_FALSE(one.report().connected);
  Node again(loop_, 2, 1, key_);
  EXPECT_TRUE(until([&] { return one.report().connected; }));
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

// As when an amphora is replaced: what was with the old one is over.
TEST_F(Channels, AnotherNodeOrKeyIsFollowed) {
  Node one(loop_, 1, 2, key_);
  one.session.set_role(Role::active);
  one.table.open(flow_of(1, 1));
  Node two(loop_, 2, 1, key_), three(loop_, 3, 1, key_);
  ASSERT_TRUE(until([&] { return two.session.is_in_sync(); }));
  one.channel.aim(Node::with(1, 3, key_));
  EXPECT_TRUE(until([&] { return three.session.is_in_sync() && !two.report().connected; }));
  EXPECT_EQ(three.table.flows(), one.table.flows());
  one.channel.aim(Node::with(1, 3, key_ + "!"));
  EXPECT_TRUE(until([&] { return !three.report().connected; }));
  three.channel.aim(Node::with(3, 1, key_ + "!"));
  EXPECT_TRUE(until([&] { return three.report().connected; }));
  three.channel.aim(std::nullopt);
  EXPECT_TRUE(until([&] { return !one.report().connected; }));
  EXPECT_EQ(three.report().trouble, "");
  // The smaller one dials now, and had listened before.
  three.channel.aim(Node::with(3, 4, key_));
  Node four(loop_, 4, 3, key_);
  EXPECT_TRUE(until([&] { return four.report().connected && three.report().connected; }));
}

// HAProxy at 127.0.1.9: it says what it was told.
class Echo {
 public:
  explicit Echo(asio::io_context& loop)
      : acceptor_(loop, {asio::ip::make_address("127.0.1.9"), kPort}) {
    asio::co_spawn(loop, serve(), [this](const std::exception_ptr&) { has_ended = true; });
  }
  void stop() { acceptor_.close(); }
  int asked = 0, left = 0;
  bool has_ended = false;

 private:
  asio::awaitable<void> serve() {
    for (;;) {
      auto socket = co_await acceptor_.async_accept(asio::use_awaitable);
      asked++;
      std::array<char, 100> some{};
      boost::system::error_code error;
      while (!error) {
        const size_t read = co_await socket.async_read_some(
            asio::buffer(some), asio::redirect_error(asio::use_awaitable, error));
        if (!error) socket.write_some(asio::buffer(some.data(), read), error);
      }
      left++;
    }
  }
  asio::ip::tcp::acceptor acceptor_;
};

// At either node, also at the one that dials, and while the channel stays.
TEST_F(Channels, PeersOfHaproxyAreHandedOn) {
  Echo haproxy(loop_);
  const auto with = [&](int host, int other) {
    Channel::Target target = Node::with(host, other, key_);
    target.haproxy = base::Endpoint{Node::address(9), kPort};
    return target;
  };
  {
    Node one(loop_, 1, 2, key_), two(loop_, 2, 1, key_);
    one.channel.aim(with(1, 2));
    two.channel.aim(with(2, 1));
    ASSERT_TRUE(until([&] { return one.report().connected && two.report().connected; }));
    asio::ip::tcp::socket peer(loop_);
    const auto connect = [&](int from, int to) {
      peer = asio::ip::tcp::socket(loop_);
      peer.open(asio::ip::tcp::v4());
      peer.bind({asio::ip::make_address("127.0.1." + std::to_string(from)), 0});
      peer.connect({asio::ip::make_address("127.0.1." + std::to_string(to)), kPort});
      peer.non_blocking(true);
    };
    const std::string hello = "HAProxyS 2.1\nother\nme 1 1\n";
    int turn = 0;
    for (const auto& [from, to] : {std::pair(1, 2), std::pair(2, 1)}) {
      turn++;
      connect(from, to);
      peer.write_some(asio::buffer(hello.substr(0, 3)));
      loop_.run_for(50ms);
      peer.write_some(asio::buffer(hello.substr(3)));
      std::string heard;
      EXPECT_TRUE(until([&] {
        std::array<char, 100> some{};
        boost::system::error_code error;
        const size_t read = peer.read_some(asio::buffer(some), error);
        heard.append(some.data(), read);
        return heard == hello;
      })) << heard;
      EXPECT_EQ((to == 2 ? two : one).channel.port_counts().handed_on, 1u);
      peer.close();
      EXPECT_TRUE(until([&] { return haproxy.left == turn; }));
    }
    EXPECT_TRUE(until([&] { return two.channel.port_counts() == Port::Counts{}; }));
    EXPECT_EQ(haproxy.asked, 2);
    connect(1, 2);
    peer.write_some(asio::buffer(std::string("HAProxyX and more")));
    EXPECT_TRUE(until([&] { return two.channel.port_counts().closed == 1; }));
    haproxy.stop();
    ASSERT_TRUE(until([&] { return haproxy.has_ended; }));
    connect(1, 2);
    peer.write_some(asio::buffer(hello));
    EXPECT_TRUE(until([&] { return two.channel.port_counts().closed == 2; }));
    EXPECT_TRUE(one.report().connected && two.report().connected);
  }
}

// Nor does a flood of them keep the other node out for long.
TEST_F(Channels, ManyThatSayNothingAreClosed) {
  Node two(loop_, 2, 1, key_);
  loop_.run_for(50ms);
  std::vector<asio::ip::tcp::socket> many;
  for (size_t i = 0; i < Port::kMost + 4; i++) {
    asio::ip::tcp::socket& one = many.emplace_back(loop_);
    one.open(asio::ip::tcp::v4());
    one.bind({asio::ip::make_address("127.0.1.1"), 0});
    one.connect({asio::ip::make_address("127.0.1.2"), kPort});
  }
  EXPECT_TRUE(until([&] { return two.channel.port_counts().closed >= 4; }));
  EXPECT_TRUE(until([&] { return two.channel.port_counts().closed == Port::kMost + 4; }));
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

// By python: prk = hmac(load balancer, heartbeat key), hmac(prk, purpose + password + b"\x01").
TEST(AKey, OfTwoAmphoraeIsWhatTheirControllerToldBoth) {
  const Shared shared{"insecure-heartbeat-key", "6e0a3b1c-2f4d-4c56-8a7b-0f1e2d3c4b5a", "4d6e2f1"};
  const auto key = derive_key(shared);
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(*key, (Key{0x02, 0x57, 0xe9, 0x9f, 0xc3, 0x1c, 0x02, 0xb3, 0xb5, 0x22, 0xbf,
                       0x5e, 0x61, 0x83, 0xbd, 0x21, 0x71, 0xa9, 0x79, 0xc1, 0xfb, 0x87,
                       0xd0, 0x66, 0xb2, 0xcc, 0x52, 0xdb, 0x89, 0xa0, 0xf4, 0x63}));
  for (std::string Shared::*one :
       {&Shared::heartbeat_key, &Shared::load_balancer, &Shared::password}) {
    Shared other = shared;
    (other.*one)[0]++;
    EXPECT_NE(*derive_key(other), *key);
  }
}

TEST(AKey, NamesASetOfMapsWithoutItsSeed) {
  EXPECT_EQ(name_of_maps(7), name_of_maps(7));
  EXPECT_NE(name_of_maps(7), name_of_maps(8));
  EXPECT_NE(name_of_maps(7), 7u);
}

}  // namespace
}  // namespace pair
