// Models for tests, written as one sentence:
//   load_balancer("192.0.2.1").listener(tcp, 80).pool().member("198.51.100.7", 8080).model()
// Ids are made from what a resource is (VIP, protocol and port, address and port), so that the same
// resource has the same id in another model.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/model/model.h"
#include "tests/support/addresses.h"

namespace test {

base::Uuid id_from(std::string_view what);          // the same text, the same id
model::Model join(model::Model a, model::Model b);  // resources of both

struct ListenerOptions {
  int connection_limit = -1;
  std::vector<std::string> allowed_cidrs = {};
  int64_t timeout_client_data = 50000;
  int64_t timeout_member_connect = 5000;
  int64_t timeout_member_data = 50000;
};

struct MemberOptions {
  int weight = 1;
  bool backup = false;
  bool admin_state_up = true;
};

// One load balancer and what hangs on it. listener() goes to the load balancer, pool() becomes the
// default pool of the last listener, member() goes to the last pool.
class LoadBalancerBuilder {
 public:
  explicit LoadBalancerBuilder(std::string_view vip);

  LoadBalancerBuilder& vip(std::string_view address);  // one more
  LoadBalancerBuilder& listener(model::ListenerProtocol protocol, uint16_t port,
                                const ListenerOptions& options = {});
  // The protocol is the one that fits the listener: UDP for UDP, SCTP for SCTP, else TCP.
  LoadBalancerBuilder& pool(model::Algorithm algorithm = model::Algorithm::round_robin);
  LoadBalancerBuilder& pool(model::Algorithm algorithm, model::PoolProtocol protocol);
  LoadBalancerBuilder& member(std::string_view address, uint16_t port,
                              const MemberOptions& options = {});
  // `count` members of weight 1 with consecutive addresses.
  LoadBalancerBuilder& members(std::string_view first, int count, uint16_t port);

  // The resource named last, for what has no word here.
  model::LoadBalancer& load_balancer() { return model_.load_balancers.at(load_balancer_); }
  model::Listener& last_listener() { return model_.listeners.at(listener_); }
  model::Pool& last_pool() { return model_.pools.at(pool_); }
  model::Member& last_member() { return model_.members.at(member_); }

  const model::Model& model() const { return model_; }
  operator model::Model() const { return model_; }  // NOLINT

 private:
  model::Model model_;
  base::Uuid load_balancer_, listener_, pool_, member_;
};

inline LoadBalancerBuilder load_balancer(std::string_view vip) { return LoadBalancerBuilder(vip); }

}  // namespace test
