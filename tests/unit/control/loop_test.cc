// No request holds the loop, on which probes, the clock of the flow table and all other answers
// wait. Measured is what the loop's thread computes at a stretch, which a busy machine does not
// change.
#include <gtest/gtest.h>
#include <time.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <iostream>

#include "agent/reconcile/worker.h"
#include "tests/unit/control/fakes.h"

namespace control {
namespace {

using namespace control::testing;
using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds kMost{50};

nanoseconds computed() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + nanoseconds(now.tv_nsec);
}

class Loop : public ::testing::Test {
 protected:
  struct Answered {
    http::Response response;
    nanoseconds longest{0};  // stretch of the loop's thread
  };

  Answered ask(const char* method, std::string target, std::string body = "") {
    http::Request request;
    request.method = method;
    request.target = std::move(target);
    request.body = std::move(body);
    Answered out;
    bool done = false;
    auto answer = [&]() -> boost::asio::awaitable<void> {
      out.response = co_await api_.handle(std::move(request));
      done = true;
    };
    boost::asio::co_spawn(loop_, answer(), boost::asio::detached);
    while (!done) {
      const nanoseconds begun = computed();
      loop_.restart();
      loop_.run_one_for(std::chrono::seconds(10));
      out.longest = std::max(out.longest, computed() - begun);
    }
    return out;
  }

  // Four pools of a thousand members.
  void fill() {
    json pools = json::array();
    for (int p = 0; p < 4; p++) {
      json members = json::array();
      for (int i = 0; i < 1000; i++)
        members.push_back({{"name", "member " + std::to_string(i)},
                           {"address", "192.0.2.1"},
                           {"protocol_port", 1000 + i},
                           {"tags", {"one", "two"}}});
      pools.push_back({{"name", "pool " + std::to_string(p)},
                       {"protocol", "TCP"},
                       {"lb_algorithm", "ROUND_ROBIN"},
                       {"members", members}});
    }
    const json body{{"loadbalancer", {{"vip_address", "203.0.113.1"}, {"pools", pools}}}};
    ASSERT_EQ(ask("POST", kBase + "/loadbalancers", body.dump()).response.status, 201);
    ASSERT_EQ(changes_.model().members.size(), 4000u);
  }

  void expect_short(const char* what, const Answered& answered, int status) {
    std::cout << what << ": " << answered.longest.count() / 1000 << " us of the loop, "
              << answered.response.body.size() << " bytes\n";
    EXPECT_EQ(answered.response.status, status) << what << answered.response.body.substr(0, 200);
    EXPECT_LT(answered.longest, kMost) << what;
  }

  boost::asio::io_context loop_{1};
  reconcile::Worker worker_;
  FakeChanges changes_;
  FakeOperator machine_;
  FakeCertificates certificates_;
  Api api_{
      changes_,
      machine_,
      certificates_,
      {"", changes_.vip_ranges, [this](std::function<void()> work) -> boost::asio::awaitable<void> {
         auto call = [work = std::move(work)] {
           work();
           return true;
         };
         co_await worker_.run(std::move(call));
       }}};
};

TEST_F(Loop, IsNotHeldByLargeAnswers) {
  fill();
  const model::Model& m = changes_.model();
  const std::string pool = m.pools.begin()->first.text();
  const std::string lb = m.load_balancers.begin()->first.text();
  const std::string members = kBase + "/pools/" + pool + "/members";
  expect_short("list of 1,000 members", ask("GET", members), 200);
  expect_short("the same, sorted", ask("GET", members + "?sort=name:desc&tags=one"), 200);
  expect_short("status tree of 4,000", ask("GET", kBase + "/loadbalancers/" + lb + "/status"), 200);
  expect_short("metrics", ask("GET", "/metrics"), 200);
  expect_short("status", ask("GET", "/v1/status"), 200);
}

TEST_F(Loop, IsNotHeldByLargeBodies) {
  fill();
  const std::string pool = changes_.model().pools.begin()->first.text();
  const std::string member =
      R"({"name": "m", "address": "192.0.2.2", "protocol_port": 80, "tags": ["a", "b", "c"]},)";
  std::string body = R"({"members": [)";
  while (body.size() < size_t{2} << 20) body += member;
  body.back() = ']';
  body += "}";
  // Carried out is it on the storage's worker; here, by the fake, on the loop.
  expect_short("a body that is none", ask("PUT", kBase + "/loadbalancers", body), 405);
  expect_short("a body that ends too soon",
               ask("POST", kBase + "/pools/" + pool + "/members", body.substr(0, body.size() - 1)),
               400);
}

}  // namespace
}  // namespace control
