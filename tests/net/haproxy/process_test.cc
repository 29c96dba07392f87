// HAProxy started, reloaded, adopted, killed and refused.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include <thread>

#include "tests/net/haproxy/lab.h"

namespace haproxy_test {
namespace {

using haproxy::Health;
using testing::HasSubstr;

class Serving : public Lab {
 protected:
  // A connection to the echoing member in mode TCP; say() wants the same back.
  struct Echo {
    base::Fd fd;
    bool say(const std::string& text) const {
      if (::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL) < 0) return false;
      std::string back(text.size(), '\0');
      return ::recv(fd.get(), back.data(), back.size(), MSG_WAITALL) ==
                 static_cast<ssize_t>(text.size()) &&
             back == text;
    }
  };
  static Echo echo() {
    base::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(80);
    ::inet_pton(AF_INET, kVip, &to.sin_addr);
    const timeval limit{5, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
    return {std::move(fd)};
  }
  static haproxy::Spec tcp(int count) {
    haproxy::Spec spec = http(count);
    frontend(spec).mode = backend(spec).mode = haproxy::Mode::tcp;
    return spec;
  }
};

TEST_F(Serving, StartsSpreadsAndStops) {
  member(1);
  member(2);
  apply(http(2));
  EXPECT_TRUE(process().running());
  EXPECT_EQ(answering(), (std::set<std::string>{"m1", "m2"}));
  apply(http(2));
  EXPECT_EQ(process().counts(), (haproxy::Counts{1, 0, 0}));
  apply({});
  EXPECT_FALSE(process().running());
  EXPECT_TRUE(until([&] { return status("/") == "000"; }));
  apply(http(1));
  EXPECT_EQ(answering(), (std::set<std::string>{"m1"}));
}

TEST_F(Serving, ReloadsFailNoRequestAndKeepConnections) {
  member(1);
  member(2);
  apply(http(2));
  Child load({"python3", TEST_DIR "/load.py", kVip, "80", "6"});
  ASSERT_EQ(load.read_line(), "started");
  for (int weight = 2; weight <= 9; weight++) {
    haproxy::Spec spec = http(2);
    backend(spec).servers[0].weight = weight;
    apply(spec);
    std::this_thread::sleep_for(150ms);
  }
  const auto report = nlohmann::json::parse(load.finish());
  EXPECT_GT(report["requests"], 100);
  EXPECT_EQ(report["failed"], 0) << report;
  EXPECT_EQ(process().counts(), (haproxy::Counts{1, 8, 0}));
}

TEST_F(Serving, ConnectionsSurviveReloadsAndTheEndOfTheirListener) {
  member(1, {"--echo"});
  apply(tcp(1));
  const Echo held = echo();
  EXPECT_TRUE(held.say("before"));
  haproxy::Spec other = tcp(1);
  backend(other).server_timeout = 40000;
  apply(other);
  EXPECT_TRUE(held.say("after a reload"));
  apply({});
  EXPECT_TRUE(held.say("after the end"));
}

TEST_F(Serving, IsAdoptedByTheNextAgent) {
  member(1);
  apply(http(1));
  const pid_t master = master_pid(), worker = worker_pid();
  reopen();
  EXPECT_TRUE(process().running());
  apply(http(1));
  EXPECT_EQ(master_pid(), master);
  EXPECT_EQ(worker_pid(), worker);
  EXPECT_EQ(process().counts(), haproxy::Counts{});
  haproxy::Spec spec = http(1);
  backend(spec).servers[0].weight = 7;
  apply(spec);
  EXPECT_EQ(master_pid(), master);
  EXPECT_NE(worker_pid(), worker);
  ASSERT_EQ(::kill(worker_pid(), SIGKILL), 0);
  EXPECT_TRUE(until([&] { return process().revive().ok() && process().counts().restarts == 1; }));
  EXPECT_EQ(answering(1), (std::set<std::string>{"m1"}));
}

// An agent that was killed while HAProxy started had not noted what it serves, or not even which
// process it is.
TEST_F(Serving, OneThatItsAgentCouldNotNoteIsTakenUp) {
  member(1);
  member(2);
  apply(http(1));
  const pid_t master = master_pid();
  ASSERT_EQ(::unlink(path("state/haproxy.accepted").c_str()), 0);
  reopen();
  apply(http(2));
  EXPECT_EQ(master_pid(), master);
  EXPECT_EQ(answering(), (std::set<std::string>{"m1", "m2"}));
}

TEST_F(Serving, OneThatNobodyKnowsLeavesOnceAnotherServes) {
  member(1);
  member(2);
  apply(http(1));
  const process::Process before = process::Process::of(master_pid());
  ASSERT_EQ(::unlink(path("state/haproxy.accepted").c_str()), 0);
  ASSERT_EQ(::unlink(path("run/haproxy.pid").c_str()), 0);
  reopen();
  apply(http(2));
  EXPECT_NE(master_pid(), before.pid());
  EXPECT_TRUE(until([&] { return before.has_ended(); }));
  EXPECT_EQ(answering(), (std::set<std::string>{"m1", "m2"}));
}

class Killed : public Serving, public testing::WithParamInterface<std::string> {};

TEST_P(Killed, IsBack) {
  member(1);
  apply(http(1));
  EXPECT_FALSE(*process().revive());
  ASSERT_EQ(::kill(GetParam() == "master" ? master_pid() : worker_pid(), SIGKILL), 0);
  EXPECT_TRUE(until([&] { return process().revive().ok() && process().counts().restarts == 1; }));
  EXPECT_EQ(status("/"), "200");
  EXPECT_EQ(answering(), (std::set<std::string>{"m1"}));
  EXPECT_FALSE(*process().revive());
}
INSTANTIATE_TEST_SUITE_P(Of, Killed, testing::Values("master", "worker"),
                         [](const auto& which) { return which.param; });

TEST_F(Serving, RefusedTextChangesNothing) {
  member(1);
  apply(http(1));
  const std::string text = process().text();
  haproxy::Spec bad = http(1);
  frontend(bad).policies.push_back({id(50), haproxy::Action::deny, "", 302, {}, {}});
  frontend(bad).policies[0].rules.push_back(
      {id(51), haproxy::Fetch::path, haproxy::Match::regex, "", "a(b", false});
  const auto refused = process().apply(bad);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message(), HasSubstr("a(b"));
  EXPECT_EQ(process().text(), text);
  EXPECT_EQ(status("/"), "200");
  EXPECT_FALSE(*process().revive());
}

TEST_F(Serving, PlaceThatIsTakenIsRefusedInHaproxysWords) {
  member(1);
  apply(http(1));
  haproxy::Spec bad = http(1);
  frontend(bad).binds.push_back({ip("203.0.113.11"), 8080});  // the member's own
  const auto refused = process().apply(bad);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message(), HasSubstr("203.0.113.11:8080"));
  EXPECT_EQ(status("/"), "200");
  ASSERT_EQ(::kill(master_pid(), SIGKILL), 0);  // what starts again is what was accepted
  EXPECT_TRUE(until([&] { return process().revive().ok() && process().counts().restarts == 1; }));
  EXPECT_EQ(answering(1), (std::set<std::string>{"m1"}));
  haproxy::Spec good = http(1);
  backend(good).servers[0].weight = 3;
  apply(good);
  EXPECT_EQ(status("/"), "200");
}

