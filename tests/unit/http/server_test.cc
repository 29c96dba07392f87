#include "agent/http/server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "agent/http/peer.h"
#include "agent/http/response.h"
#include "agent/http/unix_listener.h"
#include "tests/unit/http/wire.h"

namespace http::testing {
namespace {

boost::asio::awaitable<Response> yes(Request) { co_return json_response(200, "yes"); }

TEST(Server, TheSocketIsForItsGroupOnly) {
  Running server(yes);
  struct stat made {};
  ASSERT_EQ(::stat(server.path().c_str(), &made), 0);
  EXPECT_EQ(made.st_mode & 07777, 0660u);
  EXPECT_TRUE(S_ISSOCK(made.st_mode));
}

TEST(Server, TakesItsPathAwayWhenItStops) {
  TemporaryFolder folder;
  std::string path;
  {
    Running server(yes);
    path = server.path();
    EXPECT_TRUE(std::filesystem::exists(path));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Server, EndsConnectionsWhenItStops) {
  auto server = std::make_unique<Running>(yes);
  Wire wire(server->path());
  EXPECT_EQ(wire.ask("GET", "/")->status, 200);
  server.reset();
  EXPECT_TRUE(wire.ended());
}

TEST(UnixListener, ReplacesAStaleSocketOnly) {
  TemporaryFolder folder;
  const std::string path = folder.path("s");
  { const auto dead = listen_unix(path, std::nullopt); }
  ASSERT_TRUE(std::filesystem::exists(path));
  const auto first = listen_unix(path, std::nullopt);
  ASSERT_TRUE(first.ok());
  const auto second = listen_unix(path, std::nullopt);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, EADDRINUSE);
  Wire still_there(path);
}

TEST(UnixListener, LeavesAFileAlone) {
  TemporaryFolder folder;
  const std::string path = folder.path("s");
  std::ofstream(path) << "precious";
  ASSERT_FALSE(listen_unix(path, std::nullopt).ok());
  EXPECT_EQ(std::filesystem::file_size(path), 8u);
}

TEST(UnixListener, LeavesAPathOfSomebodyElse) {
  TemporaryFolder folder;
  const std::string path = folder.path("s");
  const auto first = listen_unix(path, std::nullopt);
  std::filesystem::remove(path);
  const auto second = listen_unix(path, std::nullopt);
  remove_path(*first);
  EXPECT_TRUE(std::filesystem::exists(path));
  remove_path(*second);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(UnixListener, SaysWhichPathFailed) {
  const auto none = listen_unix("/nonexistent/folder/control.sock", std::nullopt);
  ASSERT_FALSE(none.ok());
  EXPECT_NE(none.error().message().find("/nonexistent/folder/control.sock"), std::string::npos);
  EXPECT_EQ(listen_unix(std::string(200, 'x'), std::nullopt).error().code, ENAMETOOLONG);
}

TEST(Peer, RootTheAgentAndTheGroupMayControl) {
  EXPECT_TRUE(may_control(Peer{1, 0, {0}}, 990, std::nullopt));
  EXPECT_TRUE(may_control(Peer{1, 990, {990}}, 990, std::nullopt));
  EXPECT_FALSE(may_control(Peer{1, 1000, {1000, 27}}, 990, std::nullopt));
  EXPECT_FALSE(may_control(Peer{1, 1000, {1000, 27}}, 990, gid_t{28}));
  EXPECT_TRUE(may_control(Peer{1, 1000, {1000, 27}}, 990, gid_t{27}));
  EXPECT_FALSE(may_control(Peer{1, 1000, {1000, 0}}, 0, std::nullopt));
}

TEST(Peer, IsReadFromTheSocket) {
  int fds[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
  const base::Fd a(fds[0]), b(fds[1]);
  const auto peer = peer_of(a.get());
  ASSERT_TRUE(peer.ok());
  EXPECT_EQ(peer->uid, ::geteuid());
  EXPECT_EQ(peer->pid, ::getpid());
}

TEST(Server, RefusesAUserWithoutARight) {
  ASSERT_EQ(::geteuid(), 0u) << "only root can become somebody else: run it with sudo";
  Running server(yes);
  // Anyone can reach the socket now: it is the credentials that decide.
  std::filesystem::permissions(server.path(), std::filesystem::perms::all);
  std::filesystem::permissions(std::filesystem::path(server.path()).parent_path(),
                               std::filesystem::perms::all);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(100);
    const auto answer = ask(server.path(), "GET", "/");
    ::_exit(answer ? answer->status / 10 : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 40);  // 403
}

TEST(Server, TurnsAwayOneConnectionTooMany) {
  Limits limits;
  limits.connections = 8;
  Running server(yes, limits);
  std::vector<std::unique_ptr<Wire>> wires;
  for (int i = 0; i < 8; ++i) {
    wires.push_back(std::make_unique<Wire>(server.path()));
    ASSERT_EQ(wires.back()->ask("GET", "/")->status, 200);
  }
  Wire ninth(server.path());
  const auto answer = ninth.ask("GET", "/");
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(nlohmann::json::parse(answer->body).at("faultcode"), "Server");
  for (const auto& wire : wires) EXPECT_EQ(wire->ask("GET", "/")->status, 200);
  wires.pop_back();
  for (int tries = 0; tries < 100; ++tries) {
    if (ask(server.path(), "GET", "/")->status == 200) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  FAIL() << "a connection that ended still counts";
}

TEST(Server, ServesManyAtOnce) {
  Running server(yes);
  std::atomic<int> good = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 32; ++i)
    clients.emplace_back([&] {
      Wire wire(server.path());
      for (int n = 0; n < 50; ++n) {
        const auto answer = wire.ask("GET", "/");
        if (answer && answer->status == 200 && answer->body == "\"yes\"") ++good;
      }
    });
  for (auto& client : clients) client.join();
  EXPECT_EQ(good, 32 * 50);
}

}  // namespace
}  // namespace http::testing
