#include "agent/serve/amphora_pair.h"

#include "agent/pair/key.h"
#include "base/uuid.h"
#include "haproxy/uploaded.h"

namespace serve {

base::Result<std::optional<pair::Channel::Target>> target_of(const keepalived::Instance& instance,
                                                             const std::string& heartbeat_key) {
  const auto load_balancer = base::Uuid::parse(instance.name);
  std::optional<pair::Channel::Target> target;
  if (!load_balancer || heartbeat_key.empty() || !instance.source || instance.peers.size() != 1 ||
      *instance.source == instance.peers[0])
    return target;
  auto key =
      pair::derive_key(pair::Shared{heartbeat_key, load_balancer->text(), instance.password});
  if (!key) return key.error();
  target = pair::Channel::Target{*instance.source, instance.peers[0], haproxy::kPeersPort, *key,
                                 haproxy::place_of_peers()};
  return target;
}

}  // namespace serve
