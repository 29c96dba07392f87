// The VRRP texts of Octavia, and those of our own, as values.
#include "keepalived/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "keepalived/render.h"
#include "tests/support/addresses.h"

namespace keepalived_test {
namespace {

using keepalived::Document;
using keepalived::Instance;
using test::ip;
using testing::HasSubstr;

constexpr const char* kScript = "/var/lib/octavia/vrrp/check_script.sh";

std::string sample(const std::string& name) {
  return *base::read_file(std::string(VRRP_SAMPLES) + "/" + name);
}

Instance master() {
  Instance instance;
  instance.name = "6e0a3b1c2f4d4c568a7b0f1e2d3c4b5a";
  instance.interface = "eth1";
  instance.nopreempt = instance.accept = true;
  instance.garp_refresh = 5;
  instance.garp_refresh_repeat = 2;
  instance.password = "4d6e2f1";
  instance.source = ip("203.0.113.21");
  instance.peers = {ip("203.0.113.22")};
  instance.vips = {ip("203.0.113.10")};
  instance.routes = {"203.0.113.0/24 dev eth1 src 203.0.113.10 scope link table 1",
                     "default via 203.0.113.1 dev eth1 onlink table 1",
                     "198.51.100.0/24 dev eth1 gateway 203.0.113.5 onlink table 1"};
  instance.rules = {"from 203.0.113.10/32 table 1 priority 100"};
  instance.scripts = {{"check_script", kScript, 5, 2, 2, {}}};
  return instance;
}

Instance backup() {
  Instance instance = master();
  instance.priority = 90;
  std::swap(*instance.source, instance.peers[0]);
  return instance;
}

Instance dual_stack() {
  Instance instance = master();
  instance.vips = {ip("203.0.113.10"), ip("203.0.114.7")};
  instance.excluded = {ip("2001:db8::10")};
  instance.routes.insert(instance.routes.end(),
                         {"2001:db8::/64 dev eth1 src 2001:db8::10 scope link table 1",
                          "default via 2001:db8::1 dev eth1 onlink table 1",
                          "203.0.114.0/24 dev eth1 src 203.0.114.7 scope link table 1"});
  instance.rules = {"from 203.0.113.10/32 table 1 priority 100",
                    "from 2001:db8::10/128 table 1 priority 100",
                    "from 203.0.114.7/32 table 1 priority 100"};
  return instance;
}

Instance started(Instance instance, Instance::Start start) {
  instance.start = start;
  return instance;
}

struct Sample {
  const char* file;
  Instance instance;
};

class Samples : public testing::TestWithParam<Sample> {};

TEST_P(Samples, AreReadWholly) {
  const std::string text = sample(GetParam().file);
  const auto document = Document::parse(text, kScript);
  ASSERT_TRUE(document.ok()) << document.error().message();
  EXPECT_EQ(document->instance(), GetParam().instance);
  EXPECT_EQ(document->text(), text);
}

TEST_P(Samples, ComeBackFromWhatIsRendered) {
  const auto document = Document::parse(render(GetParam().instance), kScript);
  ASSERT_TRUE(document.ok()) << document.error().message();
  EXPECT_EQ(document->instance(), GetParam().instance);
}

INSTANTIATE_TEST_SUITE_P(
    OfOctavia, Samples,
    testing::Values(Sample{"keepalived-master.conf", started(master(), Instance::Start::master)},
                    Sample{"keepalived-master.2026.conf", master()},
                    Sample{"keepalived-backup.conf", started(backup(), Instance::Start::backup)},
                    Sample{"keepalived-backup.2026.conf", backup()},
                    Sample{"keepalived-master-dualstack.conf",
                           started(dual_stack(), Instance::Start::master)},
                    Sample{"keepalived-master-dualstack.2026.conf", dual_stack()}),
    [](const auto& sample) {
      std::string name = sample.param.file;
      std::replace_if(
          name.begin(), name.end(), [](char c) { return !std::isalnum(c); }, '_');
      return name;
    });

TEST(StandalonePair, ComesBackFromItsText) {
  Instance instance;
  instance.name = "pair";
  instance.interface = "eth1";
  instance.version = Instance::Version::v3;
  instance.router_id = 77;
  instance.priority = 120;
  instance.nopreempt = true;
  instance.source = ip("2001:db8::21");
  instance.peers = {ip("2001:db8::22")};
  instance.scripts = {{"check", kScript, 1, 2, 2, 2}};
  keepalived::place_vips(instance, {ip("203.0.113.10"), ip("2001:db8::10")});
  EXPECT_EQ(instance.vips, (std::vector{ip("2001:db8::10")}));
  EXPECT_EQ(instance.excluded, (std::vector{ip("203.0.113.10")}));
  instance.floating = {{ip("192.0.2.9"), "eth2"}, {ip("2001:db8:2::9"), "eth2"}};
  for (const int advert : {10, 100, 250, 1000, 1500, 40000}) {
    instance.advert = std::chrono::milliseconds(advert);
    const auto document = Document::parse(render(instance), kScript);
    ASSERT_TRUE(document.ok()) << document.error().message();
    EXPECT_EQ(document->instance(), instance) << advert;
  }
}

struct Broken {
  const char* name;
  std::string from, to;  // in the master's text
  const char* said;
};

class BrokenTexts : public testing::TestWithParam<Broken> {};

TEST_P(BrokenTexts, AreRefusedWithTheirLine) {
  std::string text = sample("keepalived-master.conf");
  const size_t at = text.find(GetParam().from);
  ASSERT_NE(at, std::string::npos);
  text.replace(at, GetParam().from.size(), GetParam().to);
  const auto document = Document::parse(text, kScript);
  ASSERT_FALSE(document.ok());
  EXPECT_THAT(document.error().message(), HasSubstr(GetParam().said));
}

INSTANTIATE_TEST_SUITE_P(
    OfAnySort, BrokenTexts,
    testing::Values(
        Broken{"OtherProgram", "script /var/lib/octavia/vrrp/check_script.sh", "script /bin/evil",
               "line 2: only /var/lib/octavia/vrrp/check_script.sh may be run: /bin/evil"},
        Broken{"Notify", "nopreempt", "notify /bin/evil", "line 13: it is not understood"},
        Broken{"NotifyMaster", "nopreempt", "notify_master /bin/evil", "line 13"},
        Broken{"QuotedProgram", "script /var", "script \"/bin/sh -c evil",
               "line 2: there is a char"},
        Broken{"Include", "vrrp_script", "include /etc/passwd\nvrrp_script", "line 1"},
        Broken{"Variable", "priority 100", "priority $X", "line 12: there is a character"},
        Broken{"Condition", "    priority", "@a priority", "line 12: there is a character"},
        Broken{"Continued", "priority 100", "priority \\\n100", "line 12: there is a character"},
        Broken{"Nul", "priority 100", std::string("priority 100\0", 13),
               "line 12: there is a char"},
        Broken{"CommentBehind", "priority 100", "priority 100 # x",
               "line 12: there is a character"},
        Broken{"PriorityTooHigh", "priority 100", "priority 256", "line 12: it is not understood"},
        Broken{"SaidTwice", "nopreempt", "priority 90", "line 13: priority is said more than once"},
        Broken{"LongInterface", "interface eth1", "interface abcdefghijklmnop", "line 10"},
        Broken{"NoInterface", "interface eth1", "", "line 8: the instance has no interface"},
        Broken{"NoVip", "        203.0.113.10\n", "", "line 8: the instance has no virtual_ip"},
        Broken{"NotAnAddress", "        203.0.113.22", "        203.0.113.222.1", "line 25"},
        Broken{"MixedFamilies", "        203.0.113.22", "        2001:db8::22", "another family"},
        Broken{"FractionInV2", "advert_int 1", "advert_int 0.1", "not in whole seconds"},
        Broken{"UnknownScript", "        check_script\n", "        other\n",
               "no vrrp_script other"},
        Broken{"NoEnd", "        check_script\n    }\n}", "", "a block does not end"},
        Broken{"Nested", "from 203.0.113.10/32", "x { y", "it is not understood"}),
    [](const auto& broken) { return broken.param.name; });

TEST(VrrpText, OfNothingIsRefused) {
  EXPECT_FALSE(Document::parse("", kScript).ok());
  EXPECT_FALSE(Document::parse("# a comment\n", kScript).ok());
  EXPECT_FALSE(Document::parse(std::string(Document::kMostBytes + 1, '\n'), kScript).ok());
}

// Every part of a text either is read or is refused; nothing else may happen.
TEST(VrrpText, CutAnywhereIsReadOrRefused) {
  const std::string text = sample("keepalived-master-dualstack.conf");
  for (size_t size = 0; size < text.size(); size++) {
    const auto document = Document::parse(text.substr(0, size), kScript);
    EXPECT_FALSE(document.ok()) << size;
  }
}

}  // namespace
}  // namespace keepalived_test
