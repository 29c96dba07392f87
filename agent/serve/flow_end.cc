#include "agent/serve/flow_end.h"

#include <netinet/in.h>

namespace serve {

namespace {

using datapath::EndedFlow;
using datapath::Expiry;

constexpr const char* kInOrder = "--";

bool is_of_datagrams(const EndedFlow& flow) { return flow.record.protocol == IPPROTO_UDP; }

// Who sent the last packet sent the RST; not known when both did within a tick.
std::string end_by_reset(const EndedFlow& flow) {
  const auto client = flow.record.idle_client, member = flow.record.idle_member;
  if (!flow.is_answered) return client < member ? "CC" : "SC";
  if (client == member) return kInOrder;
  return client < member ? "CD" : "SD";
}

}  // namespace

bool is_connection(const EndedFlow& flow) {
  if (flow.expiry == Expiry::elsewhere) return false;
  if (is_of_datagrams(flow) || flow.record.state != LB_FLOW_HALF_OPEN) return true;
  return !flow.is_answered && flow.expiry == Expiry::unanswered;
}

std::string end_of(const EndedFlow& flow, Shorter shorter) {
  switch (flow.expiry) {
    case Expiry::keep:
    case Expiry::closed:
    case Expiry::elsewhere:
      return kInOrder;
    case Expiry::listener_gone:
      return "KD";
    case Expiry::backend_gone:
      return "DD";
    case Expiry::unanswered:
      // One question and its answer: such a flow never opens.
      if (is_of_datagrams(flow) && flow.is_answered) return kInOrder;
      return "sC";
    case Expiry::idle:
      // For datagrams there is no other end.
      if (is_of_datagrams(flow)) return kInOrder;
      return shorter == Shorter::client ? "cD" : "sD";
    case Expiry::reset:
      return end_by_reset(flow);
  }
  return kInOrder;
}

}  // namespace serve
