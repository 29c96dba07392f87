#include "haproxy/quote.h"

#include <gtest/gtest.h>

namespace haproxy {
namespace {

TEST(Quoted, PlainTextStaysAsItIs) {
  EXPECT_EQ(as_word("/a/b.jpg?x=1&y=2"), "/a/b.jpg?x=1&y=2");
  EXPECT_EQ(as_word("https://example.com/"), "https://example.com/");
}

TEST(Quoted, AnythingElseIsOneWord) {
  EXPECT_EQ(as_word(""), "''");
  EXPECT_EQ(as_word("bad bot"), "'bad bot'");
  EXPECT_EQ(as_word("^a{1}$ # \\ \""), "'^a{1}$ # \\ \"'");
  EXPECT_EQ(as_word("it's"), "'it'\\''s'");
}

TEST(Quoted, NoByteEndsTheLine) {
  EXPECT_EQ(as_word("a\nuser root"), "'a'\\x0a'user root'");
  EXPECT_EQ(as_word("a\r\t\x7f"), "'a'\\x0d''\\x09''\\x7f''");
  EXPECT_EQ(as_word(std::string_view("a\0b", 3)),
            "'a\xef\xbf\xbd"
            "b'");
}

TEST(Literal, HasNoExpression) { EXPECT_EQ(literal("/%[src]%20"), "/%%[src]%%20"); }

TEST(Argument, CannotEndItsList) {
  EXPECT_EQ(argument("X-A"), "\"X-A\"");
  EXPECT_EQ(argument("a,b)\"c\\"), "\"a,b)\\\"c\\\\\"");
}

}  // namespace
}  // namespace haproxy
