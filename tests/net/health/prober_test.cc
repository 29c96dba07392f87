// The prober as a whole: its clock, its load, its reconfiguration and its own troubles.
#include "health/prober.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <set>
#include <thread>

#include "tests/net/health/lab.h"
#include "tests/net/health/servers.h"

namespace health_test {
namespace {

using health::Health;
using health::Prober;
using health::State;
using health::Target;
using health::Type;
using Clock = std::chrono::steady_clock;

class ProberTest : public Lab {
 protected:
  base::Fd listener(uint16_t port) { return member_socket(SOCK_STREAM, IPPROTO_TCP, port); }
  // Numbers 0 .. count-1 at one port.
  std::vector<Target> targets(int count, uint16_t port, std::chrono::milliseconds delay) {
    std::vector<Target> all(static_cast<size_t>(count), target(Type::tcp, member(), port));
    for (int i = 0; i < count; i++) {
      all[static_cast<size_t>(i)].member = member_id(i);
      all[static_cast<size_t>(i)].delay = all[static_cast<size_t>(i)].timeout = delay;
    }
    return all;
  }
  void run_for(std::chrono::milliseconds time) {
    run_until([] { return false; }, time);
  }
};

INSTANTIATE_TEST_SUITE_P(V4, ProberTest, testing::Values(base::Family::ipv4));

// Takes connections off a listener's queue, which those that were reset do not leave.
class Acceptor {
 public:
  explicit Acceptor(base::Fd listener)
      : listener_(std::move(listener)), thread_([this] { run(); }) {}
  ~Acceptor() {
    stop_ = true;
    thread_.join();
  }

