// MemoryMaps: maps in this process's memory, as the kernel would keep them. Records what is
// written; can fail at the n-th write, once or from then on (as after a kill).
#pragma once

#include <cerrno>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/datapath/maps.h"
#include "agent/datapath/table_writer.h"

namespace datapath {

class MemoryMaps : public Maps {
 public:
  using Blob = std::vector<uint8_t>;
  enum class After { goes_on, stays_dead };

  // The n-th write from now on fails; 1: the next.
  void fail_at(int nth, After after) {
    left_ = nth;
    after_ = after;
  }
  void work_again() { left_ = 0; }
  int writes() const { return writes_; }
  // Called after each write but those of the queue.
  std::function<void()> watch;

  std::map<std::string, std::map<Blob, Blob>> contents;  // without zero elements of arrays
  std::map<uint32_t, Cells> ring_maps;
  std::deque<uint32_t> queue;

  base::Result<base::Unit> put_bytes(std::string_view map, Bytes key, Bytes value) override {
    if (fails()) return error("write", map);
    store(map, key, value);
    return done();
  }
  base::Result<base::Unit> erase_bytes(std::string_view map, Bytes key) override {
    if (fails()) return error("erase from", map);
    contents[std::string(map)].erase(Blob(key.begin(), key.end()));
    return done();
  }
  base::Result<std::optional<Blob>> get_bytes(std::string_view map, Bytes key) override {
    const auto& elements = contents[std::string(map)];
    const auto it = elements.find(Blob(key.begin(), key.end()));
    if (it != elements.end()) return std::optional(it->second);
    if (const auto size = array_value(map)) return std::optional(Blob(size));
    return std::optional<Blob>{};
  }
  base::Result<std::vector<Entry>> entries_bytes(std::string_view map) override {
    std::vector<Entry> out;
    for (const auto& [key, value] : contents[std::string(map)]) out.push_back({key, value});
    return out;
  }
  base::Result<base::Unit> clear_bytes(std::string_view map, uint32_t index) override {
    if (fails()) return error("clear", map);
    store(map, bytes_of(index), Blob(array_value(map)));
    return done();
  }
  base::Result<base::Unit> push_to(std::string_view map, uint32_t value) override {
    if (fails()) return error("push to", map);
    queue.push_back(value);
    return base::Unit{};
  }
  base::Result<std::optional<uint32_t>> pop_from(std::string_view map) override {
    if (fails()) return error("pop from", map);
    if (queue.empty()) return std::optional<uint32_t>{};
    const uint32_t value = queue.front();
    queue.pop_front();
    return std::optional(value);
  }
  // As the kernel's threads do: those after one that fails may be done all the same.
  base::Result<base::Unit> put_rings(std::span<const RingCells> rings,
                                     std::set<uint32_t>& done) override {
    base::Result<base::Unit> result = base::Unit{};
    for (const RingCells& ring : rings) {
      if (fails()) {
        result = error("write", kRings.name);
        continue;
      }
      ring_maps[ring.id] = ring.cells;
      done.insert(ring.id);
      if (watch) watch();
    }
    return result;
  }
  base::Result<base::Unit> erase_rings(std::span<const uint32_t> ids,
                                       std::set<uint32_t>& done) override {
    base::Result<base::Unit> result = base::Unit{};
    for (const uint32_t id : ids) {
      if (fails()) {
        result = error("erase from", kRings.name);
        continue;
      }
      ring_maps.erase(id);
      done.insert(id);
      if (watch) watch();
    }
    return result;
  }
  base::Result<std::map<uint32_t, Cells>> rings() override { return ring_maps; }

 private:
  static base::Error error(const char* operation, std::string_view map) {
    return {EIO, std::string(operation) + " " + std::string(map)};
  }
  // Bytes of an element of an ARRAY; 0: not an array.
  static size_t array_value(std::string_view map) {
    if (map == kBackends.name) return sizeof(lb_backend);
    if (map == kNexthops.name) return sizeof(lb_nexthop);
    if (map == kLimits.name) return sizeof(lb_limit);
    if (map == kBackendUse.name || map == kServiceUse.name) return sizeof(lb_use);
    if (map == kServiceSums.name) return sizeof(lb_service_sum);
    if (map == kServiceCounters.name) return sizeof(lb_service_counters);
    return 0;
  }
  void store(std::string_view map, Bytes key, Bytes value) {
    auto& elements = contents[std::string(map)];
    const Blob blob(value.begin(), value.end());
    if (array_value(map) != 0 && blob == Blob(blob.size()))
      elements.erase(Blob(key.begin(), key.end()));
    else
      elements[Blob(key.begin(), key.end())] = blob;
  }
  bool fails() {
    if (left_ == 0) {
      ++writes_;
      return false;
    }
    if (left_ == 1 && after_ == After::stays_dead) return true;
    const bool now = --left_ == 0;
    writes_ += now ? 0 : 1;
    return now;
  }
  base::Result<base::Unit> done() {
    if (watch) watch();
    return base::Unit{};
  }

  int left_ = 0;
  After after_ = After::goes_on;
  int writes_ = 0;
};

// Whether the maps hold what is wanted now.
inline bool bring(TableWriter& writer, const Tables& want) {
  const std::vector<Step> steps = diff(writer.tables(), want);
  return writer.apply(steps).ok();
}

}  // namespace datapath
