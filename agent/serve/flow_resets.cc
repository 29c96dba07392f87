#include "agent/serve/flow_resets.h"

#include <netinet/in.h>

namespace serve {

namespace {

using datapath::EndedFlow;
using netns::TcpReset;

bool both_have_it(const EndedFlow& flow) {
  if (flow.record.protocol != IPPROTO_TCP) return false;
  switch (flow.record.state) {
    case LB_FLOW_OPEN:
    case LB_FLOW_CLOSING_CLIENT:
    case LB_FLOW_CLOSING_MEMBER:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::vector<TcpReset> resets_of(const std::vector<EndedFlow>& flows) {
  std::vector<TcpReset> resets;
  for (const EndedFlow& flow : flows) {
    if (!both_have_it(flow)) continue;
    const auto source = flow.expiry == datapath::Expiry::listener_gone ? TcpReset::Source::anybodys
                                                                       : TcpReset::Source::ours;
    resets.push_back({.from = flow.record.vip,
                      .to = flow.record.client,
                      .seq = flow.next_member,
                      .ack = flow.next_client,
                      .source = source});
    resets.push_back({.from = flow.record.snat,
                      .to = flow.record.member,
                      .seq = flow.next_client,
                      .ack = flow.next_member,
                      .source = source});
  }
  return resets;
}

}  // namespace serve
