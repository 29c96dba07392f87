// Maps: reading and writing the maps of lb_maps.h, by type. KernelMaps does it with bpf(2); tests
// stand in for it, record what is written and fail at any call.
#pragma once

#include <cassert>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "agent/datapath/lb_maps.h"
#include "base/result.h"
#include "bpf/lb_abi.h"

namespace datapath {

using Bytes = std::span<const uint8_t>;

template <class T>
Bytes bytes_of(const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
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
  Maps() = default;
  Maps(Maps&&) = default;
  Maps& operator=(Maps&&) = default;
  virtual ~Maps() = default;

  template <class K, class V>
  base::Status put(const MapOf<K, V>& map, const std::type_identity_t<K>& key,
                   const std::type_identity_t<V>& value) {
    return put_bytes(map.name, bytes_of(key), bytes_of(value));
  }
  // Not there: not an error.
  template <class K, class V>
  base::Status erase(const MapOf<K, V>& map, const std::type_identity_t<K>& key) {
    return erase_bytes(map.name, bytes_of(key));
  }
  // nullopt: not there.
  template <class K, class V>
  base::Result<std::optional<V>> get(const MapOf<K, V>& map, const std::type_identity_t<K>& key) {
    auto bytes = get_bytes(map.name, bytes_of(key));
    if (!bytes) return bytes.error();
    if (!*bytes) return std::optional<V>{};
    return std::optional<V>(from_bytes<V>(**bytes));
  }
  // Of an ARRAY those that are not all zero.
  template <class K, class V>
  base::Result<std::vector<std::pair<K, V>>> entries(const MapOf<K, V>& map) {
    auto all = entries_bytes(map.name);
    if (!all) return all.error();
    std::vector<std::pair<K, V>> out;
    out.reserve(all->size());
    for (const Entry& entry : *all)
      out.emplace_back(from_bytes<K>(entry.key), from_bytes<V>(entry.value));
    return out;
  }
  // Keys alone; of a per-CPU map those whose values are not zero on every CPU.
  template <class K, class V>
  base::Result<std::vector<K>> keys(const MapOf<K, V>& map) {
    auto all = entries_bytes(map.name);
    if (!all) return all.error();
    std::vector<K> out;
    for (const Entry& entry : *all) out.push_back(from_bytes<K>(entry.key));
    return out;
  }
  // One element of a per-CPU map, a value for each CPU; of another map its one value.
  template <class V>
  base::Result<std::vector<V>> get_each(const ArrayOf<V>& map, uint32_t index) {
    static_assert(sizeof(V) % 8 == 0, "the kernel rounds the values of each CPU up to 8 bytes");
    auto bytes = get_bytes(map.name, bytes_of(index));
    if (!bytes) return bytes.error();
    if (!*bytes)
      return base::Error{0,
                         std::string("read ") + map.name + ": no element " + std::to_string(index)};
    std::vector<V> values((*bytes)->size() / sizeof(V));
    std::memcpy(values.data(), (*bytes)->data(), values.size() * sizeof(V));
    return values;
  }
  // Makes an element of an ARRAY or PERCPU_ARRAY zero, on every CPU.
  template <class V>
  base::Status clear(const ArrayOf<V>& map, uint32_t index) {
    return clear_bytes(map.name, index);
  }

  base::Status push(const QueueOf<uint32_t>& map, uint32_t value) {
    return push_to(map.name, value);
  }
  // nullopt: empty.
  base::Result<std::optional<uint32_t>> pop(const QueueOf<uint32_t>& map) {
    return pop_from(map.name);
  }

  // Elements of lb_rings. Every ring is complete before it becomes visible. `done`: ids of those
  // that are there (gone) now; also after an error.
  struct RingCells {
    uint32_t id;
    Cells cells;
  };
  virtual base::Status put_rings(std::span<const RingCells> rings, std::set<uint32_t>& done) = 0;
  virtual base::Status erase_rings(std::span<const uint32_t> ids, std::set<uint32_t>& done) = 0;
  virtual base::Result<std::map<uint32_t, Cells>> rings() = 0;

 protected:
  // Values of a per-CPU map are those of all CPUs, one behind the other.
  struct Entry {
    std::vector<uint8_t> key, value;
  };
  virtual base::Status put_bytes(std::string_view map, Bytes key, Bytes value) = 0;
  virtual base::Status erase_bytes(std::string_view map, Bytes key) = 0;
  virtual base::Result<std::optional<std::vector<uint8_t>>> get_bytes(std::string_view map,
                                                                      Bytes key) = 0;
  virtual base::Result<std::vector<Entry>> entries_bytes(std::string_view map) = 0;
  virtual base::Status clear_bytes(std::string_view map, uint32_t index) = 0;
  virtual base::Status push_to(std::string_view map, uint32_t value) = 0;
  virtual base::Result<std::optional<uint32_t>> pop_from(std::string_view map) = 0;
};

}  // namespace datapath
