// Reading a plan in the words of the test.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <string_view>

#include "agent/datapath/abi.h"
#include "agent/plan/plan.h"
#include "tests/support/model_builders.h"
#include "tests/support/net_builders.h"

namespace plan {

inline constexpr char kVip[] = "192.0.2.1";

// VIPs live on eth0 (2), members on eth0 too or on eth1 (3).
inline test::Net two_links() {
  return test::Net()
      .link(2, "eth0", {"192.0.2.10/24", "2001:db8:1::10/64"})
      .link(3, "eth1", {"203.0.113.10/24", "2001:db8:2::10/64"}, 9000);
}

inline Plan plan_of(const model::Model& model, const Ids& ids = {}, const Resting& resting = {}) {
  return make_plan(model, {two_links().reaching(model).observed(), {}}, ids, resting, {});
}

inline lb_service_key key(std::string_view vip, uint16_t port, uint8_t proto = IPPROTO_TCP) {
  const base::IpAddress address = test::ip(vip);
  return {datapath::to_abi(address), htons(port), proto, datapath::to_abi(address.family())};
}

// Throws std::out_of_range, and so fails the test, when there is none.
inline const lb_service& service(const Plan& plan, std::string_view vip, uint16_t port,
                                 uint8_t proto = IPPROTO_TCP) {
  return plan.tables.services.at(key(vip, port, proto));
}

inline std::string place(const lb_backend& backend) {
  const base::Family family = datapath::from_abi(backend.family);
  return base::Endpoint{datapath::from_abi(family, backend.addr), ntohs(backend.port)}.text();
}

inline const lb_backend& backend(const Plan& plan, const std::string& where) {
  for (const auto& [number, backend] : plan.tables.backends)
    if (place(backend) == where) return backend;
  throw std::out_of_range("no backend " + where);
}

using Shares = std::map<std::string, size_t>;  // "203.0.113.7:80" -> slots

inline Shares shares(const Plan& plan, const lb_service& service) {
  Shares shares;
  if (service.ring == 0) return shares;
  for (uint16_t slot : plan.tables.rings.at(service.ring).slots)
    shares[place(plan.tables.backends.at(slot))]++;
  return shares;
}

// What HAProxy serves of the only load balancer that has something there.
inline haproxy::Spec l7(const Plan& plan) {
  if (plan.haproxy.size() != 1) throw std::out_of_range("not one load balancer of HAProxy's");
  return plan.haproxy.begin()->second;
}

inline bool same_bytes(const lb_tag& tag, const base::Uuid& id) {
  return std::equal(id.bytes.begin(), id.bytes.end(), tag.uuid);
}

}  // namespace plan
