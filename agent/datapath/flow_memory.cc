#include "agent/datapath/flow_memory.h"

#include <bpf/bpf.h>

#include <bit>
#include <cerrno>
#include <string>
#include <utility>

namespace datapath {

template <class T>
base::Result<std::span<T>> FlowMemory::map_array(const DescriptorOf& descriptor_of,
                                                 const ArrayOf<T>& map) {
  const char* const name = map.name;
  static_assert(sizeof(T) % 8 == 0, "elements of an ARRAY are 8 bytes apart");
  const int fd = descriptor_of(name);
  bpf_map_info info{};
  uint32_t length = sizeof(info);
  if (bpf_obj_get_info_by_fd(fd, &info, &length) != 0)
    return base::Error{errno, std::string("read the size of map ") + name};
  if (info.type != BPF_MAP_TYPE_ARRAY || info.value_size != sizeof(T) ||
      (info.map_flags & BPF_F_MMAPABLE) == 0)
    return base::Error{0, std::string("map ") + name + " is not as this program's ABI has it"};

  auto memory = MapMemory::map(fd, name, sizeof(T), info.max_entries, access_);
  if (!memory) return memory.error();
  mappings_.push_back(std::move(*memory));
  return std::span<T>(reinterpret_cast<T*>(mappings_.back().first()), info.max_entries);
}

base::Status FlowMemory::map_family(const DescriptorOf& descriptor_of, base::Family family) {
  const bool six = family == base::Family::ipv6;
  auto buckets = map_array(descriptor_of, six ? kBuckets6 : kBuckets);
  if (!buckets) return buckets.error();
  auto half = map_array(descriptor_of, six ? kHalfOpen6 : kHalfOpen);
  if (!half) return half.error();

  std::byte* first = nullptr;
  size_t count = 0;
  if (six) {
    auto lines = map_array(descriptor_of, kFlows6);
    if (!lines) return lines.error();
    first = reinterpret_cast<std::byte*>(lines->data());
    count = lines->size();
  } else {
    auto lines = map_array(descriptor_of, kFlows);
    if (!lines) return lines.error();
    first = reinterpret_cast<std::byte*>(lines->data());
    count = lines->size();
  }
  if (!std::has_single_bit(count) || count > LB_FLOW_MAX_LINES ||
      buckets->size() * LB_FLOW_WAYS != count)
    return base::Error{0, "the sizes of the maps of the flow table do not fit each other"};
  lines_[six] = FlowLines(family, first, six ? sizeof(lb_flow6) : sizeof(lb_flow),
                          static_cast<uint32_t>(count), *buckets, *half);
  return base::Unit{};
}

base::Status FlowMemory::map_counters(const DescriptorOf& descriptor_of) {
  auto clock = map_array(descriptor_of, kClock);
  if (!clock) return clock.error();
  clock_ = clock->data();
  auto info = map_array(descriptor_of, kInfo);
  if (!info) return info.error();
  info_ = info->data();
  auto cpus = map_array(descriptor_of, kFlowCpus);
  if (!cpus) return cpus.error();
  cpus_ = *cpus;
  auto service_use = map_array(descriptor_of, kServiceUse);
  if (!service_use) return service_use.error();
  service_use_ = *service_use;
  auto backend_use = map_array(descriptor_of, kBackendUse);
  if (!backend_use) return backend_use.error();
  backend_use_ = *backend_use;
  auto sum = map_array(descriptor_of, kServiceSums);
  if (!sum) return sum.error();
  service_sum_ = *sum;
  return base::Unit{};
}

base::Result<FlowMemory> FlowMemory::map(const DescriptorOf& descriptor_of,
                                         MapMemory::Access access) {
  FlowMemory memory(access);
  for (base::Family family : {base::Family::ipv4, base::Family::ipv6})
    if (auto mapped = memory.map_family(descriptor_of, family); !mapped) return mapped.error();
  if (auto mapped = memory.map_counters(descriptor_of); !mapped) return mapped.error();
  return memory;
}

}  // namespace datapath
