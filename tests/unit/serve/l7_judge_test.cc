// What HAProxy is asked about a change; it is a script here, which refuses any text that says
// "maxconn 13" and counts how often it is run.
#include "agent/serve/l7_judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/model_builders.h"
#include "tests/support/temporary_folder.h"

namespace serve {
namespace {

using model::ListenerProtocol;
using model::PoolProtocol;
using model::ProvisioningStatus;
using testing::HasSubstr;

constexpr int kBad = 13, kGood = 14;  // limits of connections

model::Model web(int limit, ProvisioningStatus status, const char* vip = "192.0.2.1",
                 ListenerProtocol protocol = ListenerProtocol::http) {
  const bool is_http = protocol == ListenerProtocol::http;
  auto lb =
      test::load_balancer(vip)
          .listener(protocol, 80, {.connection_limit = limit})
          .pool(model::Algorithm::round_robin, is_http ? PoolProtocol::http : PoolProtocol::tcp)
          .member("203.0.113.7", 8080);
  lb.load_balancer().provisioning_status = status;
  return lb;
}

class Judging : public testing::Test {
 protected:
  Judging()
      : folder_(test::temporary_folder("judge")),
        store_(std::move(*certificates::Store::open(folder_ + "/certificates"))) {
    std::filesystem::create_directories(folder_ + "/state");
    haproxy_is(
        "case \"$(cat \"$3\")\" in *\"maxconn 13\"*)\n"
        "  echo \"[ALERT]    (7) : config : Proxy 'x': unable to set SSL cipher list to 'N' "
        "at [$3:7].\"\n"
        "  exit 1;;\n"
        "esac\n");
  }
  ~Judging() override { std::filesystem::remove_all(folder_); }

  void haproxy_is(const std::string& script) const {
    std::ofstream(folder_ + "/haproxy") << "#!/bin/sh\necho >> " << folder_ << "/runs\n" << script;
    ::chmod((folder_ + "/haproxy").c_str(), 0700);
  }
  // "good", or the text of the fault.
  std::string judged(const model::Model& before, const model::Model& after) {
    const model::Refusal refusal = judge_.judge(before, after);
    return refusal ? std::to_string(refusal->status) + " " + refusal->text : "good";
  }
  size_t runs() const {
    std::error_code none;
    const auto size = std::filesystem::file_size(folder_ + "/runs", none);
    return none ? 0 : size;
  }
  bool nothing_is_left() const { return std::filesystem::is_empty(folder_ + "/state"); }

  std::string folder_;
  std::unique_ptr<certificates::Store> store_;
  L7Judge judge_{*store_,
                 {folder_ + "/run", folder_ + "/state", folder_ + "/haproxy", folder_ + "/uploads"},
                 folder_ + "/metrics.sock",
                 std::chrono::seconds(20)};
};

TEST_F(Judging, WhatHaproxyRefusesIsRefusedWithItsWords) {
  EXPECT_EQ(judged({}, web(kGood, ProvisioningStatus::pending_create)), "good");
  EXPECT_EQ(
      judged({}, web(kBad, ProvisioningStatus::pending_create)),
      "400 Invalid input for field/attribute tls_ciphers. HAProxy refuses it: config : Proxy 'x': "
      "unable to set SSL cipher list to 'N' at [haproxy.cfg:7].");
  EXPECT_EQ(runs(), 2u);
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(Judging, OnlyWhatIsToChangeIsRead) {
  using enum ProvisioningStatus;
  const model::Model others = web(kBad, error, "192.0.2.2");
  EXPECT_EQ(judged(others, test::join(others, web(kGood, pending_create))), "good");
  EXPECT_EQ(runs(), 1u);
}

TEST_F(Judging, WhatAltersNoTextRunsNothing) {
  using enum ProvisioningStatus;
  model::Model renamed = web(kBad, pending_update);
  renamed.load_balancers.begin()->second.name = "another";
  EXPECT_EQ(judged(web(kBad, active), renamed), "good");
  EXPECT_EQ(judged(web(kBad, active), web(kBad, pending_delete)), "good");
  const auto l4 = ListenerProtocol::tcp;
  EXPECT_EQ(judged({}, web(kBad, pending_create, "192.0.2.1", l4)), "good");
  EXPECT_EQ(runs(), 0u);
}

TEST_F(Judging, WhatIsRefusedAlreadyCanBeRepairedStepByStep) {
  using enum ProvisioningStatus;
  model::Model next = web(kBad, pending_update);
  next.listeners.begin()->second.timeout_client_data = 7;
  EXPECT_EQ(judged(web(kBad, error), next), "good");
  EXPECT_THAT(judged(web(kGood, active), next), HasSubstr("HAProxy refuses"));
}

TEST_F(Judging, UploadsHaveBeenReadByTheirDoor) {
  model::Model after = web(kBad, ProvisioningStatus::pending_create);
  after.amphora.emplace();
  EXPECT_EQ(judged({}, after), "good");
  EXPECT_EQ(runs(), 0u);
}

TEST_F(Judging, WithoutHaproxyNothingIsRefused) {
  std::filesystem::remove(folder_ + "/haproxy");
  EXPECT_EQ(judged({}, web(kBad, ProvisioningStatus::pending_create)), "good");
}

TEST_F(Judging, OneThatDoesNotAnswerIsLetAlone) {
  haproxy_is("exec sleep 60\n");
  L7Judge hasty(*store_, {folder_ + "/run", folder_ + "/state", folder_ + "/haproxy", ""}, "",
                std::chrono::milliseconds(500));
  const model::Model after = web(kBad, ProvisioningStatus::pending_create);
  EXPECT_FALSE(hasty.judge({}, after));
  EXPECT_EQ(runs(), 1u);
  EXPECT_FALSE(hasty.judge({}, after));
  EXPECT_EQ(runs(), 1u) << "nobody waits for it again so soon";
  EXPECT_TRUE(nothing_is_left());
}

TEST(HaproxysWords, TellTheAttribute) {
  EXPECT_THAT(fault_of("regex '(' is invalid").text, HasSubstr("attribute value."));
  EXPECT_THAT(fault_of("invalid value 0 for argument 'inter' of server s").text,
              HasSubstr("attribute delay."));
  EXPECT_EQ(fault_of("no more memory").text, "HAProxy refuses the change: no more memory");
}

}  // namespace
}  // namespace serve
