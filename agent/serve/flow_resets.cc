#include "agent/serve/flow_resets.h"

#include <netinet/in.h>

namespace serve {

namespace {

using datapath::EndedFlow;
using netns::Reset;

bool both_have_it(const EndedFlow& flow) {
  // They may go on, by way of another node.
  if (flow.expiry == datapath::Expiry::elsewhere) return false;
  switch (flow.record.state) {
    case LB_FLOW_OPEN:
    case LB_FLOW_CLOSING_CLIENT:
    case LB_FLOW_CLOSING_MEMBER:
      return true;
    default:
      return false;
  }
}

// Of an association that was found in the middle no tag may be known; an ABORT without one is
// nobody's.
void add(const Reset& reset, std::vector<Reset>& resets) {
  if (reset.protocol == Reset::Protocol::tcp || reset.awaited != 0) resets.push_back(reset);
}

}  // namespace

std::vector<Reset> resets_of(const std::vector<EndedFlow>& flows) {
  std::vector<Reset> resets;
  for (const EndedFlow& flow : flows) {
    if (flow.record.protocol == IPPROTO_UDP || !both_have_it(flow)) continue;
    const bool is_sctp = flow.record.protocol == IPPROTO_SCTP;
    Reset to_client{.from = flow.record.vip, .to = flow.record.client};
    Reset to_member{.from = flow.record.snat, .to = flow.record.member};
    // A number is of who sends by it, a tag of who is sent it.
    to_client.awaited = to_member.next = is_sctp ? flow.next_client : flow.next_member;
    to_member.awaited = to_client.next = is_sctp ? flow.next_member : flow.next_client;
    for (Reset reset : {to_client, to_member}) {
      reset.protocol = is_sctp ? Reset::Protocol::sctp : Reset::Protocol::tcp;
      if (flow.expiry == datapath::Expiry::listener_gone) reset.source = Reset::Source::anybodys;
      add(reset, resets);
    }
  }
  return resets;
}

}  // namespace serve