 private:
  void run() {
    while (!stop_) {
      pollfd wait{listener_.get(), POLLIN, 0};
      if (::poll(&wait, 1, 20) > 0) base::Fd(::accept(listener_.get(), nullptr, nullptr));
    }
  }
  base::Fd listener_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

size_t open_descriptors() {
  auto all = std::filesystem::directory_iterator("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(all), end(all)));
}

double cpu_seconds() {
  rusage usage;
  ::getrusage(RUSAGE_THREAD, &usage);
  auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Event {
  State state;
  std::string reason;
  uint64_t probes;
};

TEST_P(ProberTest, GoesDownAfterFallAndUpAfterRise) {
  std::vector<Event> events;
  Prober prober(loop_.get_executor(), [&](const base::Uuid&, const Health& health) {
    events.push_back({health.state, health.reason, health.probes});
  });
  Target t = target(Type::tcp, member(), 80);
  t.delay = t.timeout = 100ms;
  t.fall = 3;
  t.rise = 2;
  std::optional<base::Fd> open = listener(80);
  prober.set_targets({t});
  EXPECT_EQ(prober.find(t.member)->reason, "not probed yet");
  ASSERT_TRUE(run_until([&] { return prober.find(t.member)->probes == 2; }));
  EXPECT_TRUE(events.empty());

  open.reset();
  auto start = Clock::now();
  ASSERT_TRUE(run_until([&] { return events.size() == 1; }));
  EXPECT_EQ(events[0].state, State::down);
  EXPECT_EQ(events[0].reason, "connection refused");
  EXPECT_EQ(events[0].probes, 5u);
  EXPECT_GT(Clock::now() - start, 200ms);  // the third failure, 100 ms from probe to probe

  open = listener(80);
  start = Clock::now();
  ASSERT_TRUE(run_until([&] { return events.size() == 2; }));
  EXPECT_EQ(events[1].state, State::up);
  EXPECT_EQ(events[1].probes, 7u);
  EXPECT_GT(Clock::now() - start, 90ms);
}

// Timed out probes take the whole interval, and the next turn must not be lost to them.
class SourcePortsTest : public ProberTest {};

INSTANTIATE_TEST_SUITE_P(Both, SourcePortsTest,
                         testing::Values(base::Family::ipv4, base::Family::ipv6));

// Ports that have come to the listener.
std::set<uint16_t> sources_of(const base::Fd& listener) {
  std::set<uint16_t> ports;
  pollfd wait{listener.get(), POLLIN, 0};
  while (::poll(&wait, 1, 0) > 0) {
    sockaddr_in6 from{};  // long enough for both families; the port is at the same place
    socklen_t size = sizeof(from);
    const base::Fd one(::accept(listener.get(), reinterpret_cast<sockaddr*>(&from), &size));
    if (one.valid()) ports.insert(ntohs(from.sin6_port));
  }
  return ports;
}

TEST_P(SourcePortsTest, ProbesConnectFromThemInTurn) {
  const base::Fd open = listener(80);
  Prober prober(loop_.get_executor(), {}, {64512, 3});
  Target t = target(Type::tcp, member(), 80);
  t.delay = t.timeout = 100ms;
  prober.set_targets({t});
  ASSERT_TRUE(run_until([&] { return prober.find(t.member)->probes >= 7; }));
  EXPECT_EQ(prober.stats().succeeded, prober.find(t.member)->probes);
  EXPECT_THAT(sources_of(open), testing::ElementsAre(64512, 64513, 64514));
}

TEST_P(SourcePortsTest, SoDoThoseThatHaveNoSocketWithAPort) {
  auto talk = std::make_shared<Talk>();
  serve_sctp(loop_, member_socket(SOCK_RAW, IPPROTO_SCTP, 0), SctpManner::accepts, talk);
  Prober prober(loop_.get_executor(), {}, {64512, 3});
  Target t = target(Type::sctp, member(), 3868);
  t.delay = t.timeout = 100ms;
  prober.set_targets({t});
  ASSERT_TRUE(run_until([&] { return prober.find(t.member)->probes >= 7; }));
  EXPECT_EQ(prober.stats().succeeded, prober.find(t.member)->probes);
  std::set<int> ports;
  for (const std::string& packet : talk->requests)
    ports.insert(static_cast<uint8_t>(packet[0]) << 8 | static_cast<uint8_t>(packet[1]));
  EXPECT_THAT(ports, testing::ElementsAre(64512, 64513, 64514));
}

TEST_P(ProberTest, TimeoutsDoNotStretchTheInterval) {
  Prober prober(loop_.get_executor(), {});
  prober.set_targets({target(Type::tcp, silent(), 80)});
  run_for(3000ms);
  EXPECT_GE(prober.snapshot().begin()->second.probes, 8u);
  EXPECT_LE(prober.stats().in_flight, 1u);
}

TEST_P(ProberTest, AThousandMembersEverySecond) {
  const Acceptor open(listener(80));
  Prober prober(loop_.get_executor(), {});
  prober.set_targets(targets(1000, 80, 1000ms));
  run_for(1500ms);
  const auto before = prober.stats();
  const double cpu = cpu_seconds();
  const auto start = Clock::now();
  run_for(4000ms);
  const auto after = prober.stats();
  const double used = cpu_seconds() - cpu;
  const auto probes = after.started - before.started;
  std::printf("%lu probes in 4 s, %.0f us of CPU each (%.1f %%), worst lag %ld us\n", probes,
              used / static_cast<double>(probes) * 1e6, used / 4 * 100, after.worst_lag.count());
  const double turns = 1000 * std::chrono::duration<double>(Clock::now() - start).count();
  EXPECT_GE(static_cast<double>(probes), turns * 0.8);
  EXPECT_LE(static_cast<double>(probes), turns * 1.2);
  EXPECT_LE(after.skipped, 400u);
  EXPECT_EQ(after.failed + after.not_ours_to_judge, 0u);
}

TEST_P(ProberTest, AThousandSilentMembersEverySecond) {
  rlimit limit{4096, 4096};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  Prober prober(loop_.get_executor(), {}, {}, 1500);
  auto all = targets(1000, 80, 1000ms);
  for (Target& t : all) t.endpoint.address = silent();
  prober.set_targets(all);
  run_for(5000ms);
  EXPECT_LE(prober.stats().skipped, 400u);
  EXPECT_EQ(prober.stats().not_ours_to_judge, 0u);
  EXPECT_GE(prober.stats().failed, 2000u);
  for (const auto& [member, health] : prober.snapshot()) ASSERT_EQ(health.state, State::down);
}

TEST_P(ProberTest, NoMoreInFlightThanAllowed) {
  Prober prober(loop_.get_executor(), {}, {}, 10);
  auto all = targets(100, 80, 200ms);
  for (Target& t : all) t.endpoint.address = silent();
  prober.set_targets(all);
  size_t most = 0;
  run_until([&] { return most = std::max(most, prober.stats().in_flight), false; }, 3s);
  EXPECT_EQ(most, 10u);
  EXPECT_GT(prober.stats().skipped, 0u);
  for (const auto& [member, health] : prober.snapshot()) EXPECT_GT(health.probes, 0u);
}

TEST_P(ProberTest, UnchangedTargetsKeepTheirVerdict) {
  const base::Fd open = listener(80);
  Prober prober(loop_.get_executor(), {});
  auto all = targets(3, 81, 100ms);
  prober.set_targets(all);
  ASSERT_TRUE(run_until([&] {
    for (const auto& [member, health] : prober.snapshot())
      if (health.probes < 2) return false;
    return true;
  }));
  const auto before = prober.snapshot();
  all[1].endpoint.port = 80;  // stays down until its new probes say otherwise
  all[2].member = member_id(7);
  prober.set_targets(all);
  const auto after = prober.snapshot();
  EXPECT_EQ(after.at(member_id(0)), before.at(member_id(0)));
  EXPECT_FALSE(after.at(member_id(1)).usable);
  EXPECT_FALSE(after.contains(member_id(2)));
  EXPECT_EQ(after.at(member_id(7)).probes, 0u);
  ASSERT_TRUE(run_until([&] { return prober.find(member_id(1))->usable; }));
  EXPECT_TRUE(run_until([&] { return !prober.find(member_id(7))->usable; }));
}

TEST_P(ProberTest, ReconfigurationUnderLoadLeaksNothing) {
  const Acceptor open(listener(80));
  health_of(target(Type::tcp, member(), 80));  // the loop has the descriptors of its own
  const size_t before = open_descriptors();
  {
    std::set<base::Uuid> known;
    Prober prober(loop_.get_executor(), [&](const base::Uuid& member, const Health&) {
      EXPECT_TRUE(known.contains(member));
    });
    for (int round = 0; round < 40; round++) {
      auto all = targets(300, 80, 100ms);
      for (size_t i = 0; i < all.size(); i++) {
        if (i % 3 == 0) all[i].endpoint.address = silent();
        if (i % 3 == 1) all[i].timeout += std::chrono::milliseconds(round);
        if (i % 3 == 2) all[i].member = member_id(1000 * (round % 9 + 1) + static_cast<int>(i));
      }
      prober.set_targets(all);
      known.clear();
      for (const Target& t : all) known.insert(t.member);
      const uint64_t before_round = prober.stats().succeeded;
      EXPECT_TRUE(run_until([&] { return prober.stats().succeeded >= before_round + 50; }));
    }
    EXPECT_EQ(prober.stats().targets, 300u);
    prober.set_targets({});
    EXPECT_TRUE(run_until([&] { return prober.stats().in_flight == 0; }));
    prober.set_targets(targets(100, 80, 100ms));
    run_for(50ms);
  }
  run_for(200ms);  // a prober that goes while it probes
  EXPECT_EQ(open_descriptors(), before);
}

TEST_P(ProberTest, TheCallbackMayChangeTheTargets) {
  std::optional<Prober> prober;
  int calls = 0;
  prober.emplace(loop_.get_executor(), [&](const base::Uuid&, const Health&) {
    if (++calls == 1)
      prober->set_targets({});
    else
      prober.reset();
  });
  prober->set_targets(targets(1, 81, 100ms));
  ASSERT_TRUE(run_until([&] { return calls == 1; }));
  EXPECT_EQ(prober->stats().targets, 0u);
  prober->set_targets(targets(1, 81, 100ms));
  ASSERT_TRUE(run_until([&] { return calls == 2; }));
  EXPECT_FALSE(prober.has_value());
}

TEST_P(ProberTest, WantOfDescriptorsIsNoFaultOfTheMember) {
  const base::Fd open = listener(80);
  std::vector<State> states;
  Prober prober(loop_.get_executor(),
                [&](const base::Uuid&, const Health& v) { states.push_back(v.state); });
  prober.set_targets(targets(1, 80, 100ms));
  const Health& health = *prober.find(member_id(0));
  ASSERT_TRUE(run_until([&] { return health.probes == 1; }));
  std::vector<base::Fd> hoard;
  rlimit before, few{open_descriptors() + 4, 0};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  few.rlim_max = before.rlim_max;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  for (;;) {
    base::Fd fd(::dup(0));
    if (!fd.valid()) break;
    hoard.push_back(std::move(fd));
  }
  ASSERT_TRUE(run_until([&] { return health.state == State::unknown; }));
  EXPECT_EQ(health.reason, "not probed: no descriptors left");
  EXPECT_TRUE(health.usable);
  hoard.clear();
  ASSERT_TRUE(run_until([&] { return health.state == State::up; }));
  EXPECT_EQ(states, (std::vector<State>{State::unknown, State::up}));
  ::setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace health_test
