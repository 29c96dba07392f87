#include "tests/bpf/packet/packets.h"

#include <netinet/in.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "tests/support/model_builders.h"

namespace test {

namespace {

void put16(Bytes& to, size_t value) {
  to.push_back(static_cast<uint8_t>(value >> 8));
  to.push_back(static_cast<uint8_t>(value));
}

void append(Bytes& to, const Bytes& more) { to.insert(to.end(), more.begin(), more.end()); }

void append(Bytes& to, const base::IpAddress& address) {
  to.insert(to.end(), address.bytes(), address.bytes() + address.size());
}

// One's complement sum, not inverted.
uint16_t sum(const Bytes& bytes) {
  uint32_t total = 0;
  for (size_t i = 0; i < bytes.size(); ++i)
    total += i % 2 == 0 ? static_cast<uint32_t>(bytes[i]) << 8 : bytes[i];
  while (total > 0xffff) total = (total & 0xffff) + (total >> 16);
  return static_cast<uint16_t>(total);
}

uint16_t l4_sum(const base::IpAddress& from, const base::IpAddress& to, uint8_t proto,
                const Bytes& l4) {
  Bytes whole;
  append(whole, from);
  append(whole, to);
  put16(whole, 0);
  put16(whole, l4.size());
  put16(whole, proto);
  append(whole, l4);
  return sum(whole);
}

Bytes link_header(const base::MacAddress& to, const base::MacAddress& from) {
  Bytes frame(to.bytes.begin(), to.bytes.end());
  frame.insert(frame.end(), from.bytes.begin(), from.bytes.end());
  return frame;
}

// CRC32c, bit by bit; as SCTP has it, its bytes go out lowest first.
uint32_t crc32c(const Bytes& bytes) {
  uint32_t crc = 0xffffffff;
  for (const uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82f63b78u : 0u);
  }
  return __builtin_bswap32(~crc);
}

void put32(Bytes& to, uint32_t value) {
  put16(to, value >> 16);
  put16(to, value & 0xffff);
}

void set32(Bytes& in, size_t where, uint32_t value) {
  set16(in, where, value >> 16);
  set16(in, where + 2, value & 0xffff);
}

// Where L4 begins, and what it is; nullopt: not to be found.
struct L4 {
  size_t offset;
  size_t size;
  uint8_t proto;
};

}  // namespace

Packet& Packet::flags(uint8_t tcp_flags) { return flags_ = tcp_flags, *this; }
Packet& Packet::seq(uint32_t number) { return seq_ = number, *this; }
Packet& Packet::ack(uint32_t number) { return ack_ = number, *this; }
Packet& Packet::ttl(uint8_t hops) { return ttl_ = hops, *this; }
Packet& Packet::traffic_class(uint8_t value) { return traffic_class_ = value, *this; }
Packet& Packet::id(uint16_t number) { return id_ = number, *this; }
Packet& Packet::payload(size_t bytes) { return payload_ = bytes, *this; }
Packet& Packet::last_word(uint16_t word) { return last_word_ = word, *this; }
Packet& Packet::may_be_fragmented() { return fragment_ &= 0xbfff, *this; }
Packet& Packet::options(size_t bytes) { return options_ = bytes, *this; }
Packet& Packet::padding(size_t bytes) { return padding_ = bytes, *this; }
Packet& Packet::no_checksum() { return checksum_ = false, *this; }
Packet& Packet::content(Bytes l4) { return content_ = std::move(l4), *this; }

Packet& Packet::chunk(uint8_t type, uint8_t chunk_flags) {
  chunks_.push_back({type, chunk_flags, 0});
  return *this;
}

Packet& Packet::init(uint32_t initiate_tag) {
  chunks_.assign({{kInit, 0, initiate_tag}});
  return *this;
}

Packet& Packet::init_ack(uint32_t initiate_tag) {
  chunks_.assign({{kInitAck, 0, initiate_tag}});
  return *this;
}

Packet& Packet::tag_of(uint32_t verification_tag) {
  verification_tag_ = verification_tag;
  return *this;
}

