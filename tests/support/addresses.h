// Addresses for tests. A text that is none throws, and so fails the test.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "base/ip.h"

namespace test {

template <class T>
T required(std::string_view text) {
  const auto parsed = T::parse(text);
  if (!parsed) throw std::invalid_argument("test data: \"" + std::string(text) + "\"");
  return *parsed;
}

inline base::IpAddress ip(std::string_view text) { return required<base::IpAddress>(text); }
inline base::IpPrefix prefix(std::string_view text) { return required<base::IpPrefix>(text); }
inline base::MacAddress mac(std::string_view text) { return required<base::MacAddress>(text); }

}  // namespace test
