#include "agent/octavia/ini.h"

#include <algorithm>
#include <utility>

namespace octavia {
namespace {

using base::Error;
using base::Result;

constexpr std::string_view kBlanks = " \t\r\n\v\f";

std::string name_of(std::string_view text) {
  std::string name(trimmed(text));
  std::ranges::replace(name, '-', '_');
  return name;
}

std::string_view unquoted(std::string_view value) {
  if (value.size() < 2 || value.front() != value.back()) return value;
  if (value.front() != '"' && value.front() != '\'') return value;
  return value.substr(1, value.size() - 2);
}

class Parser {
 public:
  explicit Parser(const std::string& file) : file_(file) {}

  // "" or what is wrong with the line.
  std::string take(std::string_view line, int number) {
    if (line.find('\0') != std::string_view::npos) return "a NUL byte";
    const std::string_view content = trimmed(line);
    if (content.empty()) {
      open_ = false;  // an empty line ends a value
      return {};
    }
    if (line.front() == ' ' || line.front() == '\t') return go_on(content);
    open_ = false;
    if (line.front() == '#' || line.front() == ';') return {};
    if (line.front() == '[') return begin_section(content);
    return assign(content, number);
  }

  Result<std::vector<IniEntry>> parse(std::string_view text) {
    for (int number = 1; !text.empty(); ++number) {
      const size_t end = text.find('\n');
      if (auto wrong = take(text.substr(0, end), number); !wrong.empty())
        return Error{0, file_ + ":" + std::to_string(number) + ": " + wrong};
      text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    }
    return std::move(entries_);
  }

 private:
  std::string go_on(std::string_view content) {
    if (!open_) return "a line that begins with a blank, and nothing that it could go on";
    entries_.back().value.append("\n").append(content);
    return {};
  }

  std::string begin_section(std::string_view content) {
    if (content.back() != ']') return "a section's name must end with ]";
    section_ = name_of(content.substr(1, content.size() - 2));
    return section_.empty() ? "a section without a name" : "";
  }

  std::string assign(std::string_view content, int number) {
    const size_t sign = content.find_first_of(":=");
    if (sign == std::string_view::npos) return "neither = nor : in an assignment";
    std::string option = name_of(content.substr(0, sign));
    if (option.empty()) return "an assignment without a name";
    if (section_.empty()) return "an assignment outside of every section";
    entries_.push_back({section_, std::move(option),
                        std::string(unquoted(trimmed(content.substr(sign + 1)))), number});
    open_ = true;
    return {};
  }

  const std::string& file_;
  std::string section_;
  std::vector<IniEntry> entries_;
  bool open_ = false;  // the value of the last entry may go on
};

}  // namespace

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

Result<std::vector<IniEntry>> parse_ini(std::string_view text, const std::string& file) {
  return Parser(file).parse(text);
}

}  // namespace octavia
