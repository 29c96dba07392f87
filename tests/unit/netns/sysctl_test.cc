// Reading sysctls needs no privilege, writing does.
#include "netns/sysctl.h"

#include <gmock/gmock.h>

namespace netns_test {
namespace {

using testing::HasSubstr;

TEST(Sysctl, ValuesHaveSingleSpacesAndNoLineEnd) {
  auto values = netns::read_sysctls({"net/ipv4/ip_local_port_range", "kernel/ostype"});
  ASSERT_TRUE(values);
  EXPECT_EQ(values->at("kernel/ostype"), "Linux");
  EXPECT_THAT(values->at("net/ipv4/ip_local_port_range"), testing::MatchesRegex("[0-9]+ [0-9]+"));
}

TEST(Sysctl, WhatDoesNotExistIsLeftOut) {
  auto values = netns::read_sysctls({"net/ipv4/conf/no-such-link/rp_filter"});
  ASSERT_TRUE(values);
  EXPECT_TRUE(values->empty());
}

TEST(Sysctl, ErrorsNameTheFile) {
  auto refused = netns::write_sysctl("kernel/ostype", "Hurd");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("write Hurd to /proc/sys/kernel/ostype"));
}

TEST(Sysctl, EveryInterfaceAcceptsItsOwnAddressesAsASource) {
  for (const char* interface : {"all", "default", "eth1"}) {
    netns::Sysctls wanted = netns::wanted_sysctls(std::string(interface));
    const std::string folder = std::string("net/ipv4/conf/") + interface;
    EXPECT_EQ(wanted.at(folder + "/accept_local"), "1");
    EXPECT_EQ(wanted.at(folder + "/rp_filter"), "0");
  }
  EXPECT_EQ(netns::wanted_sysctls(netns::LayoutSpec{}).at("net/ipv4/ip_local_port_range"),
            "61000 65535");
}

}  // namespace
}  // namespace netns_test
