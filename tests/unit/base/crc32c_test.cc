#include "base/crc32c.h"

#include <gtest/gtest.h>

namespace base {
namespace {

TEST(Crc32c, IsTheCommonOne) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);            // the usual check value
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);  // RFC 3720, B.4
}

}  // namespace
}  // namespace base
