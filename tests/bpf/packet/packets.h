// Packets for tests, as values: built from what matters, with right lengths and checksums; and read
// back, with every checksum computed anew.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"

namespace test {

using Bytes = std::vector<uint8_t>;

// TCP's flags, as in the header.
enum : uint8_t { kFin = 1, kSyn = 2, kRst = 4, kPsh = 8, kAck = 16 };

// Chunks of SCTP.
enum : uint8_t {
  kData = 0,
  kInit = 1,
  kInitAck = 2,
  kSack = 3,
  kAbort = 6,
  kShutdown = 7,
  kShutdownAck = 8,
  kCookieEcho = 10,
  kCookieAck = 11,
  kShutdownComplete = 14,
};
inline constexpr uint8_t kReflected = 1;  // the T flag

inline constexpr uint32_t kSequence = 0x5a5a5a5a;

// One frame. The defaults are those of an ordinary packet; TCP without flags named is an ACK.
class Packet {
 public:
  Packet(uint8_t proto, const base::Endpoint& from, const base::Endpoint& to)
      : proto_(proto), from_(from), to_(to) {}

  Packet& flags(uint8_t tcp_flags);
  Packet& syn() { return flags(kSyn); }
  Packet& syn_ack() { return flags(kSyn | kAck); }
  Packet& fin() { return flags(kFin | kAck); }
  Packet& rst() { return flags(kRst); }
  Packet& seq(uint32_t number);  // TCP; the same for all packets unless it is said
  Packet& ack(uint32_t number);
  // SCTP, one more: a header and, if it is one that has more, that; data is the payload.
  Packet& chunk(uint8_t type, uint8_t chunk_flags = 0);
  Packet& init(uint32_t initiate_tag);  // the only chunk
  Packet& init_ack(uint32_t initiate_tag);
  Packet& tag_of(uint32_t verification_tag);  // SCTP; 0 unless it is said
  Packet& ttl(uint8_t hops);
  Packet& traffic_class(uint8_t value);
  Packet& id(uint16_t number);                 // IPv4
  Packet& payload(size_t bytes);               // of a pattern
  Packet& last_word(uint16_t word);            // of the payload, behind the pattern
  Packet& may_be_fragmented();                 // IPv4: no DF
  Packet& fragment(uint16_t offset_and_more);  // IPv4: the field as it is; IPv6: the header
  Packet& options(size_t bytes);               // IPv4: no-operations, a multiple of 4
  // IPv6, one more in front of L4: 0 hop-by-hop, 43 routing, 60 destination; bytes: 8, 16, ...
  Packet& extension(uint8_t type, size_t bytes = 8, uint8_t segments_left = 0);
  Packet& tag(uint16_t tci, uint16_t ethertype = 0x8100);  // one more VLAN tag
  Packet& padding(size_t bytes);                           // behind the IP packet
  Packet& no_checksum();                                   // UDP, SCTP: zero
  Packet& content(Bytes l4);                               // all of L4, as it is
  Packet& macs(const base::MacAddress& to, const base::MacAddress& from);

  const base::Endpoint& from() const { return from_; }
  const base::Endpoint& to() const { return to_; }
  base::Family family() const { return from_.address.family(); }
  uint8_t proto() const { return proto_; }
  // The same but for its ends.
  Packet between(const base::Endpoint& from, const base::Endpoint& to) const;

  Bytes bytes() const;
  size_t l3_offset() const { return 14 + 4 * tags_.size(); }

 private:
  struct Extension {
    uint8_t type;
    size_t size;
    uint8_t segments_left;
  };
  struct Tag {
    uint16_t ethertype, tci;
  };
  struct Chunk {
    uint8_t type, flags;
    uint32_t initiate_tag;
  };
  Bytes l4() const;
  Bytes sctp_l4() const;
  Bytes ipv4(const Bytes& l4) const;
  Bytes ipv6(const Bytes& l4) const;

  uint8_t proto_;
  base::Endpoint from_, to_;
  uint8_t flags_ = kAck;
  uint32_t seq_ = kSequence, ack_ = kSequence, verification_tag_ = 0;
  std::vector<Chunk> chunks_;
  uint8_t ttl_ = 64, traffic_class_ = 0;
  uint16_t id_ = 0x1234;
  size_t payload_ = 20;
  std::optional<uint16_t> last_word_;
  uint16_t fragment_ = 0x4000;
  size_t options_ = 0;
  std::vector<Extension> extensions_;
  std::vector<Tag> tags_;
  size_t padding_ = 0;
  bool checksum_ = true;
  std::optional<Bytes> content_;
  base::MacAddress to_mac_{{2, 0, 0, 0, 0, 2}}, from_mac_{{6, 0, 192, 0, 2, 1}};
};

// Two bytes of a frame, in network byte order.
void set16(Bytes& in, size_t where, size_t value);
size_t get16(const Bytes& in, size_t where);

base::Endpoint at(std::string_view address, uint16_t port);
Packet tcp(const base::Endpoint& from, const base::Endpoint& to);
Packet udp(const base::Endpoint& from, const base::Endpoint& to);
Packet sctp(const base::Endpoint& from, const base::Endpoint& to);
// An echo request, or any other type.
Bytes icmp(const base::IpAddress& from, const base::IpAddress& to, uint8_t type);
// What a sender makes of a packet that is larger than its link: pieces of so many bytes of L4.
std::vector<Bytes> fragments(const Packet& packet, size_t bytes, uint32_t id);
// The one at this offset only, of a packet that is longer than it says, or not.
Bytes fragment(const Packet& packet, size_t offset, size_t bytes, uint32_t id, bool more);
// The packet that a receiver makes of them, however they came; nullopt: of none.
std::optional<Bytes> joined(const std::vector<Bytes>& fragments);
uint32_t fragment_id(const Bytes& fragment);
// What `from` says of a packet that it got or has to send on: type, code and the word behind the
// checksum, then the packet's headers and so many bytes of its L4, to whom it says it is from.
struct Error {
  uint8_t type, code;
  uint32_t rest = 0;
};
Packet icmp_error(const base::IpAddress& from, const Packet& about, const Error& error,
                  size_t quoted = 8);
// A packet of a protocol without ports that we know, with some bytes behind its header.
Bytes of_protocol(uint8_t proto, const base::IpAddress& from, const base::IpAddress& to);

// What is wrong with the lengths and checksums of a frame; nullopt: nothing. UDP without checksum
// is right on IPv4, SCTP without one everywhere.
std::optional<std::string> flaw(const Bytes& frame);
// The ends of a packet that has ports, as its bytes say.
struct Ends {
  base::Endpoint from, to;
};
Ends ends_of(const Bytes& frame);
std::string describe(const Bytes& frame);

}  // namespace test
