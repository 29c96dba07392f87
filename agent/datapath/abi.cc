#include "agent/datapath/abi.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <set>
#include <string>

namespace datapath {

lb_addr to_abi(const base::IpAddress& address) {
  lb_addr out{};
  std::memcpy(out.ip, address.bytes(), address.size());
  return out;
}

lb_tag to_abi(const base::Uuid& id) {
  lb_tag tag{};
  std::copy(id.bytes.begin(), id.bytes.end(), tag.uuid);
  return tag;
}

uint8_t to_abi(base::Family family) { return family == base::Family::ipv6 ? LB_IPV6 : LB_IPV4; }

// The pool's id takes the second and the third cell.
Cells to_abi(const Ring& ring) {
  const size_t slots = ring.slots.size();
  Cells cells(LB_RING_HEAD + (slots + LB_RING_CELL_SLOTS - 1) / LB_RING_CELL_SLOTS);
  cells[0].head.slots = static_cast<uint32_t>(slots);
  cells[0].head.family = to_abi(ring.family);
  cells[0].head.members =
      static_cast<uint16_t>(std::set<uint16_t>(ring.slots.begin(), ring.slots.end()).size());
  std::memcpy(cells[1].pool, ring.pool.bytes.data(), sizeof(cells[1].pool));
  std::memcpy(cells[2].pool, ring.pool.bytes.data() + sizeof(cells[1].pool), sizeof(cells[2].pool));
  for (size_t slot = 0; slot < slots; ++slot) {
    lb_ring_cell& cell = cells[LB_RING_HEAD + slot / LB_RING_CELL_SLOTS];
    cell.backend[slot % LB_RING_CELL_SLOTS] = ring.slots[slot];
  }
  return cells;
}

base::Family from_abi(uint32_t family) {
  return family == LB_IPV6 ? base::Family::ipv6 : base::Family::ipv4;
}

base::IpAddress from_abi(base::Family family, const lb_addr& address) {
  uint8_t bytes[sizeof(address.ip)];
  std::memcpy(bytes, address.ip, sizeof(bytes));
  return base::IpAddress::from_bytes(family, bytes);
}

base::Uuid from_abi(const lb_tag& tag) {
  base::Uuid id;
  std::copy(std::begin(tag.uuid), std::end(tag.uuid), id.bytes.begin());
  return id;
}

base::Result<Ring> from_abi(const Cells& cells) {
  if (cells.size() < LB_RING_HEAD) return base::Error{0, "it has no head"};
  const size_t slots = cells[0].head.slots;
  if (slots == 0 || slots > (cells.size() - LB_RING_HEAD) * LB_RING_CELL_SLOTS)
    return base::Error{0, "its head says " + std::to_string(slots) + " slots"};
  Ring ring;
  ring.family = from_abi(cells[0].head.family);
  std::memcpy(ring.pool.bytes.data(), cells[1].pool, sizeof(cells[1].pool));
  std::memcpy(ring.pool.bytes.data() + sizeof(cells[1].pool), cells[2].pool, sizeof(cells[2].pool));
  ring.slots.reserve(slots);
  for (size_t slot = 0; slot < slots; ++slot) {
    const lb_ring_cell& cell = cells[LB_RING_HEAD + slot / LB_RING_CELL_SLOTS];
    ring.slots.push_back(cell.backend[slot % LB_RING_CELL_SLOTS]);
  }
  return ring;
}

}  // namespace datapath
