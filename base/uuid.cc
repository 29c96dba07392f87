#include "base/uuid.h"

#include <sys/random.h>

#include <charconv>
#include <cstdlib>

namespace base {

Uuid Uuid::random() {
  Uuid id;
  if (getrandom(id.bytes.data(), id.bytes.size(), 0) != static_cast<ssize_t>(id.bytes.size()))
    std::abort();  // only possible before the kernel's pool is ready, and then it blocks
  id.bytes[6] = static_cast<uint8_t>((id.bytes[6] & 0x0f) | 0x40);
  id.bytes[8] = static_cast<uint8_t>((id.bytes[8] & 0x3f) | 0x80);
  return id;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
  std::string digits;
  for (size_t i = 0; i < text.size(); i++) {
    bool dash = text.size() == 36 && (i == 8 || i == 13 || i == 18 || i == 23);
    if (dash != (text[i] == '-')) return std::nullopt;
    if (!dash) digits += text[i];
  }
  if (digits.size() != 32) return std::nullopt;
  Uuid id;
  for (size_t i = 0; i < 16; i++) {
    const char* pair = digits.data() + 2 * i;
    auto [end, err] = std::from_chars(pair, pair + 2, id.bytes[i], 16);
    if (err != std::errc{} || end != pair + 2) return std::nullopt;
  }
  return id;
}

std::string Uuid::text() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (size_t i = 0; i < 16; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

}  // namespace base
