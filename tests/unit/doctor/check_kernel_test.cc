#include <cerrno>

#include "tests/unit/doctor/well.h"

namespace doctor::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(CheckKernel, KnowsTheOldest) {
  Facts facts = well();
  for (const char* good : {"6.1.0-40-amd64", "6.12.3", "7.0", "10.2.1"}) {
    facts.kernel.release = good;
    EXPECT_EQ(check_kernel(facts)[0].grade, Grade::ok) << good;
  }
  for (const char* bad : {"5.15.0", "6.0.9", "4.19", "", "nonsense"}) {
    facts.kernel.release = bad;
    EXPECT_THAT(check_kernel(facts)[0], Says(Grade::fail, bad, "6.1")) << bad;
  }
}

TEST(CheckKernel, WantsBtfFeaturesAndTheCompiler) {
  Facts facts = well();
  facts.kernel.has_btf = false;
  facts.kernel.missing = std::string("bpf_loop");
  facts.kernel.compiles = false;
  const Diagnoses found = check_kernel(facts);
  EXPECT_THAT(found, Contains(Says(Grade::fail, "btf", "CONFIG_DEBUG_INFO_BTF")));
  EXPECT_THAT(found, Contains(Says(Grade::fail, "bpf_loop")));
  EXPECT_THAT(found, Contains(Says(Grade::warn, "interpreted", "bpf_jit_enable=1")));
}

TEST(CheckBpffs, MustBeMountedForPins) {
  Facts facts = well();
  facts.kernel.has_bpffs = false;
  EXPECT_THAT(check_bpffs(facts),
              ElementsAre(Says(Grade::fail, "no bpf file system", "mount -t bpf")));
  EXPECT_THAT(check_pins(facts), ElementsAre(Says(Grade::fail, "no place", "bpffs")));
}

TEST(CheckPins, KnowsWhichVersionsCanBeUsed) {
  Facts facts = well();
  const auto with = [&](std::vector<int> versions) {
    facts.kernel.pinned = std::move(versions);
    return check_pins(facts).at(0);
  };
  EXPECT_THAT(with({3}), Says(Grade::ok, "v3"));
  EXPECT_THAT(with({4}), Says(Grade::fail, "newer", "--teardown"));
  EXPECT_THAT(with({1}), Says(Grade::fail, "v2 and newer", "--teardown"));
  EXPECT_THAT(with({2}), Says(Grade::warn, "upgrade to v3", "start the agent"));
  EXPECT_THAT(with({2, 3}), Says(Grade::warn, "v2, v3"));
}

TEST(CheckPins, NoneAreAFaultOnlyUnderAnAgent) {
  Facts facts = well();
  facts.kernel.pinned = std::vector<int>{};
  EXPECT_THAT(check_pins(facts), ElementsAre(Says(Grade::fail, "no maps", "restart")));
  facts.agent = base::Error{0, "nobody answers"};
  EXPECT_THAT(check_pins(facts), ElementsAre(Says(Grade::warn, "no maps", "start the agent")));
}

TEST(CheckFlowTable, TellsTheFirstFault) {
  Facts facts = well();
  EXPECT_THAT(check_flow_table(facts), ElementsAre(Says(Grade::ok, "1024 lines")));
  facts.flows = Flows{1024, {"IPv4 line 7: no peer", "IPv4 line 9: no peer"}};
  EXPECT_THAT(check_flow_table(facts),
              ElementsAre(Says(Grade::fail, "2 faults in 1024 lines; the first: IPv4 line 7")));
}

TEST(CheckFlowTable, IsNotMissedWhereNothingIsPinned) {
  Facts facts = well();
  facts.flows = base::Error{ENOENT, "open the maps"};
  EXPECT_THAT(check_flow_table(facts), ElementsAre(Is(Grade::unseen)));
  facts.kernel.pinned = std::vector<int>{};
  EXPECT_THAT(check_flow_table(facts), IsEmpty());
}

}  // namespace
}  // namespace doctor::testing
