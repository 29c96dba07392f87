// The token that opens the API where no credentials of a peer do.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "agent/http/http.h"
#include "base/result.h"

namespace http {

class Token {
 public:
  // One line of 16 to 512 visible characters, in a file that only its owner can read (0600).
  static base::Result<Token> read(const std::string& path);
  explicit Token(std::string_view text);

  // Takes as long for every wrong one.
  bool is(std::string_view given) const;

 private:
  std::array<uint8_t, 32> digest_{};
};

// 401 for whoever does not have it.
Guard token_guard(Token token);

}  // namespace http