TEST_F(Serving, HealthIsToldWithoutAReload) {
  member(1);
  member(2);
  haproxy::Spec spec = http(2);
  backend(spec).keeps_state = true;
  for (auto& server : backend(spec).servers) server.health = Health::up;
  apply(spec);
  EXPECT_EQ(answering().size(), 2u);
  backend(spec).servers[0].health = Health::down;
  apply(spec);
  EXPECT_EQ(answering(), (std::set<std::string>{"m2"}));
  EXPECT_EQ(process().counts(), (haproxy::Counts{1, 0, 0}));
  backend(spec).servers[1].weight = 5;
  apply(spec);  // a reload
  EXPECT_EQ(answering(), (std::set<std::string>{"m2"}));
  ASSERT_EQ(::kill(worker_pid(), SIGKILL), 0);
  EXPECT_TRUE(until([&] { return process().revive().ok() && process().counts().restarts == 1; }));
  EXPECT_EQ(answering(), (std::set<std::string>{"m2"}));
  backend(spec).servers[0].health = Health::up;
  apply(spec);
  EXPECT_TRUE(until([&] { return answering().size() == 2; }));
}

TEST_F(Serving, ChecksFindWhoIsDownAndAReloadKeepsIt) {
  member(1);
  haproxy::Spec spec = http(2);  // nobody listens at the second
  haproxy::Check check;
  check.interval = check.timeout = check.rise = check.fall = 1;
  backend(spec).check = check;
  backend(spec).keeps_state = true;
  apply(spec);
  const auto second = [&] {
    const auto stats = process().stats();
    for (const auto& worker : *stats)
      if (worker.current) return worker.backends.at({id(2), id(1)}).servers.at(id(102));
    return haproxy::ServerStats{};
  };
  EXPECT_TRUE(until([&] { return second().status == "DOWN"; }));
  EXPECT_THAT(second().reason, HasSubstr("L4CON"));
  backend(spec).servers[0].weight = 2;
  apply(spec);
  EXPECT_EQ(second().status, "DOWN");
}

