// What the prober is given.
#include "agent/plan/targets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/plan/planned.h"

namespace plan {
namespace {

using namespace std::chrono_literals;
using model::ListenerProtocol;

struct Watched {
  model::Model m;
  model::HealthMonitor* monitor = nullptr;

  Watched() {
    auto lb = test::load_balancer("192.0.2.1");
    m = lb.listener(ListenerProtocol::tcp, 80).pool().members("203.0.113.7", 2, 8080).model();
    model::HealthMonitor made;
    made.id = test::id_from("monitor");
    made.pool = m.pools.begin()->first;
    made.delay = 5;
    made.timeout = 3;
    made.max_retries = 2;
    made.max_retries_down = 4;
    monitor = &(m.health_monitors[made.id] = made);
  }
  model::Member& member() { return m.members.begin()->second; }
  const model::Member& member() const { return m.members.begin()->second; }
  std::optional<health::Target> target() const {
    for (const auto& target : plan_of(m).targets)
      if (target.member == member().id) return target;
    return std::nullopt;
  }
};

TEST(Targets, AreTheMembersOfAWatchedPool) {
  Watched w;
  EXPECT_EQ(plan_of(w.m).targets.size(), 2u);
  const auto target = w.target();
  ASSERT_TRUE(target);
  EXPECT_EQ(target->endpoint, (base::Endpoint{w.member().address, 8080}));
  EXPECT_EQ(target->type, health::Type::tcp);
  EXPECT_EQ(target->delay, 5000ms);
  EXPECT_EQ(target->timeout, 3000ms);
  EXPECT_EQ(target->rise, 2);
  EXPECT_EQ(target->fall, 4);
  w.m.health_monitors.clear();
  EXPECT_TRUE(plan_of(w.m).targets.empty());
}

TEST(Targets, SayWhatHttpAsksFor) {
  Watched w;
  w.monitor->type = model::MonitorType::https;
  w.monitor->http_method = "HEAD";
  w.monitor->url_path = "/alive";
  w.monitor->expected_codes = "200-204";
  w.monitor->http_version = model::HttpVersion::v1_1;
  w.monitor->domain_name = "www.example.com";
  const auto target = w.target();
  ASSERT_TRUE(target);
  EXPECT_EQ(target->type, health::Type::https);
  EXPECT_EQ(target->method, "HEAD");
  EXPECT_EQ(target->path, "/alive");
  EXPECT_EQ(target->version, health::HttpVersion::v1_1);
  EXPECT_EQ(target->expected, (std::vector<health::CodeRange>{{200, 204}}));
  EXPECT_EQ(target->domain_name, "www.example.com");
}

TEST(Targets, AreProbedWhereTheMemberSays) {
  Watched w;
  w.member().monitor_address = test::ip("203.0.113.99");
  w.member().monitor_port = 9000;
  EXPECT_EQ(w.target()->endpoint, (base::Endpoint{test::ip("203.0.113.99"), 9000}));
  w.monitor->type = model::MonitorType::ping;
  EXPECT_EQ(w.target()->endpoint.port, 0);
}

TEST(Targets, AreOnlyWhatIsSwitchedOnAndStays) {
  EXPECT_FALSE([] {
    Watched w;
    w.member().admin_state_up = false;
    return w;
  }()
                   .target());
  EXPECT_FALSE([] {
    Watched w;
    w.monitor->admin_state_up = false;
    return w;
  }()
                   .target());
  EXPECT_FALSE([] {
    Watched w;
    w.m.pools.begin()->second.admin_state_up = false;
    return w;
  }()
                   .target());
  EXPECT_FALSE([] {
    Watched w;
    w.m.load_balancers.begin()->second.admin_state_up = false;
    return w;
  }()
                   .target());
  EXPECT_FALSE([] {
    Watched w;
    w.member().provisioning_status = model::ProvisioningStatus::pending_delete;
    return w;
  }()
                   .target());
  EXPECT_TRUE([] {
    Watched w;
    w.member().weight = 0;
    return w;
  }()
                  .target());
}

TEST(Targets, ThatAreDownLeaveTheRing) {
  Watched w;
  Observed observed{two_links().reaching(w.m).observed(), {w.member().id}};
  const Plan plan = make_plan(w.m, observed, {}, {}, {});
  EXPECT_EQ(shares(plan, service(plan, "192.0.2.1", 80)).size(), 1u);
  EXPECT_EQ(plan.targets.size(), 2u);
}

}  // namespace
}  // namespace plan