Packet& Packet::fragment(uint16_t offset_and_more) {
  fragment_ = offset_and_more;
  if (family() == base::Family::ipv6) extensions_.push_back({IPPROTO_FRAGMENT, 8, 0});
  return *this;
}

Packet& Packet::extension(uint8_t type, size_t bytes, uint8_t segments_left) {
  extensions_.push_back({type, bytes, segments_left});
  return *this;
}

Packet& Packet::tag(uint16_t tci, uint16_t ethertype) {
  tags_.push_back({ethertype, tci});
  return *this;
}

Packet& Packet::macs(const base::MacAddress& to, const base::MacAddress& from) {
  to_mac_ = to;
  from_mac_ = from;
  return *this;
}

Packet Packet::between(const base::Endpoint& from, const base::Endpoint& to) const {
  Packet other = *this;
  other.from_ = from;
  other.to_ = to;
  return other;
}

Bytes Packet::sctp_l4() const {
  Bytes l4;
  put16(l4, from_.port);
  put16(l4, to_.port);
  put32(l4, verification_tag_);
  put32(l4, 0);
  for (const Chunk& chunk : chunks_) {
    const bool begins = chunk.type == kInit || chunk.type == kInitAck;
    const size_t more = begins ? 16 : chunk.type == kData ? 12 + payload_ : 0;
    l4.push_back(chunk.type);
    l4.push_back(chunk.flags);
    put16(l4, 4 + more);
    if (begins) put32(l4, chunk.initiate_tag);
    for (size_t i = begins ? 4 : 0; i < more; ++i) l4.push_back(static_cast<uint8_t>(i * 7 + 1));
    while (l4.size() % 4 != 0) l4.push_back(0);
  }
  if (checksum_) set32(l4, 8, crc32c(l4));
  return l4;
}

Bytes Packet::l4() const {
  if (content_) return *content_;
  if (proto_ == IPPROTO_SCTP) return sctp_l4();
  Bytes l4;
  put16(l4, from_.port);
  put16(l4, to_.port);
  if (proto_ == IPPROTO_TCP) {
    put16(l4, seq_ >> 16);
    put16(l4, seq_ & 0xffff);
    put16(l4, ack_ >> 16);
    put16(l4, ack_ & 0xffff);
    l4.push_back(5 << 4);
    l4.push_back(flags_);
    put16(l4, 0xfaf0);  // window
    put16(l4, 0);
    put16(l4, 0);
  } else {
    put16(l4, 8 + payload_ + (last_word_ ? 2 : 0));
    put16(l4, 0);
  }
  for (size_t i = 0; i < payload_; ++i) l4.push_back(static_cast<uint8_t>(i * 7 + 1));
  if (last_word_) put16(l4, *last_word_);
  if (!checksum_) return l4;
  const uint16_t check = ~l4_sum(from_.address, to_.address, proto_, l4) & 0xffff;
  if (proto_ == IPPROTO_TCP)
    set16(l4, 16, check);
  else
    set16(l4, 6, check == 0 ? 0xffff : check);
  return l4;
}

Bytes Packet::ipv4(const Bytes& l4) const {
  const size_t header = 20 + options_;
  Bytes ip{static_cast<uint8_t>(0x40 | header / 4), traffic_class_};
  put16(ip, header + l4.size());
  put16(ip, id_);
  put16(ip, fragment_);
  ip.push_back(ttl_);
  ip.push_back(proto_);
  put16(ip, 0);
  append(ip, from_.address);
  append(ip, to_.address);
  ip.insert(ip.end(), options_, 1);
  set16(ip, 10, ~sum(ip) & 0xffff);
  append(ip, l4);
  return ip;
}

