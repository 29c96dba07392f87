#include "agent/datapath/flow_names.h"

#include <arpa/inet.h>

#include "agent/datapath/abi.h"

namespace datapath {

FlowNames FlowNames::of(const Tables& tables, const HopOf& hop_of) {
  FlowNames names;
  for (const auto& [key, service] : tables.services)
    names.services_[{key.proto, from_abi(from_abi(key.family), key.vip), ntohs(key.port)}] = {
        static_cast<uint16_t>(service.id), from_abi(service.pool)};
  for (const auto& [id, backend] : tables.backends) {
    if ((backend.flags & LB_BACKEND_PRESENT) == 0) continue;
    const base::IpAddress address = from_abi(from_abi(backend.family), backend.addr);
    Ids ids;
    ids.backend = id;
    ids.nexthop = hop_of(address);
    ids.moves = (backend.flags & (LB_BACKEND_SNAT_VIP | LB_BACKEND_SNAT_FLOATS)) != 0;
    if ((backend.flags & LB_BACKEND_SNAT_FLOATS) != 0)
      names.floating_.insert(from_abi(from_abi(backend.family), backend.snat));
    names.backends_[{from_abi(backend.pool), address, ntohs(backend.port)}] = ids;
  }
  return names;
}

std::optional<FlowNames::Ids> FlowNames::find(const Ends& flow) const {
  const auto service = services_.find({flow.protocol, flow.vip.address, flow.vip.port});
  if (service == services_.end()) return std::nullopt;
  const auto backend =
      backends_.find({service->second.pool, flow.member.address, flow.member.port});
  if (backend == backends_.end()) return std::nullopt;
  Ids ids = backend->second;
  ids.service = service->second.id;
  ids.moves = ids.moves && goes_along(flow.snat, flow.vip.address);
  return ids;
}

}  // namespace datapath
