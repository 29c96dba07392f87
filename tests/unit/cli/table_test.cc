#include "agent/cli/table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace cli {
namespace {

const std::vector<Column> kColumns{{"NAME"}, {"N", Column::Fit::number}, {"ID", Column::Fit::id}};
const std::string kId = "3fa85f64-5717-4562-b3fc-2c963f66afa6";

TEST(Render, AlignsWhatFits) {
  EXPECT_EQ(render(kColumns, {{"a", "5", "x"}, {"long", "10", ""}}, 80),
            "NAME   N  ID\n"
            "a      5  x\n"
            "long  10\n");
}

TEST(Render, CutsIdsFirstThenText) {
  EXPECT_EQ(render(kColumns, {{"a rather long name", "5", kId}}, 40),
            "NAME                N  ID\n"
            "a rather long name  5  3fa85f64\n");
  EXPECT_EQ(render(kColumns, {{"a rather long name", "5", kId}}, 24),
            "NAME         N  ID\n"
            "a rather l…  5  3fa85f64\n");
}

TEST(Render, CountsCharactersNotBytes) {
  EXPECT_EQ(render(kColumns, {{"ñandú", "1", "x"}, {"abcde", "2", "y"}}, 80),
            "NAME   N  ID\n"
            "ñandú  1  x\n"
            "abcde  2  y\n");
}

TEST(Render, ANameCannotSpeakToTheTerminal) {
  EXPECT_EQ(render({{"NAME"}}, {{"a\033[2Jb\nc"}}, 80), "NAME\na?[2Jb?c\n");
}

TEST(Render, NoLineIsWiderThanTheTerminal) {
  for (size_t width = 30; width < 120; ++width) {
    std::istringstream in(render(kColumns, {{std::string(200, 'x'), "12345", kId}}, width));
    for (std::string line; std::getline(in, line);)
      EXPECT_LE(std::ranges::count_if(line, [](char c) { return (c & 0xc0) != 0x80; }),
                static_cast<long>(width));
  }
}

TEST(ShortNumber, HasFiveCharactersAtMost) {
  EXPECT_EQ(short_number(0), "0");
  EXPECT_EQ(short_number(9999), "9999");
  EXPECT_EQ(short_number(10'000), "10.0k");
  EXPECT_EQ(short_number(999'949), "1.0M");
  EXPECT_EQ(short_number(123'456'789), "123M");
  EXPECT_EQ(short_number(UINT64_MAX), "18.4E");
  for (uint64_t n = 1; n < UINT64_MAX / 7; n *= 7) EXPECT_LE(short_number(n).size(), 5u) << n;
}

TEST(ShortDuration, SaysWhatMatters) {
  EXPECT_EQ(short_duration(350), "350ms");
  EXPECT_EQ(short_duration(59'999), "59s");
  EXPECT_EQ(short_duration(185'000), "3m05s");
  EXPECT_EQ(short_duration(7'620'000), "2h07m");
  EXPECT_EQ(short_duration(442'800'000), "5d03h");
}

}  // namespace
}  // namespace cli
