#include "agent/http/token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/unit/http/wire.h"

namespace http::testing {
namespace {

using ::testing::HasSubstr;

class TokenFile : public ::testing::Test {
 protected:
  base::Result<Token> read(const std::string& text, mode_t mode = 0600) {
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
    return Token::read(path);
  }
  std::string fault(const std::string& text, mode_t mode = 0600) {
    const auto token = read(text, mode);
    return token ? "no fault" : token.error().message();
  }

  TemporaryFolder folder;
  std::string path = folder.path("token");
};

TEST_F(TokenFile, IsOneLine) {
  for (const std::string& text : {kToken, kToken + "\n"}) {
    const auto token = read(text);
    ASSERT_TRUE(token.ok()) << token.error().message();
    EXPECT_TRUE(token->is(kToken));
    EXPECT_FALSE(token->is(kToken + "x"));
    EXPECT_FALSE(token->is(kToken.substr(1)));
    EXPECT_FALSE(token->is(""));
  }
}

TEST_F(TokenFile, ThatIsNoneSaysWhy) {
  EXPECT_THAT(fault("short"), HasSubstr("16 to 512 visible characters"));
  EXPECT_THAT(fault(""), HasSubstr("visible characters"));
  EXPECT_THAT(fault(kToken + "\n" + kToken + "\n"), HasSubstr("one line"));
  EXPECT_THAT(fault(std::string(600, 'x')), HasSubstr("visible characters"));
  EXPECT_THAT(fault(kToken + " and more"), HasSubstr("visible characters"));
  EXPECT_THAT(fault(kToken, 0640), HasSubstr("chmod it to 0600"));
  EXPECT_THAT(Token::read(folder.path("none")).error().message(), HasSubstr("none"));
  EXPECT_THAT(Token::read(folder.path("")).error().message(), HasSubstr("not a regular file"));
}

TEST(TokenGuard, AsksForIt) {
  const Guard guard = token_guard(Token(kToken));
  Request request;
  ASSERT_TRUE(guard(request).has_value());
  EXPECT_EQ(guard(request)->status, 401);
  EXPECT_THAT(guard(request)->body, HasSubstr("requires authentication"));
  request.token = "something-else-entirely";
  ASSERT_TRUE(guard(request).has_value());
  EXPECT_EQ(guard(request)->status, 401);
  request.token = kToken;
  EXPECT_FALSE(guard(request).has_value());
}

}  // namespace
}  // namespace http::testing
