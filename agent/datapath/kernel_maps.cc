#include "agent/datapath/kernel_maps.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <cerrno>

#include "agent/datapath/ring_maps.h"

namespace datapath {
namespace {

using base::Error;
using base::Fd;
using base::Result;
using base::Status;
using base::Unit;

Error failed(const char* operation, std::string_view map) {
  return Error{errno, std::string(operation) + " " + std::string(map)};
}

bool is_per_cpu(const bpf_map_info& info) { return info.type == BPF_MAP_TYPE_PERCPU_ARRAY; }

// Bytes that one element takes between the kernel and us.
size_t element_bytes(const bpf_map_info& info) {
  if (!is_per_cpu(info)) return info.value_size;
  const size_t rounded = (info.value_size + 7) / 8 * 8;
  return rounded * static_cast<size_t>(libbpf_num_possible_cpus());
}

bool all_zero(Bytes bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](uint8_t b) { return b == 0; });
}

}  // namespace

Result<bpf_map_info> info_of(int fd) {
  bpf_map_info info{};
  uint32_t size = sizeof(info);
  if (bpf_obj_get_info_by_fd(fd, &info, &size) != 0) return Error{errno, "read what a map is"};
  return info;
}

Status KernelMaps::add(const std::string& name, Fd fd) {
  auto info = info_of(fd.get());
  if (!info) return info.error();
  maps_[name] = Map{std::move(fd), *info};
  return Unit{};
}

std::vector<std::string> KernelMaps::names() const {
  std::vector<std::string> names;
  for (const auto& [name, map] : maps_) names.push_back(name);
  return names;
}

const KernelMaps::Map& KernelMaps::find(std::string_view name) const {
  const auto it = maps_.find(name);
  assert(it != maps_.end());
  return it->second;
}

Result<std::vector<uint8_t>> KernelMaps::element(std::string_view map, uint32_t index) const {
  const Map& m = find(map);
  std::vector<uint8_t> value(element_bytes(m.info));
  if (bpf_map_lookup_elem(m.fd.get(), &index, value.data()) != 0) return failed("read", map);
  return value;
}

Status KernelMaps::put_bytes(std::string_view map, Bytes key, Bytes value) {
  const Map& m = find(map);
  assert(key.size() == m.info.key_size && value.size() == m.info.value_size);
  if (bpf_map_update_elem(m.fd.get(), key.data(), value.data(), BPF_ANY) != 0)
    return failed("write", map);
  return Unit{};
}

Status KernelMaps::erase_bytes(std::string_view map, Bytes key) {
  const Map& m = find(map);
  assert(key.size() == m.info.key_size);
  if (bpf_map_delete_elem(m.fd.get(), key.data()) != 0 && errno != ENOENT)
    return failed("erase from", map);
  return Unit{};
}

Result<std::optional<std::vector<uint8_t>>> KernelMaps::get_bytes(std::string_view map, Bytes key) {
  const Map& m = find(map);
  assert(key.size() == m.info.key_size);
  std::vector<uint8_t> value(element_bytes(m.info));
  if (bpf_map_lookup_elem(m.fd.get(), key.data(), value.data()) == 0) return std::optional(value);
  if (errno == ENOENT) return std::optional<std::vector<uint8_t>>{};
  return failed("read", map);
}

Result<std::vector<Maps::Entry>> KernelMaps::entries_bytes(std::string_view map) {
  const Map& m = find(map);
  switch (m.info.type) {
    case BPF_MAP_TYPE_ARRAY:
      return array_entries(map, m);
    case BPF_MAP_TYPE_LRU_HASH:
      return hashed_entries(map, m);
  }
  return keyed_entries(map, m);
}

Result<std::vector<Maps::Entry>> KernelMaps::array_entries(std::string_view name, const Map& map) {
  uint32_t count = map.info.max_entries;
  const size_t size = map.info.value_size;
  std::vector<uint32_t> keys(count);
  std::vector<uint8_t> values(count * size);
  uint32_t position = 0;
  LIBBPF_OPTS(bpf_map_batch_opts, batch);
  const int err = bpf_map_lookup_batch(map.fd.get(), nullptr, &position, keys.data(), values.data(),
                                       &count, &batch);
  if (err != 0 && errno != ENOENT) return failed("read", name);
  std::vector<Entry> out;
  for (uint32_t i = 0; i < count; ++i) {
    const Bytes value{values.data() + i * size, size};
    if (all_zero(value)) continue;
    const Bytes key = bytes_of(keys[i]);
    out.push_back({{key.begin(), key.end()}, {value.begin(), value.end()}});
  }
  return out;
}

