#include "health/expected_codes.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <set>

namespace health {
namespace {

using Ranges = std::vector<CodeRange>;

TEST(ExpectedCodes, OneListRangeAndMixture) {
  EXPECT_EQ(parse_expected_codes("200"), (Ranges{{200, 200}}));
  EXPECT_EQ(parse_expected_codes("200,202"), (Ranges{{200, 200}, {202, 202}}));
  EXPECT_EQ(parse_expected_codes("200-204"), (Ranges{{200, 204}}));
  EXPECT_EQ(parse_expected_codes("301, 200-204 ,404"),
            (Ranges{{200, 204}, {301, 301}, {404, 404}}));
}

TEST(ExpectedCodes, OverlapsMerge) {
  EXPECT_EQ(parse_expected_codes("203-206,200-204,207"), (Ranges{{200, 207}}));
  EXPECT_EQ(parse_expected_codes("200,200"), (Ranges{{200, 200}}));
}

TEST(ExpectedCodes, WhatIsNoSuchText) {
  for (const char* text :
       {"",        " ",   ",",   "200,",      ",200", "20",      "2000",        "099",
        "600",     "abc", "2x0", "200-",      "-200", "204-200", "200-201-202", "200;201",
        "200 201", "+20", "-99", "200 - 204", "200\n"})
    EXPECT_EQ(parse_expected_codes(text), std::nullopt) << '"' << text << '"';
}

const auto kCode = rc::gen::inRange(100, 600);

RC_GTEST_PROP(ExpectedCodesProperty, HasExactlyTheCodesThatWereWritten, ()) {
  std::set<int> codes;
  std::string text;
  for (const auto& [a, b] : *rc::gen::nonEmpty(
           rc::gen::container<std::vector<std::pair<int, int>>>(rc::gen::pair(kCode, kCode)))) {
    const int first = std::min(a, b), last = std::max(a, b);
    for (int code = first; code <= last; code++) codes.insert(code);
    if (!text.empty()) text += ',';
    text += std::to_string(first);
    if (first != last) text += '-' + std::to_string(last);
  }
  const auto ranges = parse_expected_codes(text);
  RC_ASSERT(ranges.has_value());
  for (int code = 0; code < 1000; code++)
    RC_ASSERT(contains(*ranges, code) == codes.contains(code));
  RC_ASSERT(parse_expected_codes(to_text(*ranges)) == ranges);
}

RC_GTEST_PROP(ExpectedCodesProperty, AnyTextIsRefusedOrUnderstood, ()) {
  const auto text =
      *rc::gen::container<std::string>(rc::gen::elementOf(std::string("0123456789,- x")));
  const auto ranges = parse_expected_codes(text);
  if (ranges) RC_ASSERT(parse_expected_codes(to_text(*ranges)) == ranges);
}

}  // namespace
}  // namespace health
