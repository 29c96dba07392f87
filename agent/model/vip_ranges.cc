#include "agent/model/vip_ranges.h"

#include <algorithm>
#include <array>

namespace model {

namespace {

base::IpAddress successor(const base::IpAddress& address) {
  std::array<uint8_t, 16> bytes{};
  std::copy_n(address.bytes(), address.size(), bytes.begin());
  for (size_t i = address.size(); i-- > 0 && ++bytes[i] == 0;) {
  }
  return base::IpAddress::from_bytes(address.family(), bytes.data());
}

}  // namespace

std::optional<base::IpAddress> free_address(const VipRange& range,
                                            const std::set<base::IpAddress>& taken) {
  for (base::IpAddress address = range.first;; address = successor(address)) {
    if (!taken.contains(address)) return address;
    if (address == range.last) return std::nullopt;
  }
}

}  // namespace model
