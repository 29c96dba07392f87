// What is shown of a pair's node, from what the kernel and keepalived are.
#include "agent/serve/vrrp_status.h"

#include <gmock/gmock.h>

#include "tests/support/addresses.h"

namespace serve {
namespace {

using test::ip;
using testing::ElementsAre;
using Vip = control::VrrpStatus::Vip;

keepalived::Instance instance() {
  keepalived::Instance instance;
  instance.interface = "eth1";
  instance.priority = 90;
  instance.vips = {ip("203.0.113.10")};
  instance.excluded = {ip("2001:db8::10")};
  return instance;
}

netns::Link link(const char* name, std::initializer_list<const char*> prefixes) {
  netns::Link link;
  link.name = name;
  link.up = link.carrier = true;
  for (const char* prefix : prefixes) link.addresses.push_back(*base::IpPrefix::parse(prefix));
  return link;
}

netns::Observed observed(std::initializer_list<const char*> prefixes) {
  return {{{3, link("eth1", prefixes)}}, {}, {}};
}

TEST(VrrpStatus, IsBackupWithoutTheVip) {
  const auto wanted = instance();
  const auto status = vrrp_status({wanted, true, {1, 2, 3}, {}}, observed({"203.0.113.21/24"}));
  EXPECT_EQ(status.role, "BACKUP");
  EXPECT_EQ(status.interface, "eth1");
  EXPECT_EQ(status.priority, 90);
  EXPECT_THAT(status.vips,
              ElementsAre(Vip{ip("203.0.113.10"), false}, Vip{ip("2001:db8::10"), false}));
  EXPECT_TRUE(status.running);
  EXPECT_EQ(status.starts, 1u);
  EXPECT_EQ(status.reloads, 2u);
  EXPECT_EQ(status.restarts, 3u);
}

TEST(VrrpStatus, IsMasterWithTheVipWhateverKeepalivedIs) {
  const auto wanted = instance();
  const auto status = vrrp_status({wanted, false, {}, {"the XDP program is not attached"}},
                                  observed({"203.0.113.21/24", "203.0.113.10/32"}));
  EXPECT_EQ(status.role, "MASTER");
  EXPECT_FALSE(status.running);
  EXPECT_THAT(status.vips,
              ElementsAre(Vip{ip("203.0.113.10"), true}, Vip{ip("2001:db8::10"), false}));
  EXPECT_THAT(status.unfit_because, ElementsAre("the XDP program is not attached"));
}

TEST(VrrpStatus, ShowsWhatGoesAlongOnAnotherInterface) {
  auto wanted = instance();
  wanted.floating = {{ip("192.0.2.9"), "eth2"}, {ip("192.0.2.8"), "eth3"}};
  netns::Observed seen = observed({"203.0.113.10/32", "192.0.2.8/32"});
  seen.links[4] = link("eth2", {"192.0.2.2/24", "192.0.2.9/32"});
  EXPECT_THAT(vrrp_status({wanted, true, {}, {}}, seen).vips,
              ElementsAre(Vip{ip("203.0.113.10"), true}, Vip{ip("2001:db8::10"), false},
                          Vip{ip("192.0.2.9"), true}, Vip{ip("192.0.2.8"), false}));
}

TEST(VrrpStatus, IsFaultWhenItCouldNotTakeOver) {
  const auto wanted = instance();
  EXPECT_EQ(vrrp_status({wanted, false, {}, {}}, observed({})).role, "FAULT");
  EXPECT_EQ(vrrp_status({wanted, true, {}, {"unfit"}}, observed({})).role, "FAULT");
  EXPECT_EQ(vrrp_status({wanted, true, {}, {}}, {}).role, "FAULT");  // no such interface
  auto dark = observed({});
  dark.links[3].carrier = false;
  EXPECT_EQ(vrrp_status({wanted, true, {}, {}}, dark).role, "FAULT");
}

// The address of another interface is no VIP here.
TEST(VrrpStatus, LooksAtTheInstancesInterface) {
  const auto wanted = instance();
  auto seen = observed({});
  seen.links[4] = link("eth2", {"203.0.113.10/32"});
  EXPECT_EQ(vrrp_status({wanted, true, {}, {}}, seen).role, "BACKUP");
}

}  // namespace
}  // namespace serve
