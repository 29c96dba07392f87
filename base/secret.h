// Texts that others must not see.
#pragma once

#include <string>

#include "base/result.h"

namespace base {

// Text that is wiped when it goes: a key, or what keys are in.
class SecretText {
 public:
  SecretText() = default;
  explicit SecretText(std::string text) : text_(std::move(text)) {}
  SecretText(SecretText&& other) noexcept : text_(std::move(other.text_)) { other.wipe(); }
  SecretText& operator=(SecretText&& other) noexcept;
  SecretText(const SecretText&) = delete;
  SecretText& operator=(const SecretText&) = delete;
  ~SecretText() { wipe(); }

  const std::string& text() const { return text_; }

 private:
  void wipe();

  std::string text_;
};

// The one line, with or without a newline, of a file that only its owner can read (0600):
// `shortest` to `longest` visible characters.
Result<SecretText> read_secret(const std::string& path, size_t shortest, size_t longest);

}  // namespace base
