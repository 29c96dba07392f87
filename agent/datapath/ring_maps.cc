#include "agent/datapath/ring_maps.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <system_error>
#include <thread>
#include <utility>

#include "agent/datapath/kernel_maps.h"
#include "agent/datapath/skeleton.h"
#include "base/fd.h"
#include "base/log.h"
#include "ring_ids.skel.h"

namespace datapath {
namespace {

using base::Error;
using base::Fd;
using base::Result;
using base::Status;
using base::Unit;

Error failed(const char* operation, const char* map) {
  return Error{errno, std::string(operation) + " " + map};
}

// An ARRAY that holds `cells`, as lb_rings takes it: the flags must be those of its template.
Result<Fd> make_ring(const Cells& cells) {
  LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_INNER_MAP);
  auto count = static_cast<uint32_t>(cells.size());
  Fd ring(bpf_map_create(BPF_MAP_TYPE_ARRAY, "lb_ring", sizeof(uint32_t), sizeof(lb_ring_cell),
                         count, &options));
  if (!ring.valid()) return Error{errno, "create a ring of " + std::to_string(count) + " cells"};
  std::vector<uint32_t> keys(count);
  for (uint32_t i = 0; i < count; ++i) keys[i] = i;
  LIBBPF_OPTS(bpf_map_batch_opts, batch);
  if (bpf_map_update_batch(ring.get(), keys.data(), cells.data(), &count, &batch) != 0)
    return failed("fill", "lb_ring");
  return ring;
}

Result<Cells> read_cells(int fd) {
  auto info = info_of(fd);
  if (!info) return info.error();
  if (info->value_size != sizeof(lb_ring_cell))
    return Error{0, "read a ring: its cells have " + std::to_string(info->value_size) + " bytes"};
  uint32_t count = info->max_entries;
  Cells cells(count);
  std::vector<uint32_t> keys(count);
  uint32_t position = 0;
  LIBBPF_OPTS(bpf_map_batch_opts, batch);
  const int err =
      bpf_map_lookup_batch(fd, nullptr, &position, keys.data(), cells.data(), &count, &batch);
  // ENOENT is the end of the map.
  if (err != 0 && errno != ENOENT) return failed("read", "lb_ring");
  return cells;
}

// What one thread does of it: places [from, to) of the list.
struct Part {
  size_t from = 0, to = 0;
  size_t done = 0;  // so many, from the first on
  int error = 0;    // errno of what came then
};
using Work = std::function<void(Part&)>;

// The kernel waits for the programs that may see what was there (6 to 28 ms), before 6.8 for each
// place even of a batch. Those who wait at the same time wait for the same.
std::vector<Part> divide(size_t count, const Work& work) {
  constexpr size_t kMostThreads = 64;
  std::vector<Part> parts(std::min(count, kMostThreads));
  for (size_t i = 0; i < parts.size(); i++) {
    parts[i].from = count * i / parts.size();
    parts[i].to = count * (i + 1) / parts.size();
  }
  std::vector<std::thread> threads;
  for (Part& part : parts) {
    if (&part == &parts.back()) {
      work(part);
      break;
    }
    try {
      threads.emplace_back([&work, &part] { work(part); });
    } catch (const std::system_error&) {
      work(part);  // no thread is to be had: slower
    }
  }
  for (std::thread& thread : threads) thread.join();
  return parts;
}

// Fills `done`; the error of the first part that has one.
Status result_of(const std::vector<Part>& parts, const std::function<uint32_t(size_t)>& place,
                 const char* operation, std::set<uint32_t>& done) {
  Status result = Unit{};
  for (const Part& part : parts) {
    for (size_t i = part.from; i < part.from + part.done; i++) done.insert(place(i));
    if (part.error != 0 && result)
      result = Error{part.error, std::string(operation) + " " + kRings.name};
  }
  return result;
}

}  // namespace

