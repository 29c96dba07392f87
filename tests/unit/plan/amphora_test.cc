// An amphora's plan: what its uploaded files decide is taken from them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/plan/planned.h"

namespace plan {
namespace {

using enum model::ListenerProtocol;
using model::Algorithm;
using model::PoolProtocol;
using testing::Contains;
using testing::IsEmpty;

base::Uuid listener_at(const model::Model& model, uint16_t port) {
  for (const auto& [id, listener] : model.listeners)
    if (listener.protocol_port == port) return id;
  throw std::out_of_range("no listener at port " + std::to_string(port));
}

void watch(model::Model& model) {
  for (const auto& [id, pool] : model.pools) {
    model::HealthMonitor monitor;
    monitor.id = test::id_from("monitor of " + id.text());
    monitor.pool = id;
    monitor.delay = monitor.timeout = monitor.max_retries = 1;
    model.health_monitors[monitor.id] = monitor;
  }
}

// TCP at 80 and UDP at 53 are the datapath's, HTTP at 8080 and TCP at 443 are left to HAProxy.
model::Model amphora() {
  auto lb = test::load_balancer(kVip);
  lb.listener(tcp, 80).pool().member("203.0.113.7", 80);
  lb.listener(udp, 53).pool().member("203.0.113.8", 53);
  lb.listener(http, 8080).pool(Algorithm::round_robin, PoolProtocol::http);
  lb.member("203.0.113.9", 80);
  lb.listener(tcp, 443).pool().member("203.0.113.10", 443);
  model::Model model = lb;
  watch(model);
  model.amphora.emplace();
  model.amphora->left_to_haproxy = {{listener_at(model, 8080), "mode http"},
                                    {listener_at(model, 443), "an unknown option"}};
  model.amphora->haproxy_text = "frontend 8080\n";
  model.amphora->peer_name = "peer-1";
  return model;
}

TEST(Amphora, UploadsDecideWhoServes) {
  const model::Model model = amphora();
  const Plan plan = plan_of(model);
  EXPECT_EQ(plan.placements.at(listener_at(model, 80)).by, ServedBy::xdp);
  EXPECT_EQ(plan.placements.at(listener_at(model, 53)).by, ServedBy::xdp);
  EXPECT_EQ(plan.placements.at(listener_at(model, 8080)),
            (Placement{ServedBy::haproxy, "mode http"}));
  // Standalone it would be the datapath's.
  EXPECT_EQ(plan.placements.at(listener_at(model, 443)),
            (Placement{ServedBy::haproxy, "an unknown option"}));
  EXPECT_EQ(service(plan, kVip, 80).flags & LB_SERVICE_TO_KERNEL, 0u);
  EXPECT_EQ(service(plan, kVip, 443).flags & LB_SERVICE_TO_KERNEL, LB_SERVICE_TO_KERNEL);
  EXPECT_EQ(service(plan, kVip, 8080).flags & LB_SERVICE_TO_KERNEL, LB_SERVICE_TO_KERNEL);
  EXPECT_EQ(shares(plan, service(plan, kVip, 53, IPPROTO_UDP)).size(), 1u);
}

// Texts of UDP listeners that are off say no port, those of members that are off no address.
TEST(Amphora, WhatIsOffAndHasNoPlaceIsNoProblem) {
  auto lb = test::load_balancer(kVip);
  lb.listener(udp, 53).pool().member("203.0.113.8", 53);
  lb.listener(udp, 0);
  model::Model model = lb;
  model::Member& member = model.members.begin()->second;
  member.address = *base::IpAddress::parse("0.0.0.0");
  member.protocol_port = 0;
  member.admin_state_up = false;
  EXPECT_EQ(plan_of(model).problems.size(), 2u);
  model.amphora.emplace();
  const Plan plan = plan_of(model);
  EXPECT_THAT(plan.problems, IsEmpty());
  EXPECT_EQ(plan.tables.services.size(), 1u);
  member.admin_state_up = true;
  EXPECT_EQ(plan_of(model).problems.size(), 1u);
}

TEST(Amphora, HaproxyLoadsTheUploadAndNothingElse) {
  model::Model model = amphora();
  Plan plan = plan_of(model);
  EXPECT_EQ(l7(plan).uploaded, (haproxy::Uploaded{"frontend 8080\n", "peer-1"}));
  EXPECT_THAT(l7(plan).frontends, IsEmpty());
  EXPECT_THAT(l7(plan).backends, IsEmpty());
  model.amphora->left_to_haproxy.clear();
  model.amphora->haproxy_text.clear();
  model.amphora->peer_name.clear();
  EXPECT_EQ(l7(plan_of(model)).uploaded, haproxy::Uploaded{});
  model.amphora.reset();
  EXPECT_EQ(l7(plan_of(model)).uploaded, std::nullopt);
}

// Where nothing can be taken over, HAProxy has the whole upload; it has no datagrams.
TEST(Amphora, HaproxyLoadsAllWhereXdpCanForwardNothing) {
  model::Model model = amphora();
  model.amphora->whole_text = "frontend 80\nfrontend 443\nfrontend 8080\n";
  const auto net = two_links().reaching(model).observed();
  const Plan plan = make_plan(model, {net, {}, {}, "checksums"}, {}, {}, {});
  EXPECT_EQ(l7(plan).uploaded, (haproxy::Uploaded{model.amphora->whole_text, "peer-1"}));
  EXPECT_EQ(plan.placements.at(listener_at(model, 80)),
            (Placement{ServedBy::haproxy, "checksums"}));
  EXPECT_EQ(plan.placements.at(listener_at(model, 443)).reason, "an unknown option");
  EXPECT_EQ(plan.placements.at(listener_at(model, 53)).by, ServedBy::xdp);
}

// Whoever uploads a text has its checks in it.
TEST(Amphora, HaproxyChecksWhatIsLeftToIt) {
  model::Model model = amphora();
  std::vector<std::string> probed;
  for (const health::Target& target : plan_of(model).targets)
    probed.push_back(target.endpoint.text());
  EXPECT_THAT(probed, testing::UnorderedElementsAre("203.0.113.7:80", "203.0.113.8:53"));
  // A pool that the datapath uses, too, is its prober's.
  const base::Uuid shared = *model.listeners.at(listener_at(model, 80)).default_pool;
  model.listeners.at(listener_at(model, 443)).default_pool = shared;
  EXPECT_EQ(plan_of(model).targets.size(), 2u);
}

TEST(Amphora, AddressesAreTheInterfaceFiles) {
  const model::Model model = amphora();
  netns::LayoutSpec configured;
  configured.interfaces.push_back({"eth0", {}, 1500, {test::prefix("192.0.2.10/24")}, {}, {}});
  const auto layout = make_plan(model, {two_links().observed(), {}}, {}, {}, configured).layout;
  EXPECT_THAT(layout.vips, IsEmpty());
  EXPECT_EQ(layout.interfaces, configured.interfaces);
  EXPECT_THAT(layout.next_hop_targets, Contains(test::ip("203.0.113.7")));
}

// The VIP is on the other node: nothing of it is observed here, and all is ready for it.
TEST(Amphora, AStandbyHasItsServices) {
  model::Model model = amphora();
  auto near = test::load_balancer(kVip).listener(tcp, 81).pool().member("192.0.2.77", 80);
  model = test::join(model, near.model());
  model.amphora = amphora().amphora;
  const Plan standby = plan_of(model);
  EXPECT_THAT(standby.problems, IsEmpty());
  EXPECT_EQ(standby.tables.services.size(), 5u);
  // Through the link of the VIP it is the VIP's; elsewhere the link's own first address.
  EXPECT_EQ(backend(standby, "192.0.2.77:80").flags & LB_BACKEND_SNAT_VIP, LB_BACKEND_SNAT_VIP);
  const lb_backend& far = backend(standby, "203.0.113.7:80");
  EXPECT_EQ(far.flags & LB_BACKEND_SNAT_VIP, 0u);
  EXPECT_EQ(datapath::from_abi(base::Family::ipv4, far.snat), test::ip("203.0.113.10"));

  auto with_vip = two_links().reaching(model);
  with_vip.observed().links.at(2).addresses.push_back(test::prefix("192.0.2.1/32"));
  const Plan master = make_plan(model, {with_vip.observed(), {}}, standby.ids, {}, {});
  EXPECT_THAT(datapath::diff(standby.tables, master.tables), IsEmpty());
}

}  // namespace
}  // namespace plan
