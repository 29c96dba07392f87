// The configuration of an amphora: what Octavia says, and what it does not.
#include "agent/serve/amphora_config.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temporary_folder.h"

namespace serve {
namespace {

using testing::HasSubstr;

class AmphoraConfig : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove_all(folder_); }
  base::Result<Config> with(const std::string& text) {
    std::ofstream(file_) << text;
    return config_of(conf_, file_);
  }
  octavia::AmphoraConf conf_;
  const std::string folder_ = test::temporary_folder("amphora-config");
  const std::string file_ = folder_ + "/amphora.json";
};

TEST_F(AmphoraConfig, HasWhatBothSay) {
  conf_.base_path = "/var/lib/elsewhere";
  conf_.topology = octavia::Topology::active_standby;
  conf_.heartbeat_key = "key";
  const auto config =
      with(R"({"hook": "tc", "new_flows_per_second": {"per_client": 20}, "flow_table":
               {"ipv4_flows": 4096}})");
  ASSERT_TRUE(config.ok()) << config.error().message();
  EXPECT_EQ(config->state_dir, "/var/lib/elsewhere/amphora-xdp");
  EXPECT_EQ(config->hooks.of("eth1"), datapath::Hook::tc);
  EXPECT_EQ(config->flow_rates.others.client, 20u);
  EXPECT_EQ(config->ipv4_flows, 4096u);
  EXPECT_TRUE(config->is_of_two);
}

// Nor are HAProxy's peers handed on then.
TEST_F(AmphoraConfig, OfOneThatHasNoKeySharesNothing) {
  conf_.topology = octavia::Topology::active_standby;
  const auto config = with("{}");
  ASSERT_TRUE(config.ok()) << config.error().message();
  EXPECT_FALSE(config->is_of_two);
}

TEST_F(AmphoraConfig, ThatIsNamedMustBeThere) {
  const auto config = config_of(conf_, file_);
  ASSERT_FALSE(config.ok());
  EXPECT_THAT(config.error().message(), HasSubstr(file_));
}

TEST_F(AmphoraConfig, SaysNothingThatOctaviaSays) {
  const auto config = with(R"({"state_dir": "/elsewhere"})");
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.error().message(), file_ + ": state_dir is not for an amphora");
}

}  // namespace
}  // namespace serve