Bytes Packet::ipv6(const Bytes& l4) const {
  Bytes extensions;
  for (size_t i = 0; i < extensions_.size(); ++i) {
    const Extension& e = extensions_[i];
    extensions.push_back(i + 1 < extensions_.size() ? extensions_[i + 1].type : proto_);
    extensions.push_back(static_cast<uint8_t>(e.size / 8 - 1));
    if (e.type == IPPROTO_FRAGMENT) {
      put16(extensions, fragment_);
    } else {
      extensions.push_back(0);
      extensions.push_back(e.segments_left);
    }
    extensions.insert(extensions.end(), e.size - 4, 0);
  }
  Bytes ip;
  put16(ip, 0x6000u | static_cast<size_t>(traffic_class_) << 4);
  put16(ip, 0);
  put16(ip, extensions.size() + l4.size());
  ip.push_back(extensions_.empty() ? proto_ : extensions_.front().type);
  ip.push_back(ttl_);
  append(ip, from_.address);
  append(ip, to_.address);
  append(ip, extensions);
  append(ip, l4);
  return ip;
}

Bytes Packet::bytes() const {
  const bool v6 = family() == base::Family::ipv6;
  Bytes frame = link_header(to_mac_, from_mac_);
  for (const Tag& tag : tags_) {
    put16(frame, tag.ethertype);
    put16(frame, tag.tci);
  }
  put16(frame, v6 ? 0x86dd : 0x0800);
  append(frame, v6 ? ipv6(l4()) : ipv4(l4()));
  frame.insert(frame.end(), padding_, 0xee);
  return frame;
}

base::Endpoint at(std::string_view address, uint16_t port) { return {ip(address), port}; }

Packet tcp(const base::Endpoint& from, const base::Endpoint& to) { return {IPPROTO_TCP, from, to}; }
Packet udp(const base::Endpoint& from, const base::Endpoint& to) { return {IPPROTO_UDP, from, to}; }
Packet sctp(const base::Endpoint& from, const base::Endpoint& to) {
  return {IPPROTO_SCTP, from, to};
}

Bytes of_protocol(uint8_t proto, const base::IpAddress& from, const base::IpAddress& to) {
  return Packet(proto, {from, 0x0102}, {to, 0x0304}).bytes();
}

Bytes icmp(const base::IpAddress& from, const base::IpAddress& to, uint8_t type) {
  const bool v6 = from.family() == base::Family::ipv6;
  Bytes frame = of_protocol(v6 ? uint8_t{58} : uint8_t{1}, from, to);
  frame[v6 ? 54 : 34] = type;
  return frame;
}

namespace {

std::optional<L4> find_l4(const Bytes& frame, size_t l3, size_t l3_size) {
  if (frame[l3] >> 4 == 4) {
    const size_t header = (frame[l3] & 15u) * 4;
    return L4{l3 + header, l3_size - header, frame[l3 + 9]};
  }
  uint8_t proto = frame[l3 + 6];
  size_t offset = 40;
  while (proto == 0 || proto == 43 || proto == 44 || proto == 60) {
    if (offset + 8 > l3_size) return std::nullopt;
    proto = frame[l3 + offset];
    offset += (frame[l3 + offset + 1] + 1u) * 8;
  }
  if (offset > l3_size) return std::nullopt;
  return L4{l3 + offset, l3_size - offset, proto};
}

size_t l3_of(const Bytes& frame) {
  size_t l3 = 14;
  while (get16(frame, l3 - 2) == 0x8100 || get16(frame, l3 - 2) == 0x88a8) l3 += 4;
  return l3;
}

size_t l3_size_of(const Bytes& frame, size_t l3) {
  return frame[l3] >> 4 == 4 ? get16(frame, l3 + 2) : 40 + get16(frame, l3 + 4);
}

base::IpAddress address_at(const Bytes& frame, size_t l3, size_t which) {
  const bool v6 = frame[l3] >> 4 == 6;
  const size_t where = v6 ? l3 + 8 + which * 16 : l3 + 12 + which * 4;
  return base::IpAddress::from_bytes(v6 ? base::Family::ipv6 : base::Family::ipv4, &frame[where]);
}

std::optional<std::string> icmp_flaw(const Bytes& frame, size_t l3, const L4& l4) {
  const auto begin = frame.begin() + static_cast<ptrdiff_t>(l4.offset);
  const Bytes bytes(begin, begin + static_cast<ptrdiff_t>(l4.size));
  const uint16_t total =
      l4.proto == IPPROTO_ICMP
          ? sum(bytes)
          : l4_sum(address_at(frame, l3, 0), address_at(frame, l3, 1), l4.proto, bytes);
  return total == 0xffff ? std::nullopt : std::optional<std::string>("ICMP checksum");
}

std::optional<std::string> sctp_flaw(Bytes l4) {
  if (l4.size() < 16) return "SCTP header";
  const auto check = static_cast<uint32_t>(get16(l4, 8) << 16 | get16(l4, 10));
  set32(l4, 8, 0);
  if (check != 0 && check != crc32c(l4)) return "SCTP checksum";
  return std::nullopt;
}

std::optional<std::string> l4_flaw(const Bytes& frame, size_t l3, const L4& l4) {
  if (l4.proto == IPPROTO_ICMP || l4.proto == IPPROTO_ICMPV6) return icmp_flaw(frame, l3, l4);
  const bool is_udp = l4.proto == IPPROTO_UDP;
  size_t size = l4.size;
  if (is_udp) {
    size = get16(frame, l4.offset + 4);
    if (size < 8 || size > l4.size) return "UDP length";
    const bool without = get16(frame, l4.offset + 6) == 0;
    if (without) return std::nullopt;
  }
  const auto begin = frame.begin() + static_cast<ptrdiff_t>(l4.offset);
  const Bytes bytes(begin, begin + static_cast<ptrdiff_t>(size));
  if (l4.proto == IPPROTO_SCTP) return sctp_flaw(bytes);
  if (l4_sum(address_at(frame, l3, 0), address_at(frame, l3, 1), l4.proto, bytes) != 0xffff)
    return is_udp ? "UDP checksum" : "TCP checksum";
  return std::nullopt;
}

}  // namespace

