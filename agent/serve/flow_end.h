// How a connection ended, in HAProxy's two letters (%ts): who or what ended it, and in which state
// it was. Pure.
#pragma once

#include <string>

#include "agent/datapath/flow_witness.h"

namespace serve {

// Whose timeout is the shorter one, and so the one that ends what is idle.
enum class Shorter : uint8_t { client, member };

// A client that never went on after the member's SYN-ACK has not connected: HAProxy, too, would
// know nothing of it.
bool is_connection(const datapath::EndedFlow& flow);

// "--": in good order, or nobody knows.
std::string end_of(const datapath::EndedFlow& flow, Shorter shorter);

}  // namespace serve