// Sum of what all workers said last.
TEST_F(Serving, BytesAreCountedExactlyOverReloads) {
  member(1, {"--echo"});
  haproxy::Spec spec = tcp(1);
  apply(spec);
  std::map<haproxy::WorkerId, haproxy::FrontendStats> last;
  // Every reading counts: a worker says its last once.
  const auto read_workers = [&] {
    const auto stats = process().stats();
    EXPECT_TRUE(stats.ok());
    for (const auto& worker : *stats)
      if (worker.frontends.contains(id(1))) last[worker.worker] = worker.frontends.at(id(1));
    return stats->size();
  };
  uint64_t bytes = 0, connections = 0;
  for (int round = 1; round <= 5; round++) {
    Echo held = echo();
    connections++;
    EXPECT_TRUE(held.say(std::string(1000, 'a')));
    backend(spec).servers[0].weight = round + 1;
    apply(spec);
    EXPECT_TRUE(held.say(std::string(2345, 'b')));  // to the worker that ends
    bytes += 3345;
  }
  EXPECT_TRUE(until([&] { return read_workers() == 1; }));  // all others have said their last
  haproxy::Traffic sum;
  for (const auto& [worker, frontend] : last) {
    sum.bytes_in += frontend.traffic.bytes_in;
    sum.bytes_out += frontend.traffic.bytes_out;
    sum.total += frontend.traffic.total;
  }
  EXPECT_EQ(sum.bytes_in, bytes);
  EXPECT_EQ(sum.bytes_out, bytes);
  EXPECT_EQ(sum.total, connections);
  EXPECT_EQ(last.size(), 6u);
}

TEST_F(Serving, AWorkerIsNobodyAndCanDoNothing) {
  member(1);
  apply(http(1));
  const std::string status = sh("cat /proc/" + std::to_string(worker_pid()) + "/status");
  const std::string user = sh("id -u haproxy | tr -d '\\n'");
  EXPECT_THAT(status, HasSubstr("Uid:\t" + user + "\t" + user + "\t" + user + "\t" + user + "\n"));
  for (const char* kind : {"CapInh", "CapPrm", "CapEff", "CapAmb"})
    EXPECT_THAT(status, HasSubstr(std::string(kind) + ":\t0000000000000000\n"));
}

TEST_F(Serving, LeavesNothing) {
  member(1);
  apply(http(1));
  const pid_t master = master_pid(), worker = worker_pid();
  process().teardown();
  EXPECT_TRUE(until([&] { return ::kill(master, 0) != 0 && ::kill(worker, 0) != 0; }));
  EXPECT_EQ(sh("find " + path("run") + " " + path("state") + " -mindepth 1"), "");
}

}  // namespace
}  // namespace haproxy_test
