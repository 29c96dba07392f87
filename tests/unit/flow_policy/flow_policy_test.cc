#include "agent/datapath/flow_policy.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

namespace datapath {
namespace {

constexpr uint32_t kServiceId = 3;
constexpr uint16_t kUp = 7, kDown = 8, kUnknown = 9, kDisabled = 10;
constexpr uint32_t kSecond = 1000 / LB_TICK_MS;

// Octavia's defaults: 50 s for client and member, 5 s to connect.
struct Timeouts {
  uint32_t client = 50000, member = 50000, connect = 5000;  // ms
};

FlowPolicy policy(const Timeouts& timeouts = {}) {
  Tables tables;
  lb_service service{};
  service.id = kServiceId;
  service.client_timeout = timeouts.client;
  service.member_timeout = timeouts.member;
  service.connect_timeout = timeouts.connect;
  tables.services[lb_service_key{}] = service;
  tables.backends[kUp].flags = LB_BACKEND_PRESENT | LB_BACKEND_RETURNING;
  tables.backends[kDown].flags = LB_BACKEND_PRESENT | LB_BACKEND_GONE;
  tables.backends[kDisabled].flags = LB_BACKEND_PRESENT;
  return FlowPolicy::of(tables);
}

FlowLife tcp(lb_flow_state state, uint32_t idle) {
  return {
      .protocol = IPPROTO_TCP, .state = state, .service = kServiceId, .backend = kUp, .idle = idle};
}

FlowLife udp(lb_flow_state state, uint32_t idle, bool answered = true) {
  FlowLife flow = tcp(state, idle);
  flow.protocol = IPPROTO_UDP;
  flow.answered = answered;
  return flow;
}

FlowLife sctp(lb_flow_state state, uint32_t idle, bool answered = true) {
  FlowLife flow = udp(state, idle, answered);
  flow.protocol = IPPROTO_SCTP;
  return flow;
}

// Kept until just this age, and not longer.
void expect_limit(const FlowPolicy& policy, FlowLife flow, uint32_t limit, Expiry after) {
  flow.idle = limit;
  EXPECT_EQ(policy.expiry(flow), Expiry::keep);
  flow.idle = limit + 1;
  EXPECT_EQ(policy.expiry(flow), after);
}

TEST(FlowPolicy, OpenFlowsEndWhenBothSidesWereSilentForTheShorterTimeout) {
  for (lb_flow_state state : {LB_FLOW_OPEN, LB_FLOW_CLOSING_CLIENT, LB_FLOW_CLOSING_MEMBER}) {
    expect_limit(policy({.client = 20000}), tcp(state, 0), 20 * kSecond, Expiry::idle);
    expect_limit(policy({.member = 30000}), tcp(state, 0), 30 * kSecond, Expiry::idle);
    expect_limit(policy({.member = 30000}), udp(state, 0), 30 * kSecond, Expiry::idle);
    expect_limit(policy({.member = 30000}), sctp(state, 0), 30 * kSecond, Expiry::idle);
  }
}

TEST(FlowPolicy, FlowsOfAServiceThatAProxyHasNowGoOn) {
  Tables tables;
  lb_service service{};
  service.id = kServiceId;
  service.flags = LB_SERVICE_TO_KERNEL;
  service.client_timeout = service.member_timeout = 50000;
  tables.services[lb_service_key{}] = service;
  const FlowPolicy policy = FlowPolicy::of(tables);  // nor has its pool backends here
  expect_limit(policy, tcp(LB_FLOW_OPEN, 0), 50 * kSecond, Expiry::idle);
}

TEST(FlowPolicy, TimeoutOfZeroIsNone) {
  expect_limit(policy({.client = 0, .member = 30000}), tcp(LB_FLOW_OPEN, 0), 30 * kSecond,
               Expiry::idle);
  const FlowPolicy none = policy({.client = 0, .member = 0, .connect = 0});
  EXPECT_EQ(none.expiry(tcp(LB_FLOW_OPEN, 0x7fffffff)), Expiry::keep);
  EXPECT_EQ(none.expiry(tcp(LB_FLOW_HALF_OPEN, 0x7fffffff)), Expiry::keep);
  expect_limit(none, udp(LB_FLOW_HALF_OPEN, 0, false), kUnansweredTicks, Expiry::unanswered);
  expect_limit(none, tcp(LB_FLOW_CLOSED, 0), kClosedTicks, Expiry::closed);
}

TEST(FlowPolicy, PartOfATickIsAWholeOne) {
  expect_limit(policy({.client = 1}), tcp(LB_FLOW_OPEN, 0), 1, Expiry::idle);
  expect_limit(policy({.client = LB_TICK_MS + 1}), tcp(LB_FLOW_OPEN, 0), 2, Expiry::idle);
}

TEST(FlowPolicy, ConnectTimeoutIsForWhatIsHalfOpen) {
  expect_limit(policy(), tcp(LB_FLOW_HALF_OPEN, 0), 5 * kSecond, Expiry::unanswered);
  for (const bool answered : {false, true})
    expect_limit(policy(), sctp(LB_FLOW_HALF_OPEN, 0, answered), 5 * kSecond, Expiry::unanswered);
}

TEST(FlowPolicy, UnansweredUdpEndsEarly) {
  expect_limit(policy(), udp(LB_FLOW_HALF_OPEN, 0, false), kUnansweredTicks, Expiry::unanswered);
  expect_limit(policy({.client = 3000}), udp(LB_FLOW_HALF_OPEN, 0, false), 3 * kSecond,
               Expiry::unanswered);
}

TEST(FlowPolicy, QuestionWithItsAnswerEndsEarlier) {
  expect_limit(policy(), udp(LB_FLOW_HALF_OPEN, 0), 10 * kSecond, Expiry::unanswered);
  expect_limit(policy({.client = 3000}), udp(LB_FLOW_HALF_OPEN, 0), 3 * kSecond,
               Expiry::unanswered);
}

TEST(FlowPolicy, OneWayUdpHasTheClientsTimeoutOnly) {
  expect_limit(policy({.member = 1000}), udp(LB_FLOW_OPEN, 0, false), 50 * kSecond, Expiry::idle);
  expect_limit(policy({.member = 1000}), udp(LB_FLOW_OPEN, 0), kSecond, Expiry::idle);
}

TEST(FlowPolicy, ClosedAndResetFlowsHaveTimesOfTheirOwn) {
  expect_limit(policy(), tcp(LB_FLOW_CLOSED, 0), 5 * kSecond, Expiry::closed);
  expect_limit(policy(), tcp(LB_FLOW_RESET, 0), 2 * kSecond, Expiry::reset);
  expect_limit(policy(), sctp(LB_FLOW_CLOSED, 0), 5 * kSecond, Expiry::closed);
  expect_limit(policy(), sctp(LB_FLOW_RESET, 0), 2 * kSecond, Expiry::reset);
}

TEST(FlowPolicy, FlowsOfADeletedListenerEnd) {
  for (uint32_t service : {0u, kServiceId + 1, uint32_t{LB_MAX_SERVICES}}) {
    FlowLife flow = tcp(LB_FLOW_OPEN, 0);
    flow.service = service;
    EXPECT_EQ(policy().expiry(flow), Expiry::listener_gone);
  }
  EXPECT_EQ(FlowPolicy{}.expiry(tcp(LB_FLOW_OPEN, 0)), Expiry::listener_gone);
}

TEST(FlowPolicy, DatagramsLeaveAMemberThatIsGoneAndConnectionsDoNot) {
  for (uint32_t backend :
       {uint32_t{kDown}, uint32_t{kUnknown}, uint32_t{kDisabled}, uint32_t{LB_MAX_BACKENDS}}) {
    FlowLife flow = udp(LB_FLOW_OPEN, 0);
    flow.backend = backend;
    EXPECT_EQ(policy().expiry(flow), Expiry::backend_gone);
    for (const uint8_t protocol : {IPPROTO_TCP, IPPROTO_SCTP}) {
      flow.protocol = protocol;
      EXPECT_EQ(policy().expiry(flow), Expiry::keep);
    }
  }
  EXPECT_EQ(policy().expiry(udp(LB_FLOW_OPEN, 0)), Expiry::keep);
}

// Whatever its listener's timeouts: none may be waited for, or for ever.
TEST(FlowPolicy, WhatIsElsewhereIsOver) {
  FlowLife flow = tcp(LB_FLOW_OPEN, 3 * kSecond);
  flow.is_elsewhere = true;
  EXPECT_EQ(policy().expiry(flow), Expiry::elsewhere);
  EXPECT_EQ(policy({.client = 0, .member = 0}).expiry(flow), Expiry::elsewhere);
}

}  // namespace
}  // namespace datapath
