// Maps: reading and writing maps by name. KernelMaps does it with bpf(2); tests stand in for it,
// record what is written and fail at any call.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bpf/lb_abi.h"

namespace datapath {

using Bytes = std::span<const uint8_t>;
using Cells = std::vector<lb_ring_cell>;

// Keys and values go as the bytes of their ABI struct.
template <class T>
Bytes bytes_of(const T& value) {
  return {reinterpret_cast<const uint8_t*>(&value), sizeof(T)};
}
template <class T>
T from_bytes(Bytes bytes) {
  T value;
  assert(bytes.size() == sizeof(T));
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

template <class T>
bool bytes_equal(const T& a, const T& b) {
  return std::memcmp(&a, &b, sizeof(T)) == 0;
}

class Maps {
 public:
  struct Entry {
    std::vector<uint8_t> key, value;
  };

  Maps() = default;
  Maps(Maps&&) = default;
  Maps& operator=(Maps&&) = default;
  virtual ~Maps() = default;

  virtual base::Result<base::Unit> put(std::string_view map, Bytes key, Bytes value) = 0;
  // Not there: not an error.
  virtual base::Result<base::Unit> erase(std::string_view map, Bytes key) = 0;
  // nullopt: not there.
  virtual base::Result<std::optional<std::vector<uint8_t>>> get(std::string_view map,
                                                                Bytes key) = 0;
  // Of an ARRAY those that are not all zero; of a per-CPU map the values of all CPUs, one behind
  // the other.
  virtual base::Result<std::vector<Entry>> entries(std::string_view map) = 0;
  // Makes an element of an ARRAY or PERCPU_ARRAY zero, on every CPU.
  virtual base::Result<base::Unit> clear(std::string_view map, uint32_t index) = 0;

  // QUEUE of u32. nullopt: empty.
  virtual base::Result<base::Unit> push(std::string_view map, uint32_t value) = 0;
  virtual base::Result<std::optional<uint32_t>> pop(std::string_view map) = 0;

  // Elements of lb_rings. Every ring is complete before it becomes visible. `done`: so many of
  // them, from the first on, are there now; also after an error.
  struct RingCells {
    uint32_t id;
    Cells cells;
  };
  virtual base::Result<base::Unit> put_rings(std::span<const RingCells> rings, size_t& done) = 0;
  virtual base::Result<std::map<uint32_t, Cells>> rings() = 0;
};

}  // namespace datapath
