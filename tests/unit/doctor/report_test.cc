// All checks together, and how they are told.
#include <algorithm>
#include <cerrno>

#include "tests/unit/doctor/well.h"

namespace doctor::testing {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Report, AMachineThatIsWellIsHealthy) {
  const auto diagnoses = diagnose(well());
  EXPECT_THAT(diagnoses, Each(Is(Grade::ok)));
  EXPECT_TRUE(is_healthy(diagnoses));
  EXPECT_THAT(as_text(diagnoses), HasSubstr("\nhealthy: "));
  EXPECT_THAT(as_text(diagnoses), HasSubstr("0 fail, 0 unseen\n"));
}

TEST(Report, WarningsLeaveItHealthyAndFailuresDoNot) {
  Facts facts = well();
  facts.is_clock_synchronised = false;
  EXPECT_TRUE(is_healthy(diagnose(facts)));
  facts.kernel.has_btf = false;
  EXPECT_FALSE(is_healthy(diagnose(facts)));
}

TEST(Report, WhatCouldNotBeLookedAtIsNotCalledHealthy) {
  Facts facts = well();
  facts.flows = base::Error{EACCES, "open the maps"};
  const auto diagnoses = diagnose(facts);
  EXPECT_FALSE(is_healthy(diagnoses));
  EXPECT_THAT(as_text(diagnoses),
              HasSubstr("unseen  flow-table: open the maps: Permission denied; run it as root\n"));
}

// A machine of which nothing is known still has a line for everything, and none that says ok of
// what was not looked at.
TEST(Report, NothingKnownIsNothingWell) {
  const auto diagnoses = diagnose(Facts{});
  for (const char* check : {"agent", "flow-table", "xdp", "mtu", "sysctls", "disk"}) {
    const auto found = std::ranges::find(diagnoses, check, &Diagnosis::check);
    ASSERT_NE(found, diagnoses.end()) << check;
    EXPECT_NE(found->grade, Grade::ok) << check;
  }
}

TEST(Report, ALineIsOneLineWhateverIsInIt) {
  const std::string text = as_text({{"certificate", "a\nb", Grade::fail, "CN=\x1b[31m", "c\td"}});
  EXPECT_THAT(text, StartsWith("fail    certificate a?b: CN=?[31m; c?d\n"));
}

TEST(Report, JsonHasTheSame) {
  const nlohmann::json out = as_json({{"mtu", "eth1", Grade::warn, "9000 bytes", "make it less"}});
  EXPECT_EQ(out["healthy"], true);
  EXPECT_EQ(out["checks"], nlohmann::json::parse(R"([{"check": "mtu", "of": "eth1", "grade": "warn",
    "what": "9000 bytes", "remedy": "make it less"}])"));
}

}  // namespace
}  // namespace doctor::testing