Status put_ring_maps(int outer, std::span<const Maps::RingCells> rings, std::set<uint32_t>& done) {
  std::vector<Fd> made;
  std::vector<uint32_t> places;
  std::vector<int> fds;
  for (const Maps::RingCells& ring : rings) {
    auto fd = make_ring(ring.cells);
    if (!fd) return fd.error();
    places.push_back(ring.id);
    fds.push_back(fd->get());
    made.push_back(std::move(*fd));
  }
  const auto parts = divide(rings.size(), [&](Part& part) {
    const size_t size = part.to - part.from;
    auto count = static_cast<uint32_t>(size);
    LIBBPF_OPTS(bpf_map_batch_opts, batch);
    if (size > 1 &&
        bpf_map_update_batch(outer, &places[part.from], &fds[part.from], &count, &batch) == 0) {
      part.done = size;
      return;
    }
    // Without batches for maps of maps, or stopped by a ring: one at a time says which.
    for (; part.done < size && part.error == 0; part.done += part.error == 0 ? 1 : 0) {
      const size_t i = part.from + part.done;
      if (bpf_map_update_elem(outer, &places[i], &fds[i], BPF_ANY) != 0) part.error = errno;
    }
  });
  return result_of(
      parts, [&](size_t i) { return places[i]; }, "write", done);
}

Status erase_ring_maps(int outer, std::span<const uint32_t> places, std::set<uint32_t>& done) {
  const auto parts = divide(places.size(), [&](Part& part) {
    for (size_t i = part.from; i < part.to && part.error == 0; i++) {
      if (bpf_map_delete_elem(outer, &places[i]) != 0 && errno != ENOENT)
        part.error = errno;
      else
        part.done++;
    }
  });
  return result_of(
      parts, [&](size_t i) { return places[i]; }, "erase from", done);
}

Result<std::vector<uint32_t>> ring_map_ids(int outer, uint32_t places) {
  const Skeleton<ring_ids> object(ring_ids::open());
  if (!object) return Error{errno, "open the program that reads rings"};
  object->rodata->lb_places = places;
  int err = bpf_map__reuse_fd(object->maps.lb_rings, outer);
  if (err == 0) err = bpf_map__set_max_entries(object->maps.lb_ring_ids, places);
  if (err == 0) err = ring_ids::load(object.get());
  if (err != 0) return Error{-err, "load the program that reads rings"};
  std::array<uint8_t, 64> frame{};
  LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame.data(), .data_size_in = frame.size());
  if (bpf_prog_test_run_opts(bpf_program__fd(object->progs.lb_read_rings), &run) != 0)
    return Error{errno, "run the program that reads rings"};
  std::vector<uint32_t> keys(places), ids(places);
  uint32_t position = 0;
  LIBBPF_OPTS(bpf_map_batch_opts, batch);
  err = bpf_map_lookup_batch(bpf_map__fd(object->maps.lb_ring_ids), nullptr, &position, keys.data(),
                             ids.data(), &places, &batch);
  if (err != 0 && errno != ENOENT) return failed("read", "lb_ring_ids");
  return ids;
}

Result<std::map<uint32_t, Cells>> read_ring_maps(int outer, uint32_t places) {
  auto ids = ring_map_ids(outer, places);
  if (!ids) spdlog::debug("{}: rings are looked up one by one", ids.error().message());
  std::map<uint32_t, Cells> out;
  for (uint32_t place = 0; place < places; ++place) {
    uint32_t id = ids ? (*ids)[place] : 0;
    if (ids && id == 0) continue;
    if (!ids && bpf_map_lookup_elem(outer, &place, &id) != 0) {
      if (errno == ENOENT) continue;
      return failed("read", kRings.name);
    }
    const Fd ring(bpf_map_get_fd_by_id(id));
    if (!ring.valid()) return failed("open a ring of", kRings.name);
    auto cells = read_cells(ring.get());
    if (!cells) return cells.error();
    out[place] = std::move(*cells);
  }
  return out;
}

}  // namespace datapath
