#include "agent/http/url.h"

#include <gtest/gtest.h>

namespace http {
namespace {

using Path = std::vector<std::string>;

TEST(ParseTarget, DecodesPathAndQuery) {
  const auto target = parse_target("/v1/a%20b//c/?x=1&y=%2Fz&x=a+b&flag&=v");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, (Path{"v1", "a b", "c"}));
  EXPECT_EQ(target->query,
            (Parameters{{"x", "1"}, {"y", "/z"}, {"x", "a b"}, {"flag", ""}, {"", "v"}}));
}

TEST(ParseTarget, KnowsTheFormsOfATarget) {
  EXPECT_EQ(parse_target("/")->path, Path{});
  EXPECT_EQ(parse_target("http://lb:1/v2/lbaas?x=1")->path, (Path{"v2", "lbaas"}));
  EXPECT_EQ(parse_target("http://lb")->path, Path{});
  EXPECT_EQ(parse_target("/a+b")->path, Path{"a+b"});
  EXPECT_EQ(parse_target("/a#b?c")->path, Path{"a"});
}

TEST(ParseTarget, RefusesWhatIsNone) {
  for (const char* text : {"", "*", "lb:80", "/%", "/%1", "/%zz", "/a%00b", "/a?x=%g1", "/?%=1"})
    EXPECT_FALSE(parse_target(text)) << text;
}

TEST(PercentEncode, ComesBackAsItWas) {
  std::string bytes;
  for (int c = 1; c < 256; ++c) bytes.push_back(static_cast<char>(c));
  EXPECT_EQ(parse_target("/" + percent_encode(bytes))->path, Path{bytes});
  EXPECT_EQ(percent_encode("a/b c~"), "a%2Fb%20c~");
}

}  // namespace
}  // namespace http
