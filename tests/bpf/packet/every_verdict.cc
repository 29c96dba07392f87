// Every verdict there is must have ended some run of this process: a new one without a test fails.
#include <gtest/gtest.h>

#include "tests/bpf/packet/lab.h"
#include "tests/bpf/packet/outcome.h"

namespace test {
namespace {

class EveryVerdict : public testing::Environment {
 public:
  void TearDown() override {
    if (testing::GTEST_FLAG(filter) != "*") return;
    for (int v = 1; v < LB_VERDICT_COUNT; ++v) {
      const auto verdict = static_cast<lb_verdict>(v);
      if (is_on_tc() && verdict == LB_NO_DEVICE) continue;  // whoever sends it for tc sees it
      EXPECT_TRUE(verdicts_seen().contains(verdict))
          << "no test ended with " << datapath::verdict_name(verdict);
    }
  }
};

const testing::Environment* const kEveryVerdict =
    testing::AddGlobalTestEnvironment(new EveryVerdict);  // gtest owns it

}  // namespace
}  // namespace test
