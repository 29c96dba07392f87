#include "agent/datapath/on_interface.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "base/fd.h"

namespace datapath {
namespace {

using base::Error;
using base::Fd;
using base::Result;

std::set<uint32_t> maps_of(int program) {
  uint32_t ids[64];
  bpf_prog_info info{};
  uint32_t size = sizeof(info);
  info.nr_map_ids = std::size(ids);
  info.map_ids = reinterpret_cast<uintptr_t>(ids);
  if (bpf_obj_get_info_by_fd(program, &info, &size) != 0) return {};
  return {ids, ids + std::min<size_t>(info.nr_map_ids, std::size(ids))};
}

bpf_prog_info info_of_program(int program) {
  bpf_prog_info info{};
  uint32_t size = sizeof(info);
  return bpf_obj_get_info_by_fd(program, &info, &size) == 0 ? info : bpf_prog_info{};
}

}  // namespace

uint32_t program_id(int program) { return info_of_program(program).id; }

std::string program_name(uint32_t id) {
  const Fd fd(bpf_prog_get_fd_by_id(id));
  const bpf_prog_info info = fd.valid() ? info_of_program(fd.get()) : bpf_prog_info{};
  return info.id != 0 ? info.name : "?";
}

bool works_on_maps_of(uint32_t id, int program) {
  const Fd other(bpf_prog_get_fd_by_id(id));
  if (!other.valid()) return false;
  const std::set<uint32_t> theirs = maps_of(other.get());
  return std::ranges::any_of(maps_of(program), [&](uint32_t map) { return theirs.contains(map); });
}

Result<bpf_link_info> link_info(int link) {
  bpf_link_info info{};
  uint32_t size = sizeof(info);
  if (bpf_obj_get_info_by_fd(link, &info, &size) != 0) return Error{errno, "read what a link is"};
  return info;
}

OnXdp on_xdp(uint32_t ifindex) {
  LIBBPF_OPTS(bpf_xdp_query_opts, query);
  if (bpf_xdp_query(static_cast<int>(ifindex), 0, &query) != 0) return {};
  return {query.prog_id, query.attach_mode};
}

std::set<uint32_t> on_tcx(uint32_t ifindex) {
  uint32_t ids[64], count = std::size(ids);  // as many as the kernel takes
  if (bpf_prog_query(static_cast<int>(ifindex), kTcxIngress, 0, nullptr, ids, &count) != 0)
    return {};
  return {ids, ids + std::min<size_t>(count, std::size(ids))};
}

}  // namespace datapath
