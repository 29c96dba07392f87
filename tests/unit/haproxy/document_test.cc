// The document: every byte kept, words as HAProxy reads them, limits that name the line.
#include "haproxy/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/unit/haproxy/specs.h"

namespace {

using haproxy::Document;
using haproxy::Section;
using haproxy_test::Made;
using testing::ElementsAre;
using testing::HasSubstr;

std::string joined(const Document& document) {
  std::string text;
  for (uint32_t number = 1; number <= document.lines(); number++) text += document.line(number);
  return text;
}

// Sections have every line once and in order.
void expect_whole(const Document& document) {
  uint32_t next = 1;
  for (const Section& section : document.sections()) {
    EXPECT_EQ(section.begin, next);
    EXPECT_LT(section.begin, section.end);
    next = section.end;
  }
  EXPECT_EQ(next, document.lines() + 1);
}

void expect_round_trip(const std::string& text) {
  const auto document = Document::parse(text);
  ASSERT_TRUE(document.ok()) << document.error().what;
  EXPECT_EQ(document->text(), text);
  EXPECT_EQ(joined(*document), text);
  EXPECT_EQ(document->without({}), text);
  expect_whole(*document);
}

std::vector<std::string> words_of(const std::string& line) {
  const auto document = Document::parse(line + "\n");
  EXPECT_TRUE(document.ok()) << document.error().what;
  return document.ok() ? document->words(1).words : std::vector<std::string>{};
}

std::string refusal_of(const std::string& text) {
  const auto document = Document::parse(text);
  return document.ok() ? "none" : document.error().what;
}

TEST(Document, KeepsEveryByteOfEverySample) {
  int count = 0;
  for (const char* folder : {"haproxy", "haproxy-2026"})
    for (const auto& entry :
         std::filesystem::directory_iterator(std::string(OCTAVIA_SAMPLES) + "/" + folder)) {
      SCOPED_TRACE(entry.path().string());
      std::ifstream file(entry.path());
      expect_round_trip({std::istreambuf_iterator<char>(file), {}});
      count++;
    }
  EXPECT_EQ(count, 40);
}

TEST(Document, KeepsEveryByteOfWhatWeRender) {
  Made made;
  expect_round_trip(made.text());
  made.frontend().policies.push_back({});
  made.frontend().policies[0].target = "https://example.com/ a'b\\ \"c\" #d %e";
  made.frontend().policies[0].action = haproxy::Action::redirect_location;
  expect_round_trip(made.text());
}

// The renderer quotes a text, the document reads it: the same text.
TEST(Document, UnderstandsWhatWeQuote) {
  Made made;
  const std::string target = "https://example.com/ a'b\\ \"c\" #d\t\x01\xff$HOME";
  made.frontend().policies.push_back({});
  made.frontend().policies[0].target = target;
  made.frontend().policies[0].action = haproxy::Action::redirect_prefix;
  const auto document = Document::parse(made.text());
  ASSERT_TRUE(document.ok());
  int found = 0;
  for (uint32_t number = 1; number <= document->lines(); number++) {
    const haproxy::Words line = document->words(number);
    if (line.words.empty() || line.words[0] != "redirect") continue;
    EXPECT_THAT(line.words, ElementsAre("redirect", "code", "302", "prefix", target, "if"));
    EXPECT_FALSE(line.has_variable);
    found++;
  }
  EXPECT_EQ(found, 1);
}

TEST(Document, ReadsWordsAsHaproxyDoes) {
  struct Case {
    const char* line;
    std::vector<std::string> words;
  };
  const Case cases[] = {
      {"", {}},
      {"  \t ", {}},
      {"# only a comment", {}},
      {"    maxconn 50000", {"maxconn", "50000"}},
      {"maxconn 5 # limit", {"maxconn", "5"}},
      {"maxconn 5#limit", {"maxconn", "5"}},
      {"a\\#b", {"a#b"}},
      {"max'conn' \"5 0\"", {"maxconn", "5 0"}},
      {"\"\" a \"\"", {"", "a"}},
      {"Host:\\ www", {"Host: www"}},
      {"HTTP/1.0\\r\\n", {"HTTP/1.0\r\n"}},
      {"a\\tb\\\\c\\x41\\'\\\"", {"a\tb\\cA'\""}},
      {"'\\n' \"\\n\" \\1", {"\\n", "\n", "\\1"}},
      {"\\$A '$A' $A", {"\\$A", "$A", "$A"}},
      {"a\vb\fc", {"a", "b", "c"}},
      {"end\rrest", {"end"}},
      {"trailing\\", {"trailing\\"}},
      {"bind \xff", {"bind", "\xff"}},
  };
  for (const Case& c : cases) EXPECT_EQ(words_of(c.line), c.words) << c.line;
}

TEST(Document, NamesVariablesOfTheEnvironment) {
  const auto document = Document::parse("mode \"$MODE\"\nmode \"\\$MODE\"\nmode '$MODE'\n");
  ASSERT_TRUE(document.ok());
  EXPECT_TRUE(document->words(1).has_variable);
  EXPECT_FALSE(document->words(2).has_variable);
  EXPECT_FALSE(document->words(3).has_variable);
}

TEST(Document, FindsSections) {
  const auto document =
      Document::parse("# head\n\nglobal\n daemon\n'frontend' web\n\n\nbackend a:b extra\n");
  ASSERT_TRUE(document.ok());
  EXPECT_THAT(document->sections(),
              ElementsAre(Section{"", "", 1, 3}, Section{"global", "", 3, 5},
                          Section{"frontend", "web", 5, 8}, Section{"backend", "a:b", 8, 9}));
  const auto at_once = Document::parse("global\n");
  EXPECT_THAT(at_once->sections(), ElementsAre(Section{"global", "", 1, 2}));
  EXPECT_TRUE(Document::parse("")->sections().empty());
}

TEST(Document, GivesTheTextWithoutLines) {
  const auto document = Document::parse("a\n b\n\nc\n");
  EXPECT_EQ(document->without({2}), "a\n\nc\n");
  EXPECT_EQ(document->without({1, 2, 3, 4}), "");
}

TEST(Document, RefusesWithTheLine) {
  EXPECT_EQ(refusal_of("global\n maxconn \"5\n"), "line 2: a quote is open: \"");
  EXPECT_EQ(refusal_of("a '\n' b\n"), "line 1: a quote is open: '");
  EXPECT_THAT(refusal_of("a\nb \\x4\n"), HasSubstr("line 2: \\x must be followed by two"));
  EXPECT_THAT(refusal_of("a\nb \\xg0\n"), HasSubstr("line 2: \\x must be followed by two"));
  EXPECT_EQ(refusal_of(std::string("a\nb\0c\n", 6)), "line 2: there is a NUL in it");
  EXPECT_THAT(refusal_of("a\nb"), HasSubstr("line 2: its newline is missing"));
}

TEST(Document, HasLimits) {
  std::string words = "acl";
  for (size_t i = 1; i < Document::kMostWords; i++) words += " a";
  EXPECT_EQ(refusal_of(words + "\n"), "none");
  EXPECT_EQ(refusal_of(words + " b\n"), "line 1: there are more than 64 words");

  const std::string line(Document::kMostLineBytes, 'a');
  EXPECT_EQ(refusal_of(line + "\n"), "none");
  EXPECT_THAT(refusal_of("\n" + line + "a\n"), HasSubstr("line 2: it is longer than 65536"));

  EXPECT_EQ(refusal_of(std::string(Document::kMostLines, '\n')), "none");
  EXPECT_EQ(refusal_of(std::string(Document::kMostLines + 1, '\n')),
            "line 200001: there are more than 200000 lines");

  std::string sections;
  for (int i = 0; i < 100000; i++) sections += "frontend a\n";
  EXPECT_EQ(refusal_of(sections), "line 20001: there are more than 20000 sections");

  std::string long_text;
  while (long_text.size() < (10U << 20)) long_text += std::string(1000, 'x') + "\n";
  EXPECT_THAT(refusal_of(long_text), HasSubstr("line 8381: the text is longer than 8388608"));
}

}  // namespace