std::optional<std::string> flaw(const Bytes& frame) {
  const size_t l3 = l3_of(frame);
  const size_t size = l3_size_of(frame, l3);
  if (l3 + size > frame.size()) return "IP length";
  if (frame[l3] >> 4 == 4) {
    const auto begin = frame.begin() + static_cast<ptrdiff_t>(l3);
    if (sum({begin, begin + (frame[l3] & 15) * 4}) != 0xffff) return "IPv4 checksum";
  }
  const auto l4 = find_l4(frame, l3, size);
  if (!l4 || l4->size < 8) return "no L4 header";
  return l4_flaw(frame, l3, *l4);
}

Packet icmp_error(const base::IpAddress& from, const Packet& about, const Error& error,
                  size_t quoted) {
  const Bytes frame = about.bytes();
  const size_t l3 = l3_of(frame);
  const auto l4 = find_l4(frame, l3, l3_size_of(frame, l3));
  const bool six = about.family() == base::Family::ipv6;
  const uint8_t proto = six ? uint8_t{IPPROTO_ICMPV6} : uint8_t{IPPROTO_ICMP};
  Bytes message{error.type, error.code, 0, 0};
  put16(message, error.rest >> 16);
  put16(message, error.rest & 0xffff);
  const auto begin = frame.begin() + static_cast<ptrdiff_t>(l3);
  const size_t size = std::min(l4->offset - l3 + quoted, l3_size_of(frame, l3));
  message.insert(message.end(), begin, begin + static_cast<ptrdiff_t>(size));
  const base::IpAddress& to = about.from().address;
  set16(message, 2, ~(six ? l4_sum(from, to, proto, message) : sum(message)) & 0xffff);
  return Packet(proto, {from, 0}, {to, 0}).content(message);
}

Ends ends_of(const Bytes& frame) {
  const size_t l3 = l3_of(frame);
  const auto l4 = find_l4(frame, l3, l3_size_of(frame, l3));
  const auto port = [&](size_t where) {
    return static_cast<uint16_t>(get16(frame, l4->offset + where));
  };
  return {{address_at(frame, l3, 0), port(0)}, {address_at(frame, l3, 1), port(2)}};
}

std::string describe(const Bytes& frame) {
  std::string text;
  for (size_t i = 0; i < frame.size(); ++i) {
    char hex[8];
    std::snprintf(hex, sizeof(hex), i % 16 == 15 ? "%02x\n" : "%02x ", frame[i]);
    text += hex;
  }
  return text;
}

}  // namespace test
