#include "agent/datapath/map_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace datapath {

base::Result<MapMemory> MapMemory::map(int fd, const char* name, size_t stride, size_t count) {
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const size_t bytes = (stride * count + page - 1) / page * page;
  void* start = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (start == MAP_FAILED) return base::Error{errno, std::string("map ") + name + " into memory"};
  return MapMemory(static_cast<std::byte*>(start), bytes);
}

MapMemory::~MapMemory() {
  if (first_ != nullptr) ::munmap(first_, bytes_);
}

}  // namespace datapath
