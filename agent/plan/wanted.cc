#include "agent/plan/wanted.h"

namespace plan {

bool is_unicast(const base::IpAddress& address) {
  if (address.is_unspecified() || address.is_loopback() || address.is_multicast()) return false;
  return address != base::IpAddress::v4(0xffffffff);
}

bool is_wanted(const model::Common& resource) {
  return resource.provisioning_status != model::ProvisioningStatus::pending_delete;
}

bool is_on(const model::Common& resource) { return is_wanted(resource) && resource.admin_state_up; }

std::set<base::IpAddress> vips_of(const model::LoadBalancer& lb) {
  std::set<base::IpAddress> vips;
  if (is_unicast(lb.vip_address)) vips.insert(lb.vip_address);
  for (const model::AdditionalVip& vip : lb.additional_vips)
    if (is_unicast(vip.ip_address)) vips.insert(vip.ip_address);
  return vips;
}

Timeouts timeouts_of(const model::Listener& listener) {
  const model::Listener standard;
  const auto said = [](int64_t timeout, int64_t otherwise) {
    return timeout > 0 ? timeout : otherwise;
  };
  return {said(listener.timeout_client_data, standard.timeout_client_data),
          said(listener.timeout_member_connect, standard.timeout_member_connect),
          said(listener.timeout_member_data, standard.timeout_member_data)};
}

std::optional<int> limit_of(const model::Listener& listener) {
  if (listener.connection_limit <= 0) return std::nullopt;
  return listener.connection_limit;
}

std::string reason_against(const model::Member& member) {
  if (!is_unicast(member.address))
    return "member address " + member.address.text() + " is not the address of one machine";
  if (member.protocol_port == 0) return "member " + member.address.text() + " has port 0";
  return "";
}

const model::Pool* wanted_pool(const model::Model& model, const model::Listener& listener) {
  if (!listener.default_pool) return nullptr;
  const model::Pool& pool = model.pools.at(*listener.default_pool);
  return is_wanted(pool) ? &pool : nullptr;
}

const model::Pool* serving_pool(const model::Model& model, const model::Listener& listener) {
  const model::Pool* pool = wanted_pool(model, listener);
  return pool != nullptr && pool->admin_state_up ? pool : nullptr;
}

}  // namespace plan
