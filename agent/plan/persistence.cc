#include "agent/plan/persistence.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>

#include "agent/datapath/abi.h"
#include "agent/model/datagrams.h"

namespace plan {

namespace {

constexpr int64_t kLvsSeconds = 360;

lb_addr mask_of_length(int length) {
  uint8_t bytes[sizeof(lb_addr)] = {};
  for (int bit = 0; bit < length; bit++)
    bytes[bit / 8] = static_cast<uint8_t>(bytes[bit / 8] | 0x80 >> bit % 8);
  lb_addr mask;
  std::memcpy(mask.ip, bytes, sizeof(bytes));
  return mask;
}

lb_addr whole_address(base::Family family) {
  return mask_of_length(family == base::Family::ipv6 ? 128 : 32);
}

// Ones, then zeros; nullopt: not so.
std::optional<lb_addr> netmask(const base::IpAddress& address) {
  const lb_addr given = datapath::to_abi(address);
  for (int length = 0; length <= address.bits(); length++) {
    const lb_addr mask = mask_of_length(length);
    if (std::memcmp(&mask, &given, sizeof(mask)) == 0) return mask;
  }
  return std::nullopt;
}

std::optional<int> length_of_prefix(std::string_view text) {
  int length = -1;
  const char* end = text.data() + text.size();
  const auto [stop, err] = std::from_chars(text.data(), end, length);
  if (err != std::errc{} || stop != end || length < 0 || length > 128) return std::nullopt;
  return length;
}

}  // namespace

std::optional<lb_addr> persistence_mask(std::string_view granularity, base::Family family) {
  if (granularity.empty()) return whole_address(family);
  if (const auto address = base::IpAddress::parse(granularity)) {
    const std::optional<lb_addr> mask = netmask(*address);
    return mask && address->family() != family ? whole_address(family) : mask;
  }
  const std::optional<int> length = length_of_prefix(granularity);
  if (!length) return std::nullopt;
  return family == base::Family::ipv6 ? mask_of_length(*length) : whole_address(family);
}

uint32_t persistence_timeout(const model::SessionPersistence& persistence,
                             model::PoolProtocol protocol) {
  constexpr int64_t kMost = std::numeric_limits<uint32_t>::max();
  const int64_t by_default = model::has_datagrams(protocol) ? kLvsSeconds : 0;
  const int64_t seconds = persistence.persistence_timeout.value_or(by_default);
  return static_cast<uint32_t>(std::clamp<int64_t>(seconds * 1000, 0, kMost));
}

}  // namespace plan
