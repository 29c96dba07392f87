// KernelMaps: Maps by bpf(2).
#pragma once

#include <linux/bpf.h>

#include <map>
#include <string>

#include "agent/datapath/maps.h"
#include "base/fd.h"

namespace datapath {

class KernelMaps : public Maps {
 public:
  KernelMaps() = default;
  KernelMaps(KernelMaps&&) = default;
  KernelMaps& operator=(KernelMaps&&) = default;

  // Adds a map under a name; takes the descriptor over.
  base::Status add(const std::string& name, base::Fd fd);
  // The map must have been added.
  int fd(std::string_view name) const { return find(name).fd.get(); }
  const bpf_map_info& info(std::string_view name) const { return find(name).info; }
  bool has(std::string_view name) const { return maps_.find(name) != maps_.end(); }
  bool empty() const { return maps_.empty(); }
  std::vector<std::string> names() const;
  // The bytes of an element of an ARRAY as they are; of a per-CPU map those of each CPU.
  base::Result<std::vector<uint8_t>> element(std::string_view map, uint32_t index) const;

  base::Status put_rings(std::span<const RingCells> rings, std::set<uint32_t>& done) override;
  base::Status erase_rings(std::span<const uint32_t> ids, std::set<uint32_t>& done) override;
  base::Result<std::map<uint32_t, Cells>> rings() override;

 protected:
  base::Status put_bytes(std::string_view map, Bytes key, Bytes value) override;
  base::Status erase_bytes(std::string_view map, Bytes key) override;
  base::Result<std::optional<std::vector<uint8_t>>> get_bytes(std::string_view map,
                                                              Bytes key) override;
  base::Result<std::vector<Entry>> entries_bytes(std::string_view map) override;
  base::Status clear_bytes(std::string_view map, uint32_t index) override;
  base::Status push_to(std::string_view map, uint32_t value) override;
  base::Result<std::optional<uint32_t>> pop_from(std::string_view map) override;

 private:
  struct Map {
    base::Fd fd;
    bpf_map_info info{};
  };
  const Map& find(std::string_view name) const;
  base::Result<std::vector<Entry>> array_entries(std::string_view name, const Map& map);
  base::Result<std::vector<Entry>> keyed_entries(std::string_view name, const Map& map);
  base::Result<std::vector<Entry>> hashed_entries(std::string_view name, const Map& map);

  std::map<std::string, Map, std::less<>> maps_;
};

// What the kernel says about the map behind `fd`.
base::Result<bpf_map_info> info_of(int fd);

}  // namespace datapath
