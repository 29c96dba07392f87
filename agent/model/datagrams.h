// The protocols that Octavia gives to LVS, and has rules of their own for.
#pragma once

#include "agent/model/model.h"

namespace model {

constexpr bool has_datagrams(ListenerProtocol protocol) {
  return protocol == ListenerProtocol::udp || protocol == ListenerProtocol::sctp;
}

constexpr bool has_datagrams(PoolProtocol protocol) {
  return protocol == PoolProtocol::udp || protocol == PoolProtocol::sctp;
}

}  // namespace model
