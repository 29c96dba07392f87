// IP addresses, prefixes and endpoints as values. Bytes are kept in network order, numbers (ports,
// prefix lengths) in host order.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace base {

enum class Family : uint8_t { ipv4 = 4, ipv6 = 6 };

class IpAddress {
 public:
  IpAddress() = default;  // 0.0.0.0
  // Dotted quad or RFC 4291 text; no zone, no prefix, no leading zeros. nullopt: not an address.
  static std::optional<IpAddress> parse(std::string_view text);
  static IpAddress v4(uint32_t host_order);
  // 4 or 16 bytes, network order.
  static IpAddress from_bytes(Family family, const uint8_t* bytes);

  Family family() const { return family_; }
  const uint8_t* bytes() const { return bytes_.data(); }
  size_t size() const { return family_ == Family::ipv4 ? 4 : 16; }  // bytes
  int bits() const { return family_ == Family::ipv4 ? 32 : 128; }
  std::string text() const;  // canonical (RFC 5952)
  bool is_unspecified() const;
  bool is_loopback() const;
  bool is_multicast() const;
  bool is_link_local() const;

  auto operator<=>(const IpAddress&) const = default;

 private:
  Family family_ = Family::ipv4;
  std::array<uint8_t, 16> bytes_{};  // IPv4 in the first four, the rest zero
};

struct IpPrefix {
  IpAddress address;  // host bits as written
  int length = 0;     // 0 .. address.bits()

  // "192.0.2.0/24"; without "/n" a host prefix.
  static std::optional<IpPrefix> parse(std::string_view text);
  bool contains(const IpAddress& a) const;  // false for the other family
  IpPrefix network() const;                 // host bits cleared
  std::string text() const;

  auto operator<=>(const IpPrefix&) const = default;
};

struct Endpoint {
  IpAddress address;
  uint16_t port = 0;
  std::string text() const;  // "192.0.2.1:80", "[2001:db8::1]:80"

  auto operator<=>(const Endpoint&) const = default;
};

struct MacAddress {
  std::array<uint8_t, 6> bytes{};
  static std::optional<MacAddress> parse(std::string_view text);  // "02:00:00:00:00:01", any case
  std::string text() const;                                       // lower case

  auto operator<=>(const MacAddress&) const = default;
};

}  // namespace base
