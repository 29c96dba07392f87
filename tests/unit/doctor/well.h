// A machine that nothing is wrong with, for tests to break; and what is said of it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "agent/cli/doctor/checks.h"

namespace doctor {

inline void PrintTo(const Diagnosis& diagnosis, std::ostream* out) { *out << as_text({diagnosis}); }

namespace testing {

// An amphora of a pair, with eth1 (veth) and eth2 (virtio_net).
Facts well();

Interface& interface(Facts& facts, const std::string& name);

// "Says(Grade::fail, "expired")"
MATCHER_P2(Says, grade, what, "") {
  return arg.grade == grade && arg.what.find(what) != std::string::npos;
}
MATCHER_P3(Says, grade, what, remedy, "") {
  return arg.grade == grade && arg.what.find(what) != std::string::npos &&
         arg.remedy.find(remedy) != std::string::npos;
}
MATCHER_P(Is, grade, "") { return arg.grade == grade; }

}  // namespace testing
}  // namespace doctor
