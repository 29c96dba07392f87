// Fragments of packets, as a sender makes them and as a receiver puts them together.
#include <netinet/in.h>

#include <algorithm>
#include <utility>

#include "tests/bpf/packet/packets.h"

namespace test {

void set16(Bytes& in, size_t where, size_t value) {
  in[where] = static_cast<uint8_t>(value >> 8);
  in[where + 1] = static_cast<uint8_t>(value);
}

size_t get16(const Bytes& in, size_t where) {
  return static_cast<size_t>(in[where] << 8 | in[where + 1]);
}

namespace {

constexpr size_t kL3 = 14, kIpv4 = 20, kIpv6 = 40, kFragment = 8;

void set_ipv4_checksum(Bytes& frame) {
  set16(frame, kL3 + 10, 0);
  uint32_t sum = 0;
  for (size_t i = 0; i < kIpv4; i += 2) sum += static_cast<uint32_t>(get16(frame, kL3 + i));
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  set16(frame, kL3 + 10, ~sum & 0xffff);
}

bool is_six(const Bytes& frame) { return frame[kL3] >> 4 == 6; }
size_t headers_of(const Bytes& frame) { return kL3 + (is_six(frame) ? kIpv6 + kFragment : kIpv4); }

struct Piece {
  size_t from;
  Bytes bytes;
  bool more;
};

Piece piece_of(const Bytes& frame) {
  const bool six = is_six(frame);
  const size_t field = get16(frame, six ? kL3 + kIpv6 + 2 : kL3 + 6);
  const auto begin = frame.begin() + static_cast<ptrdiff_t>(headers_of(frame));
  return {six ? field & 0xfff8 : (field & 0x1fff) * 8, Bytes(begin, frame.end()),
          (field & (six ? 1 : 0x2000)) != 0};
}

Bytes piece(const Bytes& whole, size_t from, size_t size, uint32_t id, bool more) {
  const bool six = is_six(whole);
  const size_t l4 = kL3 + (six ? kIpv6 : kIpv4);
  Bytes frame(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(l4));
  if (six) {
    set16(frame, kL3 + 4, kFragment + size);
    const uint8_t proto = std::exchange(frame[kL3 + 6], uint8_t{IPPROTO_FRAGMENT});
    frame.insert(frame.end(),
                 {proto, 0, 0, 0, static_cast<uint8_t>(id >> 24), static_cast<uint8_t>(id >> 16),
                  static_cast<uint8_t>(id >> 8), static_cast<uint8_t>(id)});
    set16(frame, l4 + 2, from | (more ? 1u : 0u));
  } else {
    set16(frame, kL3 + 2, kIpv4 + size);
    set16(frame, kL3 + 4, id);
    set16(frame, kL3 + 6, from / 8 | (more ? 0x2000u : 0u));
    set_ipv4_checksum(frame);
  }
  for (size_t i = 0; i < size; ++i)
    frame.push_back(l4 + from + i < whole.size() ? whole[l4 + from + i] : uint8_t{0xaa});
  return frame;
}

}  // namespace

std::vector<Bytes> fragments(const Packet& packet, size_t bytes, uint32_t id) {
  const Bytes whole = packet.bytes();
  const size_t all = whole.size() - kL3 - (is_six(whole) ? kIpv6 : kIpv4);
  std::vector<Bytes> out;
  for (size_t from = 0; from < all; from += bytes)
    out.push_back(piece(whole, from, std::min(bytes, all - from), id, from + bytes < all));
  return out;
}

Bytes fragment(const Packet& packet, size_t offset, size_t bytes, uint32_t id, bool more) {
  return piece(packet.bytes(), offset, bytes, id, more);
}

uint32_t fragment_id(const Bytes& frame) {
  if (!is_six(frame)) return static_cast<uint32_t>(get16(frame, kL3 + 4));
  return static_cast<uint32_t>(get16(frame, kL3 + kIpv6 + 4) << 16 | get16(frame, kL3 + kIpv6 + 6));
}

std::optional<Bytes> joined(const std::vector<Bytes>& fragments) {
  std::vector<Piece> pieces;
  for (const Bytes& frame : fragments) {
    if (fragment_id(frame) != fragment_id(fragments.front())) return std::nullopt;
    if (!is_six(frame)) {
      Bytes again = frame;
      set_ipv4_checksum(again);
      if (again != frame) return std::nullopt;
    }
    pieces.push_back(piece_of(frame));
  }
  std::sort(pieces.begin(), pieces.end(),
            [](const Piece& a, const Piece& b) { return a.from < b.from; });
  Bytes l4;
  for (const Piece& piece : pieces) {
    if (piece.from != l4.size() || piece.more == (&piece == &pieces.back())) return std::nullopt;
    l4.insert(l4.end(), piece.bytes.begin(), piece.bytes.end());
  }
  const Bytes& first = fragments.front();
  const bool six = is_six(first);
  const size_t header = kL3 + (six ? kIpv6 : kIpv4);
  Bytes whole(first.begin(), first.begin() + static_cast<ptrdiff_t>(header));
  if (six) {
    whole[kL3 + 6] = first[kL3 + kIpv6];
    set16(whole, kL3 + 4, l4.size());
  } else {
    set16(whole, kL3 + 2, kIpv4 + l4.size());
    set16(whole, kL3 + 6, 0);
    set_ipv4_checksum(whole);
  }
  whole.insert(whole.end(), l4.begin(), l4.end());
  return whole;
}

}  // namespace test
