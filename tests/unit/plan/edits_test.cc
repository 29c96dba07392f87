// From plan to plan over random edits, with applies that end half way: what the datapath sees after
// every single step.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "agent/plan/plan.h"
#include "tests/unit/plan/planned.h"

namespace plan {
namespace {

using datapath::Step;
using datapath::Tables;

const std::vector<std::string> kVips = {"192.0.2.1", "192.0.2.2", "2001:db8:1::1"};
const std::vector<std::string> kMembers = {"192.0.2.7",     "203.0.113.7",   "203.0.113.8",
                                           "203.0.113.9",   "2001:db8:2::7", "2001:db8:2::8",
                                           "2001:db8:1::7", "198.51.100.7"};
const std::vector<std::vector<std::string>> kCidrs = {
    {}, {"198.51.100.0/24"}, {"0.0.0.0/0"}, {"::/0", "198.51.100.0/24"}, {"203.0.113.0/24"}};

// All of the range in every case, not only in the later ones.
size_t below(size_t end) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<size_t>(0, end));
}
bool one_in(size_t n) { return below(n) == 0; }

// What may be edited; resources follow from it with the same ids every time.
struct MemberChoice {
  bool there, down;
  test::MemberOptions options;
};
struct ListenerChoice {
  bool there, udp, admin_up;
  size_t cidrs;
  model::Algorithm algorithm;
  std::vector<MemberChoice> members;
};
struct World {
  std::vector<std::vector<ListenerChoice>> listeners;  // by VIP, then by port
  size_t second_vip = 0;                               // of the first load balancer; 0: none
};

MemberChoice random_member() {
  return {one_in(2), one_in(6), {static_cast<int>(below(5)), one_in(4), !one_in(6)}};
}

ListenerChoice random_listener() {
  using enum model::Algorithm;
  ListenerChoice choice{!one_in(4), one_in(3), !one_in(6), below(kCidrs.size()), round_robin, {}};
  if (one_in(3)) choice.algorithm = least_connections;
  if (one_in(12)) choice.algorithm = source_ip;  // rare: it is slow
  for (size_t i = 0; i < kMembers.size(); i++) choice.members.push_back(random_member());
  return choice;
}

World random_world() {
  World world;
  for (size_t vip = 0; vip < kVips.size(); vip++) {
    world.listeners.emplace_back();
    for (size_t port = 0; port < 3; port++) world.listeners[vip].push_back(random_listener());
  }
  return world;
}

void edit(World& world) {
  ListenerChoice& listener = world.listeners[below(kVips.size())][below(3)];
  switch (below(5)) {
    case 0:
      listener = random_listener();
      break;
    case 1:
      listener.cidrs = below(kCidrs.size());
      break;
    case 2:
      world.second_vip = below(kVips.size());
      break;
    default:
      listener.members[below(kMembers.size())] = random_member();
  }
}

struct Wanted {
  model::Model model;
  Observed observed;
};

Wanted wanted(const World& world) {
  Wanted w;
  for (size_t vip = 0; vip < kVips.size(); vip++) {
    auto lb = test::load_balancer(kVips[vip]);
    if (vip == 0 && world.second_vip != 0) lb.vip(kVips[world.second_vip]);
    for (size_t i = 0; i < world.listeners[vip].size(); i++) {
      const ListenerChoice& choice = world.listeners[vip][i];
      if (!choice.there) continue;
      using enum model::ListenerProtocol;
      lb.listener(choice.udp ? udp : tcp, static_cast<uint16_t>(80 + i),
                  {.allowed_cidrs = kCidrs[choice.cidrs]});
      lb.last_listener().admin_state_up = choice.admin_up;
      lb.pool(choice.algorithm);
      for (size_t m = 0; m < kMembers.size(); m++) {
        if (!choice.members[m].there) continue;
        lb.member(kMembers[m], 8080, choice.members[m].options);
        if (choice.members[m].down) w.observed.down.insert(lb.last_member().id);
      }
    }
    w.model = test::join(w.model, lb);
  }
  w.observed.net = two_links().reaching(w.model).observed();
  return w;
}

// The maps as the datapath would hold them, with what each service then means.
struct Maps {
  Tables tables;
  std::map<uint32_t, std::set<uint16_t>> backends_of_ring;

  void step(const Step& s) { std::visit(*this, s); }
  void operator()(const datapath::PutDestination& s) { tables.destinations[s.address] = s.value; }
  void operator()(const datapath::PutBackend& s) { tables.backends[s.id] = s.value; }
  void operator()(const datapath::PutRing& s) {
    tables.rings[s.id] = s.value;
    backends_of_ring[s.id] = {s.value.slots.begin(), s.value.slots.end()};
  }
  void operator()(const datapath::PutCidr& s) { tables.cidrs[s.key] = s.value; }
  void operator()(const datapath::PutService& s) { tables.services[s.key] = s.value; }
  void operator()(const datapath::EraseService& s) { tables.services.erase(s.key); }
  void operator()(const datapath::PutKernelPorts& s) { tables.kernel_ports = s.value; }
  void operator()(const datapath::EraseCidr& s) { tables.cidrs.erase(s.key); }
  void operator()(const datapath::EraseRing& s) {
    tables.rings.erase(s.id);
    backends_of_ring.erase(s.id);
  }
  void operator()(const datapath::EraseBackend& s) { tables.backends.erase(s.id); }
  void operator()(const datapath::EraseDestination& s) { tables.destinations.erase(s.address); }

