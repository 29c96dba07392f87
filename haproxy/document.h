// A haproxy.cfg as a document: every byte is kept, lines and sections are views on it. Reads the
// words of a line as HAProxy 2.6 does (its manual, 2.1 to 2.3), and knows no keyword but those that
// begin a section. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace haproxy {

// What HAProxy understands of a line: quotes and backslashes are gone, a comment is left out.
struct Words {
  std::vector<std::string> words;  // empty: blank, or only a comment
  // An environment variable is among them: it is kept as written, and HAProxy reads its value.
  bool has_variable = false;

  friend bool operator==(const Words&, const Words&) = default;
};

// A title and the lines up to the next one.
struct Section {
  std::string kind, name;  // "frontend", "web"; both empty: the lines before the first title
  uint32_t begin = 0;      // number of the title's line; where there is no title, of the first
  uint32_t end = 0;        // one past the number of the last line

  friend bool operator==(const Section&, const Section&) = default;
};

// Lines are named by their number, from 1, as in HAProxy's messages.
class Document {
 public:
  // More of everything than a machine of ours carries out; a longer text is refused.
  static constexpr size_t kMostBytes = 8U << 20;
  static constexpr size_t kMostLineBytes = 64U << 10;
  static constexpr size_t kMostLines = 200000;
  static constexpr size_t kMostSections = 20000;
  static constexpr size_t kMostWords = 64;  // of a line; HAProxy's

  // Error: what HAProxy would not read either (a NUL, an open quote, a broken escape, too many
  // words, an end without a newline) or more than the limits; names the line.
  static base::Result<Document> parse(std::string text);

  const std::string& text() const { return text_; }
  uint32_t lines() const { return static_cast<uint32_t>(starts_.size() - 1); }
  // With its newline; all of them in order are the text. Valid as long as the document.
  std::string_view line(uint32_t number) const;
  Words words(uint32_t number) const;
  // In the order of the text; together they have every line.
  const std::vector<Section>& sections() const { return sections_; }

  // The text without these lines.
  std::string without(const std::set<uint32_t>& numbers) const;

 private:
  explicit Document(std::string text) : text_(std::move(text)) {}
  base::Status split();
  base::Status find_sections();

  std::string text_;
  std::vector<uint32_t> starts_{0};  // of each line, and the end
  std::vector<Section> sections_;
};

}  // namespace haproxy
