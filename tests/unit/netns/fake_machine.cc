#include "tests/unit/netns/fake_machine.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "netns/sysctl.h"

namespace netns_test {

using netns::Address;
using netns::Link;
using netns::Owner;
using netns::Route;
using netns::Rule;

namespace {

Link link(uint32_t ifindex, const std::string& name, const std::string& mac_text) {
  Link out;
  out.ifindex = ifindex;
  out.name = name;
  out.mac = mac(mac_text.c_str());
  out.mtu = 1500;
  out.carrier = true;
  return out;
}

struct Carry {
  FakeMachine& machine;
  netns::State& state = machine.state;

  Link& at(const std::string& name) {
    uint32_t index = machine.index_of(name);
    EXPECT_NE(index, 0u) << "no link " << name;
    return state.seen.links[index];
  }

  void operator()(const netns::MoveLink& s) {
    auto moved = state.outside.extract(s.ifindex);
    ASSERT_FALSE(moved.empty());
    EXPECT_EQ(machine.index_of(s.to), 0u) << s.to << " is taken";
    Link arrived = moved.mapped();
    arrived.name = s.to;
    arrived.up = false;
    while (state.seen.links.contains(arrived.ifindex)) ++arrived.ifindex;
    state.seen.links[arrived.ifindex] = arrived;
    for (const auto& [key, value] : netns::wanted_sysctls(s.to)) state.sysctls[key] = "0";
    for (const auto& [key, value] :
         netns::advertisement_sysctls(s.to, netns::RouterAdvertisements::followed))
      state.sysctls[key] = "1";
    state.sysctls[netns::accept_ra_key(s.to)] = state.sysctls[netns::accept_ra_key("default")];
  }
  void operator()(const netns::RenameLink& s) {
    EXPECT_EQ(machine.index_of(s.to), 0u) << s.to << " is taken";
    at(s.from).name = s.to;
  }
  void operator()(const netns::SetMtu& s) { at(s.link).mtu = s.mtu; }
  void operator()(const netns::SetUp& s) { at(s.link).up = true; }
  void operator()(const netns::SetSysctl& s) { state.sysctls[s.key] = s.value; }
  void operator()(const netns::AddAddress& s) {
    state.addresses.push_back({at(s.link).ifindex, s.prefix, Owner::us});
    at(s.link).addresses.push_back(s.prefix);
  }
  void operator()(const netns::RemoveAddress& s) {
    const Address gone{at(s.link).ifindex, s.prefix, Owner::us};
    EXPECT_EQ(std::erase(state.addresses, gone), 1u) << "not ours: " << s.prefix.text();
    std::erase(at(s.link).addresses, s.prefix);
  }
  Route ours(const std::string& link, netns::RouteSpec spec) {
    spec.onlink = false;
    return {at(link).ifindex, spec, Owner::us};
  }
  void operator()(const netns::AddRoute& s) { state.routes.push_back(ours(s.link, s.route)); }
  void operator()(const netns::ReplaceRoute& s) {
    EXPECT_EQ(std::erase(state.routes, ours(s.old_link, s.old_route)), 1u);
    state.routes.push_back(ours(s.link, s.route));
  }
  void operator()(const netns::RemoveRoute& s) {
    EXPECT_EQ(std::erase(state.routes, ours(s.link, s.route)), 1u) << "not ours";
  }
  void operator()(const netns::AddRule& s) { state.rules.push_back({s.rule, Owner::us}); }
  void operator()(const netns::RemoveRule& s) {
    EXPECT_EQ(std::erase(state.rules, Rule{s.rule, Owner::us}), 1u) << "not ours";
  }
  void operator()(const netns::ManageNeighbour& s) {
    EXPECT_FALSE(state.permanent.contains(s.key));
    EXPECT_TRUE(state.managed.insert(s.key).second);
  }
  void operator()(const netns::ReleaseNeighbour& s) { EXPECT_EQ(state.managed.erase(s.key), 1u); }
};

}  // namespace

FakeMachine::FakeMachine() {
  Link& lo = plug_inside(1, "lo", "00:00:00:00:00:00");
  lo.loopback = true;
  for (const auto& [key, value] : netns::wanted_sysctls(netns::LayoutSpec{}))
    state.sysctls[key] = "0";
  state.sysctls["net/ipv4/ip_local_port_range"] = "32768 60999";
  state.sysctls[netns::accept_ra_key("default")] = "1";
}

Link& FakeMachine::plug_outside(uint32_t ifindex, const std::string& name,
                                const std::string& mac_text) {
  return state.outside[ifindex] = link(ifindex, name, mac_text);
}

Link& FakeMachine::plug_inside(uint32_t ifindex, const std::string& name,
                               const std::string& mac_text) {
  return state.seen.links[ifindex] = link(ifindex, name, mac_text);
}

uint32_t FakeMachine::index_of(const std::string& name) const {
  for (const auto& [ifindex, l] : state.seen.links)
    if (l.name == name) return ifindex;
  return 0;
}

void FakeMachine::apply(const netns::Step& step) {
  SCOPED_TRACE(netns::describe(step));
  std::visit(Carry{*this}, step);
}

void FakeMachine::route_targets(const netns::LayoutSpec& want) {
  state.seen.hops.clear();
  for (const base::IpAddress& target : want.next_hop_targets) {
    for (const Route& r : state.routes)
      if (r.spec.table == 254 && r.spec.destination.contains(target))
        state.seen.hops[target] = {r.ifindex, r.spec.gateway, {}, {}};
    for (const Address& a : state.addresses)
      if (a.prefix.contains(target))
        state.seen.hops[target] = {a.ifindex, {}, a.prefix.address, {}};
  }
}

std::vector<std::string> FakeMachine::arrange(const netns::LayoutSpec& want) {
  std::vector<std::string> all;
  for (int round = 0; round < 5; ++round) {
    route_targets(want);
    const std::vector<netns::Step> steps = netns::diff(want, state);
    if (steps.empty()) return all;
    for (const netns::Step& step : steps) {
      all.push_back(netns::describe(step));
      apply(step);
    }
  }
  for (const netns::Step& step : netns::diff(want, state))
    ADD_FAILURE() << "left to do: " << netns::describe(step);
  return all;
}

std::vector<std::string> describe(const std::vector<netns::Step>& steps) {
  std::vector<std::string> out;
  for (const netns::Step& step : steps) out.push_back(netns::describe(step));
  return out;
}

}  // namespace netns_test
