// What keepalived is told on a node of a pair without a controller.
#include "agent/serve/pair.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "keepalived/document.h"
#include "keepalived/render.h"
#include "tests/support/addresses.h"
#include "tests/support/temporary_folder.h"

namespace serve {
namespace {

using test::ip;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kCheck = "/var/lib/amphora-xdp/vrrp/check_script.sh";

PairConfig node() {
  PairConfig pair;
  pair.interface = "eth1";
  pair.source = ip("192.0.2.2");
  pair.peer = ip("192.0.2.3");
  pair.priority = 120;
  pair.advert = std::chrono::milliseconds(100);
  return pair;
}

constexpr auto kKeepalived = netns::VipKeeper::keepalived;

netns::LayoutSpec with(const std::set<netns::VipSpec>& vips) {
  netns::LayoutSpec layout;
  layout.vips = vips;
  return layout;
}

TEST(PairOfNodes, HasAKeyThatCanBeRead) {
  const std::string folder = test::temporary_folder("check_pair");
  Config config;
  const auto why = [&] {
    const auto good = check_pair(config);
    return good.ok() ? "" : good.error().message();
  };
  EXPECT_EQ(why(), "");
  config.pair = node();
  EXPECT_EQ(why(), "");
  config.pair->key_file = folder + "/key";
  EXPECT_THAT(why(), AllOf(HasSubstr("pair.key_file: "), HasSubstr("No such file")));
  std::ofstream(config.pair->key_file) << "short";
  ::chmod(config.pair->key_file.c_str(), 0644);
  EXPECT_THAT(why(), AllOf(HasSubstr("pair.key_file: "), HasSubstr("chmod")));
  ::chmod(config.pair->key_file.c_str(), 0600);
  EXPECT_THAT(why(), AllOf(HasSubstr("pair.key_file: "), HasSubstr("32 to 512")));
  std::ofstream(config.pair->key_file) << std::string(40, 'k') << "\n";
  EXPECT_EQ(why(), "");
  std::filesystem::remove_all(folder);
}

TEST(PairOfNodes, SpeaksVersion3ByUnicastWithoutAuthentication) {
  const auto instance = pair_instance(
      node(),
      with({{ip("192.0.2.10"), "eth1", kKeepalived}, {ip("2001:db8::10"), "eth1", kKeepalived}}),
      kCheck);
  EXPECT_THAT(instance.vips, ElementsAre(ip("192.0.2.10")));
  EXPECT_THAT(instance.excluded, ElementsAre(ip("2001:db8::10")));
  const std::string text = keepalived::render(instance);
  for (const char* line : {"version 3\n", "priority 120\n", "advert_int 0.1\n", "nopreempt\n",
                           "unicast_src_ip 192.0.2.2\n", "interface eth1\n", "state BACKUP\n"})
    EXPECT_THAT(text, HasSubstr(line));
  EXPECT_THAT(text, Not(HasSubstr("authentication")));
}

TEST(PairOfNodes, IsReadAsItIsWritten) {
  for (const bool preempt : {false, true}) {
    PairConfig pair = node();
    pair.preempt = preempt;
    const auto instance = pair_instance(
        pair,
        with({{ip("192.0.2.10"), "eth1", kKeepalived}, {ip("203.0.113.9"), "eth2", kKeepalived}}),
        kCheck);
    EXPECT_EQ(instance.nopreempt, !preempt);
    const auto document = keepalived::Document::parse(keepalived::render(instance), kCheck);
    ASSERT_TRUE(document.ok()) << document.error().message();
    EXPECT_EQ(document->instance(), instance);
  }
}

TEST(PairOfNodes, MovesWhatIsOnOtherInterfacesAlong) {
  const auto instance = pair_instance(node(),
                                      with({{ip("192.0.2.10"), "eth1", kKeepalived},
                                            {ip("203.0.113.9"), "eth2", kKeepalived},
                                            {ip("2001:db8:2::9"), "eth2", kKeepalived},
                                            {ip("192.0.2.77"), "eth1", netns::VipKeeper::us}}),
                                      kCheck);
  EXPECT_THAT(instance.vips, ElementsAre(ip("192.0.2.10")));
  EXPECT_THAT(instance.excluded, testing::IsEmpty());
  EXPECT_THAT(instance.floating,
              testing::UnorderedElementsAre(keepalived::Floating{ip("203.0.113.9"), "eth2"},
                                            keepalived::Floating{ip("2001:db8:2::9"), "eth2"}));
  EXPECT_THAT(keepalived::render(instance), HasSubstr("203.0.113.9 dev eth2\n"));
}

TEST(PairOfNodes, HasItsFilesWhereTheAgentHasItsOwn) {
  Config config;
  config.state_dir = "/s";
  config.control_socket = "/r/control.sock";
  const auto paths = pair_paths(config);
  EXPECT_EQ(paths.config, "/s/vrrp/pair.conf");
  EXPECT_EQ(paths.check_script, "/s/vrrp/check_script.sh");
  EXPECT_EQ(paths.run_dir, "/r/vrrp");
  EXPECT_EQ(paths.pid_file, "/r/vrrp/keepalived.pid");
}

}  // namespace
}  // namespace serve
