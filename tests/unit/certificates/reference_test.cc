#include <gtest/gtest.h>

#include "agent/certificates/certificates_spec.h"

namespace certificates {
namespace {

TEST(Reference, NamesItselfOrItsLastSegment) {
  EXPECT_EQ(name_of("web.pem"), "web.pem");
  EXPECT_EQ(name_of("https://192.0.2.5:9311/v1/containers/7f2b-1_x"), "7f2b-1_x");
  EXPECT_EQ(name_of("https://192.0.2.5/v1/secrets/abc/"), "abc");
}

TEST(Reference, ThatNoFileCouldHaveHasNoName) {
  for (const char* bad : {"", "/", ".", "..", "../..", "a/../..", ".hidden", "a b", "a\nb", "a\\b",
                          "https://192.0.2.5/v1/containers/.new", "\xc3\xa9.pem"})
    EXPECT_EQ(name_of(bad), std::nullopt) << bad;
  EXPECT_EQ(name_of(std::string(129, 'a')), std::nullopt);
  EXPECT_NE(name_of(std::string(128, 'a')), std::nullopt);
  EXPECT_EQ(name_of(std::string("a\0b", 3)), std::nullopt);
}

}  // namespace
}  // namespace certificates
