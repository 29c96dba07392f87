#include "base/ip.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>

#include "base/number.h"

namespace base {

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  std::string copy(text);
  if (copy.size() != std::strlen(copy.c_str())) return std::nullopt;
  IpAddress a;
  a.family_ = copy.find(':') == std::string::npos ? Family::ipv4 : Family::ipv6;
  int af = a.family_ == Family::ipv4 ? AF_INET : AF_INET6;
  if (inet_pton(af, copy.c_str(), a.bytes_.data()) != 1) return std::nullopt;
  return a;
}

IpAddress IpAddress::v4(uint32_t host_order) {
  IpAddress a;
  uint32_t wire = htonl(host_order);
  std::memcpy(a.bytes_.data(), &wire, sizeof(wire));
  return a;
}

IpAddress IpAddress::from_bytes(Family family, const uint8_t* bytes) {
  IpAddress a;
  a.family_ = family;
  std::copy_n(bytes, a.size(), a.bytes_.begin());
  return a;
}

std::string IpAddress::text() const {
  char buffer[INET6_ADDRSTRLEN];
  inet_ntop(family_ == Family::ipv4 ? AF_INET : AF_INET6, bytes_.data(), buffer, sizeof(buffer));
  return buffer;
}

bool IpAddress::is_unspecified() const {
  return std::all_of(bytes_.begin(), bytes_.end(), [](uint8_t b) { return b == 0; });
}

bool IpAddress::is_loopback() const {
  if (family_ == Family::ipv4) return bytes_[0] == 127;
  return std::all_of(bytes_.begin(), bytes_.end() - 1, [](uint8_t b) { return b == 0; }) &&
         bytes_[15] == 1;
}

bool IpAddress::is_multicast() const {
  return family_ == Family::ipv4 ? (bytes_[0] & 0xf0) == 0xe0 : bytes_[0] == 0xff;
}

bool IpAddress::is_link_local() const {
  if (family_ == Family::ipv4) return bytes_[0] == 169 && bytes_[1] == 254;
  return bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

std::optional<IpPrefix> IpPrefix::parse(std::string_view text) {
  size_t slash = text.find('/');
  auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == std::string_view::npos) return IpPrefix{*address, address->bits()};
  auto length = parse_number(text.substr(slash + 1), 0, address->bits());
  if (!length) return std::nullopt;
  return IpPrefix{*address, *length};
}

bool IpPrefix::contains(const IpAddress& a) const {
  return a.family() == address.family() && IpPrefix{a, length}.network() == network();
}

IpPrefix IpPrefix::network() const {
  uint8_t bytes[16];
  std::copy_n(address.bytes(), address.size(), bytes);
  for (int bit = 0; bit < address.bits(); bit += 8) {
    int kept = std::clamp(length - bit, 0, 8);
    bytes[bit / 8] &= static_cast<uint8_t>(0xff00 >> kept);
  }
  return {IpAddress::from_bytes(address.family(), bytes), length};
}

std::string IpPrefix::text() const { return address.text() + "/" + std::to_string(length); }

std::string Endpoint::text() const {
  std::string host = address.text();
  if (address.family() == Family::ipv6) host = "[" + host + "]";
  return host + ":" + std::to_string(port);
}

std::optional<MacAddress> MacAddress::parse(std::string_view text) {
  MacAddress mac;
  if (text.size() != 17) return std::nullopt;
  for (size_t i = 0; i < 6; i++) {
    const char* digits = text.data() + 3 * i;
    auto [end, err] = std::from_chars(digits, digits + 2, mac.bytes[i], 16);
    if (err != std::errc{} || end != digits + 2 || (i < 5 && digits[2] != ':')) return std::nullopt;
  }
  return mac;
}

std::string MacAddress::text() const {
  char buffer[18];
  std::snprintf(buffer, sizeof(buffer), "%02x:%02x:%02x:%02x:%02x:%02x", bytes[0], bytes[1],
                bytes[2], bytes[3], bytes[4], bytes[5]);
  return buffer;
}

}  // namespace base
