// diff(): every prefix of its steps keeps what services, rings and backends name in place.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <rapidcheck.h>

#include "agent/datapath/abi.h"
#include "agent/datapath/tables.h"
#include "tests/unit/tables/random_tables.h"

namespace datapath {
namespace {

using testing::ElementsAre;

// Does one step the literal way.
struct Apply {
  Tables& t;
  void operator()(const PutDestination& s) { t.destinations[s.address] = s.value; }
  void operator()(const PutBackend& s) { t.backends[s.id] = s.value; }
  void operator()(const PutRing& s) { t.rings[s.id] = s.value; }
  void operator()(const PutCidr& s) { t.cidrs[s.key] = s.value; }
  void operator()(const PutService& s) { t.services[s.key] = s.value; }
  void operator()(const PutKernelPorts& s) { t.kernel_ports = s.value; }
  void operator()(const EraseService& s) { t.services.erase(s.key); }
  void operator()(const EraseCidr& s) { t.cidrs.erase(s.key); }
  void operator()(const EraseRing& s) { t.rings.erase(s.id); }
  void operator()(const EraseBackend& s) { t.backends.erase(s.id); }
  void operator()(const EraseDestination& s) { t.destinations.erase(s.address); }
};

TEST(Diff, EveryPrefixKeepsWhatIsNamedAndAllOfThemArrive) {
  const bool held = rc::check("prefixes of diff", [] {
    const Tables have = random_tables();
    const Tables want = random_tables();
    auto complete = cidr_sets(have);
    complete.merge(cidr_sets(want));
    Tables now = have;
    RC_ASSERT(!broken(now, complete));
    for (const Step& step : diff(have, want)) {
      std::visit(Apply{now}, step);
      const auto why = broken(now, complete);
      if (why) RC_FAIL(*why + " after " + describe(step));
    }
    RC_ASSERT(contents(now) == contents(want));
    RC_ASSERT(diff(now, want).empty());
  });
  EXPECT_TRUE(held);
}

TEST(Diff, AChangedRingIsOnePut) {
  Tables have;
  have.destinations[member(1)] = lb_nexthop{};
  have.backends[1] = backend_at(1);
  have.rings[1] = ring_of({1});
  Tables want = have;
  want.rings[1].slots = {1, 1};
  const std::vector<Step> steps = diff(have, want);
  ASSERT_EQ(steps.size(), 1u);
  EXPECT_EQ(describe(steps[0]), "put ring 1 of 2 slots");
}

std::vector<std::string> described(const Tables& have, const Tables& want) {
  std::vector<std::string> all;
  for (const Step& step : diff(have, want)) all.push_back(describe(step));
  return all;
}

TEST(Diff, ABackendGoesWhenNoRingHasIt) {
  Tables have;
  have.destinations[member(1)] = have.destinations[member(2)] = lb_nexthop{};
  have.backends = {{1, backend_at(1)}, {2, backend_at(2)}};
  have.rings[1] = ring_of({1, 2});
  have.services[service_key(80)] = service_of(1, 1);
  Tables one_down = have;
  one_down.backends[1].flags |= LB_BACKEND_GONE;
  one_down.rings[1] = ring_of({2});
  EXPECT_THAT(described(have, one_down),
              ElementsAre("put ring 1 of 1 slots", "put backend 1 203.0.113.1:8080"));
  EXPECT_THAT(described(one_down, have),
              ElementsAre("put backend 1 203.0.113.1:8080", "put ring 1 of 2 slots"));
  Tables all_down = one_down;
  all_down.backends[2].flags |= LB_BACKEND_GONE;
  all_down.rings.clear();
  all_down.services[service_key(80)].ring = 0;
  EXPECT_THAT(described(one_down, all_down),
              ElementsAre("put service 1 tcp 203.0.113.99:80", "put backend 2 203.0.113.2:8080",
                          "erase ring 1"));
}

TEST(Describe, NamesTheObject) {
  const lb_service_key key{to_abi(*base::IpAddress::parse("2001:db8::1")), htons(443), IPPROTO_UDP,
                           LB_IPV6};
  const lb_cidr_key cidr{LB_CIDR_SET_BITS + 24, htonl(7),
                         to_abi(*base::IpAddress::parse("192.0.2.0"))};
  EXPECT_EQ(describe(PutService{key, service_of(3, 0)}), "put service 3 udp [2001:db8::1]:443");
  EXPECT_EQ(describe(EraseService{key}), "erase service udp [2001:db8::1]:443");
  EXPECT_EQ(describe(PutKernelPorts{{61000, 65535}}), "put the kernel's ports 61000-65535");
  EXPECT_EQ(describe(PutCidr{cidr, {}}), "put cidr 192.0.2.0/24 of set 7");
  EXPECT_EQ(describe(EraseCidr{cidr}), "erase cidr 192.0.2.0/24 of set 7");
  EXPECT_EQ(describe(PutBackend{4, backend_at(7)}), "put backend 4 203.0.113.7:8080");
  EXPECT_EQ(describe(EraseBackend{4}), "erase backend 4");
  EXPECT_EQ(describe(PutDestination{member(7), {}}), "put next hop towards 203.0.113.7");
  EXPECT_EQ(describe(EraseDestination{member(7)}), "erase next hop towards 203.0.113.7");
  EXPECT_EQ(describe(EraseRing{9}), "erase ring 9");
}

TEST(Abi, AddressesGoBothWays) {
  for (const char* text : {"192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "0.0.0.0"}) {
    const base::IpAddress address = *base::IpAddress::parse(text);
    EXPECT_EQ(from_abi(address.family(), to_abi(address)), address) << text;
  }
  EXPECT_THAT(to_abi(*base::IpAddress::parse("192.0.2.1")).ip,
              ElementsAre(htonl(0xc0000201), 0u, 0u, 0u));
}

}  // namespace
}  // namespace datapath