Result<std::vector<Maps::Entry>> KernelMaps::keyed_entries(std::string_view name, const Map& map) {
  std::vector<Entry> out;
  std::vector<uint8_t> key(map.info.key_size), next(map.info.key_size);
  const void* from = nullptr;
  while (bpf_map_get_next_key(map.fd.get(), from, next.data()) == 0) {
    key = next;
    from = key.data();
    std::vector<uint8_t> value(element_bytes(map.info));
    if (bpf_map_lookup_elem(map.fd.get(), key.data(), value.data()) != 0) {
      if (errno == ENOENT) continue;  // gone since
      return failed("read", name);
    }
    if (is_per_cpu(map.info) && all_zero(value)) continue;
    out.push_back({key, std::move(value)});
  }
  return errno == ENOENT ? Result<std::vector<Entry>>(std::move(out)) : failed("walk", name);
}

// Bucket by bucket: a walk by keys begins anew when the key that it is at has just gone, and in an
// LRU map programs take keys away all the time.
Result<std::vector<Maps::Entry>> KernelMaps::hashed_entries(std::string_view name, const Map& map) {
  constexpr uint32_t kAtATime = 4096;
  const size_t key_size = map.info.key_size, value_size = map.info.value_size;
  std::vector<uint8_t> keys(kAtATime * key_size), values(kAtATime * value_size);
  std::vector<Entry> out;
  uint32_t position = 0;
  for (bool first = true, more = true; more; first = false) {
    uint32_t count = kAtATime;
    LIBBPF_OPTS(bpf_map_batch_opts, batch);
    const int err = bpf_map_lookup_batch(map.fd.get(), first ? nullptr : &position, &position,
                                         keys.data(), values.data(), &count, &batch);
    if (err != 0 && errno != ENOENT) return failed("read", name);
    more = err == 0;
    for (uint32_t i = 0; i < count; ++i) {
      const auto key = keys.begin() + static_cast<ptrdiff_t>(i * key_size);
      const auto value = values.begin() + static_cast<ptrdiff_t>(i * value_size);
      out.push_back({{key, key + static_cast<ptrdiff_t>(key_size)},
                     {value, value + static_cast<ptrdiff_t>(value_size)}});
    }
  }
  return out;
}

Status KernelMaps::clear_bytes(std::string_view map, uint32_t index) {
  const Map& m = find(map);
  const std::vector<uint8_t> zero(element_bytes(m.info));
  if (bpf_map_update_elem(m.fd.get(), &index, zero.data(), BPF_ANY) != 0)
    return failed("clear", map);
  return Unit{};
}

Status KernelMaps::push_to(std::string_view map, uint32_t value) {
  if (bpf_map_update_elem(fd(map), nullptr, &value, BPF_ANY) != 0) return failed("push to", map);
  return Unit{};
}

Result<std::optional<uint32_t>> KernelMaps::pop_from(std::string_view map) {
  uint32_t value = 0;
  if (bpf_map_lookup_and_delete_elem(fd(map), nullptr, &value) == 0) return std::optional(value);
  if (errno == ENOENT) return std::optional<uint32_t>{};
  return failed("pop from", map);
}

Status KernelMaps::put_rings(std::span<const RingCells> rings, std::set<uint32_t>& done) {
  return put_ring_maps(fd(kRings.name), rings, done);
}

Status KernelMaps::erase_rings(std::span<const uint32_t> ids, std::set<uint32_t>& done) {
  return erase_ring_maps(fd(kRings.name), ids, done);
}

Result<std::map<uint32_t, Cells>> KernelMaps::rings() {
  const Map& outer = find(kRings.name);
  return read_ring_maps(outer.fd.get(), outer.info.max_entries);
}

}  // namespace datapath
