#include "haproxy/words.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace haproxy {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\v' || c == '\f'; }

// HAProxy ends a line at a carriage return as at a newline, wherever it stands.
bool ends_line(char c) { return c == '\n' || c == '\r'; }

std::optional<char> byte_of_hex(std::string_view digits) {
  uint8_t value = 0;
  const auto [end, err] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (digits.size() != 2 || err != std::errc{} || end != digits.data() + digits.size())
    return std::nullopt;
  return static_cast<char>(value);
}

class Splitter {
 public:
  explicit Splitter(std::string_view line) : rest_(line) {}

  base::Result<Words> split() {
    while (!rest_.empty() && (is_blank(rest_.front()) || rest_.front() == '\r')) take();
    while (true) {
      take_plain();
      if (rest_.empty() || ends_line(rest_.front())) break;
      if (rest_.front() == '#' && quote_ == 0) break;
      if (auto done = step(); !done) return done.error();
      if (found_.words.size() > Document::kMostWords) break;
    }
    if (quote_ != 0) return base::Error{0, std::string("a quote is open: ") + quote_};
    if (!word_.empty()) found_.words.push_back(std::move(word_));
    if (found_.words.size() > Document::kMostWords)
      return base::Error{0,
                         "there are more than " + std::to_string(Document::kMostWords) + " words"};
    return std::move(found_);
  }

 private:
  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  // What means itself wherever it stands.
  void take_plain() {
    const size_t end = std::min(rest_.find_first_of(" \t\v\f\r\n#'\"\\$"), rest_.size());
    word_ += rest_.substr(0, end);
    rest_.remove_prefix(end);
  }

  // One character, escape, quote or run of blanks.
  base::Status step() {
    const char c = take();
    if (quote_ != 0 ? c == quote_ : c == '"' || c == '\'')
      quote_ = quote_ != 0 ? char{0} : c;
    else if (c == '\\' && quote_ != '\'')
      return escape();
    else if (is_blank(c) && quote_ == 0)
      end_word();
    else
      add(c);
    return base::Unit{};
  }

  void add(char c) {
    if (c == '$' && quote_ == '"') found_.has_variable = true;
    word_ += c;
  }

  // Also an empty one: "" is a word, unless it is the last.
  void end_word() {
    while (!rest_.empty() && is_blank(rest_.front())) take();
    found_.words.push_back(std::move(word_));
    word_.clear();
  }

  // After a backslash. What is no escape leaves it where it is.
  base::Status escape() {
    const char c = rest_.empty() ? '\n' : rest_.front();
    switch (c) {
      case 't':
        return put('\t');
      case 'n':
        return put('\n');
      case 'r':
        return put('\r');
      case ' ':
      case '\\':
      case '#':
      case '\'':
      case '"':
        return put(c);
      case '$':
        return quote_ == '"' ? put(c) : keep_backslash();
      case 'x':
        return hex();
      default:
        return keep_backslash();
    }
  }

  base::Status put(char c) {
    take();
    word_ += c;
    return base::Unit{};
  }

  base::Status keep_backslash() {
    word_ += '\\';
    return base::Unit{};
  }

  base::Status hex() {
    const auto byte = byte_of_hex(rest_.substr(1, 2));
    if (!byte) return base::Error{0, "\\x must be followed by two hexadecimal digits"};
    rest_.remove_prefix(3);
    word_ += *byte;
    return base::Unit{};
  }

  std::string_view rest_;
  char quote_ = 0;  // the one that is open; 0: none
  std::string word_;
  Words found_;
};

}  // namespace

base::Result<Words> split_words(std::string_view line) { return Splitter(line).split(); }

}  // namespace haproxy
