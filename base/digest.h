// Digests of texts.
#pragma once

#include <string>
#include <string_view>

namespace base {

// Lower case hex.
std::string sha256(std::string_view text);

std::string hex(const unsigned char* bytes, size_t size);

}  // namespace base
