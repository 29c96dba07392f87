#include "agent/datapath/map_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace datapath {

base::Result<MapMemory> MapMemory::map(int fd, const char* name, size_t stride, size_t count,
                                       Access access) {
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const size_t bytes = (stride * count + page - 1) / page * page;
  const int protection = access == Access::read ? PROT_READ : PROT_READ | PROT_WRITE;
  void* start = ::mmap(nullptr, bytes, protection, MAP_SHARED, fd, 0);
  if (start == MAP_FAILED) return base::Error{errno, std::string("map ") + name + " into memory"};
  return MapMemory(static_cast<std::byte*>(start), bytes);
}

MapMemory::~MapMemory() {
  if (first_ != nullptr) ::munmap(first_, bytes_);
}

}  // namespace datapath
