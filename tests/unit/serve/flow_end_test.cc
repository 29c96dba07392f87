// How a connection ended, in HAProxy's two letters.
#include "agent/serve/flow_end.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

namespace serve {
namespace {

using datapath::EndedFlow;
using datapath::Expiry;
using std::chrono::milliseconds;

EndedFlow flow(lb_flow_state state, Expiry expiry, bool is_answered = true) {
  EndedFlow flow;
  flow.record.protocol = IPPROTO_TCP;
  flow.record.state = state;
  flow.expiry = expiry;
  flow.is_answered = is_answered;
  return flow;
}

EndedFlow reset(int client, int member, bool is_answered = true) {
  EndedFlow out = flow(LB_FLOW_RESET, Expiry::reset, is_answered);
  out.record.idle_client = milliseconds(client);
  out.record.idle_member = milliseconds(member);
  return out;
}

TEST(EndOfAConnection, IsInHaproxysLetters) {
  const std::vector<std::pair<EndedFlow, std::string>> table{
      {flow(LB_FLOW_CLOSED, Expiry::closed), "--"},
      {flow(LB_FLOW_OPEN, Expiry::keep), "--"},
      {flow(LB_FLOW_OPEN, Expiry::idle), "cD"},
      {flow(LB_FLOW_CLOSING_MEMBER, Expiry::idle), "cD"},
      {flow(LB_FLOW_HALF_OPEN, Expiry::unanswered, false), "sC"},
      {flow(LB_FLOW_OPEN, Expiry::listener_gone), "KD"},
      {flow(LB_FLOW_OPEN, Expiry::backend_gone), "DD"},
      {reset(0, 500), "CD"},
      {reset(500, 0), "SD"},
      {reset(0, 0), "--"},
      {reset(500, 0, false), "SC"},
      {reset(0, 0, false), "SC"},
      {reset(0, 500, false), "CC"},
  };
  for (const auto& [ended, letters] : table) EXPECT_EQ(end_of(ended, Shorter::client), letters);
  EXPECT_EQ(end_of(flow(LB_FLOW_OPEN, Expiry::idle), Shorter::member), "sD");
}

TEST(EndOfAConnection, IsInOrderForDatagramsThatStop) {
  EndedFlow datagrams = flow(LB_FLOW_OPEN, Expiry::idle, false);
  datagrams.record.protocol = IPPROTO_UDP;
  EXPECT_EQ(end_of(datagrams, Shorter::client), "--");
  datagrams = flow(LB_FLOW_HALF_OPEN, Expiry::unanswered, true);
  datagrams.record.protocol = IPPROTO_UDP;
  EXPECT_EQ(end_of(datagrams, Shorter::client), "--") << "a question and its answer";
  datagrams.is_answered = false;
  EXPECT_EQ(end_of(datagrams, Shorter::client), "sC");
}

TEST(EndOfAConnection, OfSctpIsAsOfTcp) {
  EndedFlow association = flow(LB_FLOW_OPEN, Expiry::idle);
  association.record.protocol = IPPROTO_SCTP;
  EXPECT_EQ(end_of(association, Shorter::client), "cD");
  association = flow(LB_FLOW_HALF_OPEN, Expiry::unanswered, true);
  association.record.protocol = IPPROTO_SCTP;
  EXPECT_EQ(end_of(association, Shorter::client), "sC");
  EXPECT_FALSE(is_connection(association));
}

TEST(EndOfAConnection, NeedsAClientThatConnected) {
  EXPECT_TRUE(is_connection(flow(LB_FLOW_CLOSED, Expiry::closed)));
  EXPECT_FALSE(is_connection(flow(LB_FLOW_OPEN, Expiry::elsewhere)))
      << "the other node tells of it";
  EXPECT_TRUE(is_connection(flow(LB_FLOW_HALF_OPEN, Expiry::unanswered, false)));
  EXPECT_FALSE(is_connection(flow(LB_FLOW_HALF_OPEN, Expiry::unanswered, true)));
  EXPECT_FALSE(is_connection(flow(LB_FLOW_HALF_OPEN, Expiry::listener_gone, false)));
  EndedFlow datagrams = flow(LB_FLOW_HALF_OPEN, Expiry::unanswered, false);
  datagrams.record.protocol = IPPROTO_UDP;
  EXPECT_TRUE(is_connection(datagrams));
}

}  // namespace
}  // namespace serve
