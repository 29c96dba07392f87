#include "agent/octavia/narrow.h"

#include <utility>

namespace octavia {
namespace {

VipRule::Protocol protocol_of(model::ListenerProtocol protocol) {
  if (protocol == model::ListenerProtocol::udp) return VipRule::Protocol::udp;
  if (protocol == model::ListenerProtocol::sctp) return VipRule::Protocol::sctp;
  return VipRule::Protocol::tcp;
}

// An empty list lets everybody in; nobody sends from this address.
std::vector<base::IpPrefix> nobody() { return {{base::IpAddress::v4(0xffffffff), 32}}; }

}  // namespace

void narrow(model::Model& model, const std::vector<VipRule>& rules) {
  for (auto& [id, listener] : model.listeners) {
    auto allowed = allowed_clients(rules, protocol_of(listener.protocol), listener.protocol_port,
                                   listener.allowed_cidrs);
    listener.allowed_cidrs = allowed ? std::move(*allowed) : nobody();
  }
}

}  // namespace octavia
