// FlowNames: what a flow that another node tells of is named here. Ids are each node's own; what
// both share are the listener's address and the members'. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "agent/datapath/tables.h"
#include "base/ip.h"
#include "base/uuid.h"

namespace datapath {

class FlowNames {
 public:
  // The id of the next hop towards a member; 0: there is none.
  using HopOf = std::function<uint16_t(const base::IpAddress&)>;
  static FlowNames of(const Tables& tables, const HopOf& hop_of);

  struct Ends {
    uint8_t protocol = 0;  // IPPROTO_*
    base::Endpoint vip, member;
    base::IpAddress snat;  // this side's address towards the member
  };
  struct Ids {
    uint16_t service = 0, backend = 0, nexthop = 0;
    bool moves = false;  // its address towards the member goes where the VIP goes
  };
  // nullopt: there is no such listener, or it has no such member.
  std::optional<Ids> find(const Ends& flow) const;
  // Whether a flow's address towards its member goes where its VIP goes.
  bool goes_along(const base::IpAddress& snat, const base::IpAddress& vip) const {
    return snat == vip || floating_.contains(snat);
  }

 private:
  struct Service {
    uint16_t id = 0;
    base::Uuid pool;
  };
  using Member = std::tuple<base::Uuid, base::IpAddress, uint16_t>;  // of a pool
  std::map<std::tuple<uint8_t, base::IpAddress, uint16_t>, Service> services_;
  std::map<Member, Ids> backends_;
  std::set<base::IpAddress> floating_;
};

}  // namespace datapath
