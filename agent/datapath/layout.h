// Layout: where the fields of a map's keys and values are, by their names, as the kernel keeps it
// with the map (BTF); and the way of a value from one layout to another.
#pragma once

#include <bpf/btf.h>
#include <linux/bpf.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/datapath/maps.h"
#include "base/result.h"

namespace datapath {

// Of a struct: its fields down to numbers and arrays of numbers, "tuple.src". Of a number: one
// field without a name. Offsets and sizes in bytes.
struct Layout {
  struct Field {
    std::string name;
    uint32_t offset = 0, size = 0;
  };
  uint32_t size = 0;
  std::vector<Field> fields;

  const Field* find(std::string_view name) const;  // nullptr: there is none such
};

// Copies what both layouts have, by name; the rest of a value is zero. Numbers may be wider
// or narrower than they were.
class Translation {
 public:
  Translation() = default;
  Translation(const Layout& from, const Layout& to);
  // `value` has at least the bytes of the layout that it is in.
  std::vector<uint8_t> operator()(Bytes value) const;
  void copy(const uint8_t* from, uint8_t* to) const;  // into zeroes

 private:
  struct Piece {
    uint32_t from, to, size;
  };
  uint32_t size_ = 0;
  std::vector<Piece> pieces_;
};

// What the kernel keeps with a map.
class MapTypes {
 public:
  using Names = std::map<std::string, uint32_t>;

  // nullopt: nothing, as for a queue.
  static base::Result<std::optional<MapTypes>> of(const bpf_map_info& map);

  const Layout& key() const { return key_; }
  const Layout& value() const { return value_; }
  Names names(const char* enumeration) const;  // of its program; empty: it has none such

 private:
  struct Free {
    void operator()(btf* types) const { btf__free(types); }
  };

  std::unique_ptr<btf, Free> types_;
  Layout key_, value_;
};

}  // namespace datapath
