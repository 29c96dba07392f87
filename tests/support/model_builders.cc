#include "tests/support/model_builders.h"

#include <utility>

namespace test {

namespace {

std::string listener_name(const model::Listener& listener) {
  return std::to_string(static_cast<int>(listener.protocol)) + "/" +
         std::to_string(listener.protocol_port);
}

base::IpAddress following(const base::IpAddress& address) {
  std::array<uint8_t, 16> bytes{};
  for (size_t i = 0; i < address.size(); i++) bytes[i] = address.bytes()[i];
  for (size_t i = address.size(); i-- > 0;)
    if (++bytes[i] != 0) break;
  return base::IpAddress::from_bytes(address.family(), bytes.data());
}

}  // namespace

base::Uuid id_from(std::string_view what) {
  base::Uuid id;
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a, once over for each half
  for (size_t half = 0; half < 2; half++) {
    for (char c : what) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
    for (size_t i = 0; i < 8; i++) id.bytes[half * 8 + i] = static_cast<uint8_t>(hash >> (8 * i));
  }
  return id;
}

model::Model join(model::Model a, model::Model b) {
  a.load_balancers.merge(b.load_balancers);
  a.listeners.merge(b.listeners);
  a.pools.merge(b.pools);
  a.members.merge(b.members);
  return a;
}

LoadBalancerBuilder::LoadBalancerBuilder(std::string_view vip) {
  model::LoadBalancer lb;
  lb.id = load_balancer_ = id_from("load balancer " + std::string(vip));
  lb.name = "lb";
  lb.vip_address = ip(vip);
  model_.load_balancers[lb.id] = lb;
}

LoadBalancerBuilder& LoadBalancerBuilder::vip(std::string_view address) {
  load_balancer().additional_vips.push_back({ip(address), ""});
  return *this;
}

LoadBalancerBuilder& LoadBalancerBuilder::listener(model::ListenerProtocol protocol, uint16_t port,
                                                   const ListenerOptions& options) {
  model::Listener listener;
  listener.load_balancer = load_balancer_;
  listener.protocol = protocol;
  listener.protocol_port = port;
  listener.connection_limit = options.connection_limit;
  listener.timeout_client_data = options.timeout_client_data;
  listener.timeout_member_connect = options.timeout_member_connect;
  listener.timeout_member_data = options.timeout_member_data;
  for (const std::string& cidr : options.allowed_cidrs)
    listener.allowed_cidrs.push_back(prefix(cidr));
  listener.name = listener_name(listener);
  listener.id = listener_ = id_from(load_balancer_.text() + " listener " + listener.name);
  model_.listeners[listener.id] = listener;
  return *this;
}

LoadBalancerBuilder& LoadBalancerBuilder::pool(model::Algorithm algorithm) {
  switch (last_listener().protocol) {
    case model::ListenerProtocol::udp:
      return pool(algorithm, model::PoolProtocol::udp);
    case model::ListenerProtocol::sctp:
      return pool(algorithm, model::PoolProtocol::sctp);
    default:
      return pool(algorithm, model::PoolProtocol::tcp);
  }
}

LoadBalancerBuilder& LoadBalancerBuilder::pool(model::Algorithm algorithm,
                                               model::PoolProtocol protocol) {
  model::Pool pool;
  pool.id = pool_ = id_from(listener_.text() + " pool");
  pool.name = "pool of " + last_listener().name;
  pool.load_balancer = load_balancer_;
  pool.protocol = protocol;
  pool.algorithm = algorithm;
  model_.pools[pool.id] = pool;
  last_listener().default_pool = pool.id;
  return *this;
}

LoadBalancerBuilder& LoadBalancerBuilder::member(std::string_view address, uint16_t port,
                                                 const MemberOptions& options) {
  model::Member member;
  member.pool = pool_;
  member.address = ip(address);
  member.protocol_port = port;
  member.weight = options.weight;
  member.backup = options.backup;
  member.admin_state_up = options.admin_state_up;
  member.name = base::Endpoint{member.address, port}.text();
  member.id = member_ = id_from(pool_.text() + " member " + member.name);
  model_.members[member.id] = member;
  return *this;
}

LoadBalancerBuilder& LoadBalancerBuilder::members(std::string_view first, int count,
                                                  uint16_t port) {
  base::IpAddress address = ip(first);
  for (int i = 0; i < count; i++) {
    member(address.text(), port);
    address = following(address);
  }
  return *this;
}

}  // namespace test
