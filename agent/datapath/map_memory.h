// MapMemory: an ARRAY that may be mapped (BPF_F_MMAPABLE), in this process's memory.
#pragma once

#include <cstddef>
#include <utility>

#include "base/result.h"

namespace datapath {

class MapMemory {
 public:
  enum class Access { read, write };

  // `count` elements, `stride` bytes apart. `name` is for errors (errno).
  static base::Result<MapMemory> map(int fd, const char* name, size_t stride, size_t count,
                                     Access access = Access::write);

  MapMemory() = default;  // nothing
  MapMemory(MapMemory&& other) noexcept
      : first_(std::exchange(other.first_, nullptr)), bytes_(other.bytes_) {}
  MapMemory& operator=(MapMemory&& other) noexcept {
    std::swap(first_, other.first_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~MapMemory();

  std::byte* first() const { return first_; }

 private:
  MapMemory(std::byte* first, size_t bytes) : first_(first), bytes_(bytes) {}

  std::byte* first_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace datapath