  void check() const {
    for (const auto& [key, service] : tables.services)
      RC_ASSERT(service.ring == 0 || tables.rings.contains(service.ring));
    for (const auto& [number, backends] : backends_of_ring)
      for (uint16_t backend : backends) RC_ASSERT(tables.backends.contains(backend));
    for (const auto& [number, backend] : tables.backends) {
      const auto family = backend.family == LB_IPV6 ? base::Family::ipv6 : base::Family::ipv4;
      RC_ASSERT(tables.destinations.contains(datapath::from_abi(family, backend.addr)));
    }
  }
};

std::set<std::vector<uint8_t>> allowed(const Tables& tables, uint32_t set) {
  std::set<std::vector<uint8_t>> allowed;
  for (const auto& [key, cidr] : tables.cidrs) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(&key.addr);
    std::vector<uint8_t> entry(bytes, bytes + sizeof(key.addr));
    entry.push_back(static_cast<uint8_t>(key.prefixlen - LB_CIDR_SET_BITS));
    if (cidr.set == set) allowed.insert(entry);
  }
  return allowed;
}

// Whom a service lets in, and the pool that it leads to, are at every moment those of the one plan
// or of the other: never those of another service, never a mixture.
void check_meaning(const Tables& now, const Tables& before, const Tables& after) {
  for (const auto& [key, service] : now.services) {
    bool known = false;
    for (const Tables* plan : {&before, &after}) {
      const auto then = plan->services.find(key);
      if (then == plan->services.end()) continue;
      bool same = (service.cidr_set == 0) == (then->second.cidr_set == 0) &&
                  (service.ring == 0) == (then->second.ring == 0) &&
                  allowed(now, service.cidr_set) == allowed(*plan, then->second.cidr_set);
      if (same && service.ring != 0)
        same = now.rings.at(service.ring).pool == plan->rings.at(then->second.ring).pool;
      known = known || same;
    }
    RC_ASSERT(known);
  }
}

// Numbers are one each, in range, and never those that rest or were another's a moment ago.
template <class Map, class Number>
void check_numbers(const Map& before, const Map& after, const std::set<Number>& resting,
                   size_t end) {
  std::set<Number> earlier, given;
  for (const auto& [key, number] : before) earlier.insert(number);
  for (const auto& [key, number] : after) {
    RC_ASSERT(number >= 1 && number < end);
    RC_ASSERT(given.insert(number).second);
    const auto had = before.find(key);
    if (had != before.end()) {
      RC_ASSERT(had->second == number);
    } else {
      RC_ASSERT(!earlier.contains(number));
      RC_ASSERT(!resting.contains(number));
    }
  }
}

// Some of the numbers that are released are still named by flows, for a while.
template <class Map, class Number>
void rest(const Map& before, const Map& after, std::set<Number>& resting) {
  for (auto number = resting.begin(); number != resting.end();)
    number = one_in(3) ? resting.erase(number) : std::next(number);
  for (const auto& [key, number] : before)
    if (!after.contains(key) && one_in(2)) resting.insert(number);
}

RC_GTEST_PROP(Edits, EveryStepLeavesSoundTables, ()) {
  World world = random_world();
  Maps maps;
  Ids ids;
  Memory memory;
  Resting resting;
  const size_t edits = below(6) + 1;
  for (size_t i = 0; i < edits; i++) {
    const Wanted w = wanted(world);
    const Plan plan = make_plan(w.model, w.observed, ids, resting, {}, memory);
    if (!memory.schedules.empty()) {
      const Plan anew = make_plan(w.model, w.observed, ids, resting, {});
      RC_ASSERT(datapath::diff(anew.tables, plan.tables).empty());
    }
    memory = plan.memory;
    check_numbers(ids.services, plan.ids.services, resting.services, LB_MAX_SERVICES);
    check_numbers(ids.rings, plan.ids.rings, std::set<uint32_t>{}, LB_MAX_RINGS);
    check_numbers(ids.backends, plan.ids.backends, resting.backends, LB_MAX_BACKENDS);
    check_numbers(ids.cidr_sets, plan.ids.cidr_sets, std::set<uint32_t>{}, UINT32_MAX);

    const Tables before = maps.tables;
    const std::vector<Step> steps = datapath::diff(before, plan.tables);
    const size_t carried_out = one_in(4) ? below(steps.size() + 1) : steps.size();
    for (size_t step = 0; step < carried_out; step++) {
      maps.step(steps[step]);
      maps.check();
      check_meaning(maps.tables, before, plan.tables);
    }
    if (carried_out == steps.size()) RC_ASSERT(datapath::diff(maps.tables, plan.tables).empty());
    const Ids next = carried_out == steps.size() && one_in(2) ? plan.ids : ids_of(maps.tables);
    rest(ids.services, next.services, resting.services);
    rest(ids.backends, next.backends, resting.backends);
    ids = next;
    edit(world);
  }
}

}  // namespace
}  // namespace plan
