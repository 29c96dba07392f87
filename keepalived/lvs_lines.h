// Lines of an LVS text, and what their words say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "base/uuid.h"

namespace keepalived {

constexpr int kMostSeconds = 86400;  // of any time in such a text

struct LvsLine {
  uint32_t number = 0;  // from 1
  bool is_comment = false;
  std::vector<std::string> words;  // never empty; without quotes, and without a comment's "#"

  // Whether it is this word and one or more that `count` has with it.
  bool is(std::string_view word, size_t count) const {
    return !is_comment && words.size() == count && words[0] == word;
  }
  bool ends_block() const { return is("}", 1); }
  bool begins_block(std::string_view word, size_t count) const {
    return is(word, count) && words.back() == "{";
  }
};

class LvsLines {
 public:
  // `text` outlives it.
  explicit LvsLines(std::string_view text) : rest_(text) {}
  // The next line that is not blank; nullopt: there is none.
  std::optional<LvsLine> next();
  // Of the line that was given last.
  uint32_t number() const { return number_; }

 private:
  std::string_view rest_;
  uint32_t number_ = 0;
};

// What a comment says about a resource: "Configuration for Pool ID", "Pool ID is disabled".
struct LvsNote {
  std::string kind;  // "Loadbalancer", "Listener", "Pool", "HealthMonitor", "Member"
  base::Uuid id;
  bool is_disabled = false;
};

// nullopt: some other comment. Error: the id is none.
base::Result<std::optional<LvsNote>> note_of(const LvsLine& comment);

std::optional<base::Endpoint> endpoint_of(std::string_view address, std::string_view port);

// "line 12: it is not understood: lb_kind DR"
base::Error not_understood(const LvsLine& line);
base::Error error_at(uint32_t number, const std::string& what);

}  // namespace keepalived
