// FlowMemory: the maps of the flow table as they lie in this process's memory. Programs change it
// all the time: words that both sides write are only touched through `shared()`.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "agent/datapath/lb_maps.h"
#include "agent/datapath/map_memory.h"
#include "base/ip.h"
#include "base/result.h"
#include "bpf/lb_abi.h"

namespace datapath {

// Sequentially consistent access to a word of the maps.
template <class T>
std::atomic_ref<T> shared(T& word) {
  return std::atomic_ref<T>(word);
}

// One family's table.
class FlowLines {
 public:
  FlowLines() = default;
  FlowLines(base::Family family, std::byte* first, size_t stride, uint32_t count,
            std::span<lb_bucket> buckets, std::span<lb_half> half)
      : family_(family),
        first_(first),
        stride_(stride),
        count_(count),
        buckets_(buckets),
        half_(half) {}

  base::Family family() const { return family_; }
  uint32_t count() const { return count_; }  // a power of two
  // `index` < count().
  lb_flow& line(uint32_t index) const {
    return *reinterpret_cast<lb_flow*>(first_ + index * stride_);
  }
  // IPv6 only: the same line with its addresses.
  lb_flow6& line6(uint32_t index) const {
    return *reinterpret_cast<lb_flow6*>(first_ + index * stride_);
  }
  // The other line that this one names, nullptr if it names none.
  lb_flow* peer(const lb_flow& line) const {
    const uint32_t index = shared(const_cast<lb_flow&>(line).peer).load();
    return index < count_ ? &this->line(index) : nullptr;
  }
  std::span<lb_bucket> buckets() const { return buckets_; }
  std::span<lb_half> half() const { return half_; }

 private:
  base::Family family_ = base::Family::ipv4;
  std::byte* first_ = nullptr;
  size_t stride_ = sizeof(lb_flow);
  uint32_t count_ = 0;
  std::span<lb_bucket> buckets_;
  std::span<lb_half> half_;
};

class FlowMemory {
 public:
  // The descriptor of a map by its name ("lb_flows"); it stays the caller's and may be closed
  // afterwards.
  using DescriptorOf = std::function<int(const char* map)>;

  // Maps them all, with the sizes the kernel says they have. Errors: a map that is not as the ABI
  // says, or cannot be mapped.
  // With Access::read, whoever writes to it gets SIGSEGV.
  static base::Result<FlowMemory> map(const DescriptorOf& descriptor_of,
                                      MapMemory::Access access = MapMemory::Access::write);
  FlowMemory(FlowMemory&&) = default;
  FlowMemory& operator=(FlowMemory&&) = default;

  const FlowLines& lines(base::Family family) const { return lines_[family == base::Family::ipv6]; }
  lb_clock& clock() const { return *clock_; }
  lb_info& info() const { return *info_; }
  std::span<lb_flow_cpu> cpus() const { return cpus_; }
  std::span<lb_use> service_use() const { return service_use_; }
  std::span<lb_use> backend_use() const { return backend_use_; }
  std::span<lb_service_sum> service_sum() const { return service_sum_; }

 private:
  explicit FlowMemory(MapMemory::Access access) : access_(access) {}
  template <class T>
  base::Result<std::span<T>> map_array(const DescriptorOf& descriptor_of, const ArrayOf<T>& map);
  base::Status map_family(const DescriptorOf& descriptor_of, base::Family family);
  base::Status map_counters(const DescriptorOf& descriptor_of);

  MapMemory::Access access_;
  std::vector<MapMemory> mappings_;
  std::array<FlowLines, 2> lines_;
  lb_clock* clock_ = nullptr;
  lb_info* info_ = nullptr;
  std::span<lb_flow_cpu> cpus_;
  std::span<lb_use> service_use_, backend_use_;
  std::span<lb_service_sum> service_sum_;
};

}  // namespace datapath
