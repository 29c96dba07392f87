// Interface files, the list of MACs, and the layout they say.
#include "agent/octavia/interface_file.h"

#include <gmock/gmock.h>

#include "base/file.h"
#include "tests/support/addresses.h"

namespace octavia {
namespace {

using base::IpAddress;
using base::IpPrefix;
using netns::RouterAdvertisements;
using netns::VipKeeper;
using test::ip;
using test::mac;
using test::prefix;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

std::string sample(const std::string& path) {
  const auto text = base::read_file(std::string(OCTAVIA_SAMPLES) + "/" + path);
  EXPECT_TRUE(text) << path;
  return text ? *text : "";
}

InterfaceFile parsed(const std::string& text) {
  auto file = parse_interface_file(text, "eth1.json");
  EXPECT_TRUE(file) << file.error().message();
  return file ? *file : InterfaceFile{};
}

std::map<std::string, InterfaceFile> samples(const std::string& topology) {
  std::map<std::string, InterfaceFile> out;
  for (const char* name : {"lo", "eth1", "eth2"})
    out[name] = parsed(sample("interfaces-" + topology + "/" + name + ".json"));
  return out;
}

TEST(InterfaceFiles, WhatWeWriteReadsTheSame) {
  for (const char* topology : {"single", "active-standby"})
    for (const char* name : {"lo", "eth1", "eth2", "eth1-after-vip-net-info"}) {
      InterfaceFile file =
          parsed(sample(std::string("interfaces-") + topology + "/" + name + ".json"));
      EXPECT_EQ(parsed(interface_file_text(file)), file) << topology << " " << name;
      file.type = InterfaceType::backend;
      file.is_sriov = false;
      file.dhcp = file.ipv6auto = true;
      EXPECT_EQ(parsed(interface_file_text(file)), file) << topology << " " << name;
    }
}

TEST(InterfaceFiles, TextIsAsAStockAgentWritesIt) {
  InterfaceFile file{.name = "eth1", .addresses = {prefix("192.0.2.5/24")}, .mtu = 1450};
  file.vips = {{ip("192.0.2.10"), VipKeeper::keepalived}};
  file.routes = {{.destination = prefix("0.0.0.0/0"), .gateway = ip("192.0.2.1"), .onlink = true},
                 {.destination = prefix("192.0.2.0/24"), .prefsrc = ip("192.0.2.10"), .table = 1}};
  file.rules = {{.source = prefix("192.0.2.10/32")}};
  EXPECT_EQ(interface_file_text(file),
            R"({"name":"eth1","addresses":[{"address":"192.0.2.5","prefixlen":24},)"
            R"({"address":"192.0.2.10","prefixlen":32,"octavia_owned":false}],)"
            R"("routes":[{"dst":"0.0.0.0/0","gateway":"192.0.2.1","flags":["onlink"]},)"
            R"({"dst":"192.0.2.0/24","prefsrc":"192.0.2.10","scope":"link","table":1}],)"
            R"("rules":[{"src":"192.0.2.10","src_len":32,"table":1}],)"
            R"("scripts":{"up":[],"down":[]},"mtu":1450})");
}

TEST(InterfaceFiles, DhcpAndRoutersInOneEntryOrTwo) {
  for (const char* entries :
       {R"({"dhcp": true, "ipv6auto": true})", R"({"dhcp": true}, {"ipv6auto": true})"}) {
    const InterfaceFile file =
        parsed(R"({"name": "eth2", "addresses": [)" + std::string(entries) + "]}");
    EXPECT_TRUE(file.dhcp && file.ipv6auto);
    EXPECT_THAT(file.addresses, IsEmpty());
  }
}

TEST(InterfaceFiles, UnknownKeysAreIgnored) {
  EXPECT_EQ(parsed(R"({"name": "eth2", "colour": "red", "addresses": [{"speed": 1}]})"),
            InterfaceFile{.name = "eth2"});
}

TEST(InterfaceFiles, WhatIsWrongIsNamed) {
  const struct {
    const char* text;
    const char* error;
  } table[] = {
      {"{", "eth1.json: is no JSON"},
      {"[]", "eth1.json: must be an object"},
      {R"({})", "eth1.json: name must be that of an interface"},
      {R"({"name": "../eth1"})", "eth1.json: name must be that of an interface"},
      {R"({"name": "a-name-that-is-long"})", "eth1.json: name must be that of an interface"},
      {R"({"name": "eth1", "addresses": {}})", "eth1.json: addresses must be a list"},
      {R"({"name": "eth1", "addresses": [{"address": "x"}]})",
       "eth1.json: addresses[0].address cannot be read"},
      {R"({"name": "eth1", "addresses": [{"address": "192.0.2.1", "prefixlen": 33}]})",
       "eth1.json: addresses[0].prefixlen is out of range"},
      {R"({"name": "eth1", "routes": [{"gateway": "192.0.2.1"}]})",
       "eth1.json: routes[0].dst is missing"},
      {R"({"name": "eth1", "routes": [{"dst": "::/0", "gateway": "192.0.2.1"}]})",
       "eth1.json: routes[0].dst is of another address family than gateway or prefsrc"},
      {R"({"name": "eth1", "rules": [{"src_len": 32}]})", "eth1.json: rules[0].src is missing"},
      {R"({"name": "eth1", "mtu": 9})", "eth1.json: mtu is out of range"},
      {R"({"name": "eth1", "if_type": "nic"})", "eth1.json: if_type must be lo, vip or backend"},
  };
  for (const auto& [text, error] : table) {
    auto file = parse_interface_file(text, "eth1.json");
    ASSERT_FALSE(file) << text;
    EXPECT_EQ(file.error().message(), error);
  }
}

TEST(PluggedInterfaceList, IsReadAndWritten) {
  const std::string text = sample("interfaces-single/plugged_interfaces");
  const PluggedInterfaces plugged = parse_plugged_interfaces(text);
  EXPECT_THAT(plugged, ElementsAre(Pair("eth1", mac("fa:16:3e:aa:00:01")),
                                   Pair("eth2", mac("fa:16:3e:aa:00:02"))));
  EXPECT_EQ(plugged_interfaces_text(plugged), text);
}

TEST(PluggedInterfaceList, TheLastLineOfANameOrAMacCounts) {
  EXPECT_THAT(
      parse_plugged_interfaces("02:00:00:00:00:01 eth2\n"
                               "no line\n"
                               "02:00:00:00:00:02 eth3\n"
                               "02:00:00:00:00:03 eth2\n"
                               "02:00:00:00:00:02 eth4\n"
                               "02:00:00:00:00:05 ../x"),
      ElementsAre(Pair("eth2", mac("02:00:00:00:00:03")), Pair("eth4", mac("02:00:00:00:00:02"))));
}

const PluggedInterfaces kPlugged{{"eth1", mac("fa:16:3e:aa:00:01")},
                                 {"eth2", mac("fa:16:3e:aa:00:02")}};

TEST(LayoutOf, Single) {
  const netns::LayoutSpec layout = layout_of(samples("single"), kPlugged);
  ASSERT_EQ(layout.interfaces.size(), 2u);
  const netns::InterfaceSpec& eth1 = layout.interfaces[0];
  EXPECT_EQ(eth1.name, "eth1");
  EXPECT_EQ(eth1.mac, mac("fa:16:3e:aa:00:01"));
  EXPECT_EQ(eth1.mtu, 1450);
  EXPECT_THAT(eth1.addresses, ElementsAre(prefix("203.0.113.21/24")));
  EXPECT_EQ(eth1.rules.size(), 2u);
  EXPECT_EQ(eth1.advertisements, RouterAdvertisements::ignored);
  EXPECT_FALSE(eth1.dhcp);
  EXPECT_EQ(layout.interfaces[1].name, "eth2");
  EXPECT_EQ(layout.vips,
            (std::set<netns::VipSpec>{{ip("203.0.113.10"), "eth1"}, {ip("2001:db8::10"), "eth1"}}));
}

TEST(LayoutOf, AStandbyLeavesTheVipToKeepalived) {
  const netns::LayoutSpec layout = layout_of(samples("active-standby"), kPlugged);
  EXPECT_EQ(layout.vips,
            (std::set<netns::VipSpec>{{ip("203.0.113.10"), "eth1", VipKeeper::keepalived},
                                      {ip("2001:db8::10"), "eth1", VipKeeper::keepalived}}));
  EXPECT_THAT(layout.interfaces[0].rules, IsEmpty());
}

TEST(LayoutOf, WithoutAMacThereIsNoInterface) {
  EXPECT_EQ(layout_of(samples("single"), {}), netns::LayoutSpec{});
}

TEST(LayoutOf, OnlyTheVipInterfaceHasRules) {
  auto files = samples("single");
  files["eth2"].rules = {{.source = prefix("192.0.2.5/32")}};
  EXPECT_THAT(layout_of(files, kPlugged).interfaces[1].rules, IsEmpty());
  files["eth1"].type = InterfaceType::backend;
  EXPECT_THAT(layout_of(files, kPlugged).interfaces[0].rules, IsEmpty());
}

TEST(LayoutOf, Eth2ComesBeforeEth10) {
  const std::map<std::string, InterfaceFile> files{{"eth10", {.name = "eth10", .dhcp = true}},
                                                   {"eth2", {.name = "eth2", .ipv6auto = true}}};
  const netns::LayoutSpec layout =
      layout_of(files, {{"eth10", mac("02:00:00:00:00:10")}, {"eth2", mac("02:00:00:00:00:02")}});
  ASSERT_EQ(layout.interfaces.size(), 2u);
  EXPECT_EQ(layout.interfaces[0].name, "eth2");
  EXPECT_EQ(layout.interfaces[0].advertisements, RouterAdvertisements::followed);
  EXPECT_TRUE(layout.interfaces[1].dhcp);
}

}  // namespace
}  // namespace octavia
