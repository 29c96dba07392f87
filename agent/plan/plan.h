// make_plan: what the machine should be, from what is wanted and what is there. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/datapath/tables.h"
#include "agent/model/relations.h"
#include "agent/plan/flow_rates.h"
#include "agent/plan/placement.h"
#include "agent/plan/rings.h"
#include "haproxy/haproxy_spec.h"
#include "health/health_spec.h"
#include "netns/netns_spec.h"

namespace plan {

// What make_plan looks at besides the model.
struct Observed {
  netns::Observed net;        // hops looked up for the next_hop_targets of the last layout
  std::set<base::Uuid> down;  // members that their health checks found down
  // The certificates' store, by reference: PEM files that HAProxy can read.
  std::map<std::string, haproxy::PemFile> certificates = {};
  // Why XDP can forward nothing on this machine, and what helps, in words for people; "": it can.
  std::string obstacle = {};
  FlowRates rates = {};
};

// Numbers of the datapath for Octavia's ids. Kept from one plan to the next, and read back from the
// maps after a restart, so that a number means the same thing for as long as anything names it. A
// number that a plan no longer uses is free for the plan after it, not for that plan itself: the
// steps from the one to the other never give a number a second meaning while the first is named.
struct Ids {
  std::map<lb_service_key, uint32_t, datapath::BytesLess<lb_service_key>> services;
  std::map<RingKey, uint32_t> rings;
  std::unordered_map<base::Uuid, uint16_t, model::UuidHash> backends;  // by member
  // CIDR sets are numbered by content and never reused while a service names them. The prefixes are
  // networks of one family; the empty set is a list that has nobody of the VIP's family.
  std::map<std::set<base::IpPrefix>, uint32_t> cidr_sets;
};

// Ids of what is applied: for a restarted agent, and after steps that were not all carried out.
Ids ids_of(const datapath::Tables& applied);
// Members that are marked as down in what is applied.
std::set<base::Uuid> down_in(const datapath::Tables& applied);

// Steps put before they erase: so much fits beside as much again of the plan before, and leaves
// next hops for the clients' side.
inline constexpr size_t kMaxDestinations = (LB_MAX_NEXTHOPS - 1024) / 2;
inline constexpr size_t kMaxCidrs = LB_MAX_CIDRS / 2;

// Connections of HAProxy's to members are the kernel's own: it gets the ports from here on, at
// least, while something is placed there.
inline constexpr uint16_t kProxyPortMin = 32768;

// The ports that health checks connect from: the last ones of the kernel's, which no flow has.
health::SourcePorts probe_ports(const netns::LayoutSpec& configured);

// Numbers that live flows still name: they rest until no flow does.
struct Resting {
  std::set<uint32_t> services;
  std::set<uint16_t> backends;
  // Of those that are applied: what they are replaced by is true as long as a flow goes there.
  std::set<base::IpAddress> destinations = {};
};

struct Plan {
  datapath::Tables tables;
  netns::LayoutSpec layout;
  Ids ids;  // for the next make_plan, as the next
  Memory memory;
  // What is to be probed: the members of pools whose monitor is on, whatever their weight, unless
  // only HAProxy serves the pool and checks them itself.
  std::vector<health::Target> targets;
  // What HAProxy serves, of each load balancer that has something there; without the path of the
  // metrics socket, which is not the planner's. An amphora's is the text that was uploaded.
  haproxy::Specs haproxy;
  std::map<base::Uuid, Placement> placements;  // of every listener that stays
  // What could not be planned (out of ids, no route to a member), by resource, in words for people;
  // the first reason of each. The rest is planned without it.
  std::map<base::Uuid, std::string> problems;
};

// `configured` is the part of the layout that does not depend on the model; `ids` those of the plan
// that is applied; `memory` of any plan before, or nothing. PENDING_DELETE resources count as gone.
// The layout and its targets do not depend on observed hops: plan, arrange the layout, observe, and
// plan again for tables to apply.
Plan make_plan(const model::Model& model, const Observed& observed, const Ids& ids,
               const Resting& resting, const netns::LayoutSpec& configured,
               const Memory& memory = {});

}  // namespace plan
