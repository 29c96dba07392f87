#include "agent/datapath/program.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <string>
#include <vector>

#include "agent/datapath/lb_maps.h"
#include "agent/datapath/refusal.h"
#include "agent/datapath/skeleton.h"
#include "base/log.h"
#include "bpf/crc32c.h"
#include "handover.skel.h"
#include "lb.skel.h"
#include "lb_tc.skel.h"
#include "replica.skel.h"

namespace datapath {
namespace {

using base::Error;
using base::Fd;
using base::Result;
using base::Status;
using base::Unit;

constexpr size_t kVerifierLogBytes = 1 << 20;

// libbpf says to us what it would say to standard error.
int take_libbpf_message(libbpf_print_level level, const char* format, va_list arguments) {
  if (level == LIBBPF_DEBUG) return 0;
  char text[512];
  const int length = std::vsnprintf(text, sizeof(text), format, arguments);
  std::string_view line(text);
  while (line.ends_with('\n')) line.remove_suffix(1);
  spdlog::debug("{}", line);
  return length;
}

// `log`: what the verifier will say.
template <class Object>
Result<Skeleton<Object>> open_skeleton(const char* what, std::vector<char>& log) {
  libbpf_set_print(take_libbpf_message);
  LIBBPF_OPTS(bpf_object_open_opts, options, .kernel_log_buf = log.data(),
              .kernel_log_size = log.size());
  Skeleton<Object> skeleton(Object::open(&options));
  if (!skeleton) return Error{errno, std::string("open ") + what};
  return skeleton;
}

template <class Object>
Status load(const Skeleton<Object>& skeleton, const char* what, const std::vector<char>& log) {
  const int err = Object::load(skeleton.get());
  if (err == 0) return Unit{};
  return Error{
      -err, std::string("load ") + what + ": " + explain_refusal(-err, skeleton->obj, log.data())};
}

// 0: every set of maps of this version has it.
uint32_t feature_of(std::string_view map) {
  if (map == kBefore.name) return LB_FEATURE_HANDOVER;
  if (map == kChanges.name) return LB_FEATURE_CHANGES;
  if (map == kHeld.name || map == kPassed.name) return LB_FEATURE_HELD;
  return map == kEnded.name ? LB_FEATURE_ENDED : 0u;
}

// Not of one load: .rodata and the like, which have a dot in their names, and what a run of the
// program needs only while it lasts.
bool is_ours(const bpf_map* map) {
  const std::string_view name = bpf_map__name(map);
  return name.find('.') == std::string_view::npos && name != "lb_scratch";
}

// 0: a map whose size the ABI fixes.
uint32_t entries_for(std::string_view name, const Sizes& sizes) {
  const uint32_t lines = name.ends_with('6') ? sizes.lines6 : sizes.lines4;
  if (name == kFlows.name || name == kFlows6.name) return lines;
  if (name == kBuckets.name || name == kBuckets6.name) return lines / LB_FLOW_WAYS;
  if (name == kSyns.name) return (sizes.lines4 + sizes.lines6) / LB_HALF_SHARE;
  if (name == kRested.name) return sizes.lines4 / LB_REST_SHARE;
  if (name == kHalfOpen.name || name == kHalfOpen6.name) return lines / LB_HALF_SHARE;
  return 0;
}

Status reuse(bpf_map* map, int fd, const bpf_map_info& info) {
  const auto check = [&](const char* what, uint32_t pinned, uint32_t ours) -> Status {
    if (pinned == ours) return Unit{};
    return Error{0, std::string("pinned map ") + bpf_map__name(map) + " has " + what + " " +
                        std::to_string(pinned) + ", this agent needs " + std::to_string(ours) +
                        ": it is of another version (--teardown removes it)"};
  };
  auto same = check("type", info.type, bpf_map__type(map));
  if (same) same = check("key size", info.key_size, bpf_map__key_size(map));
  if (same) same = check("value size", info.value_size, bpf_map__value_size(map));
  if (same) same = check("entries", info.max_entries, bpf_map__max_entries(map));
  if (!same) return same.error();
  if (const int err = bpf_map__reuse_fd(map, fd); err != 0)
    return Error{-err, std::string("reuse the pinned map ") + bpf_map__name(map)};
  return Unit{};
}

// `features`: of the maps that are not pinned.
Status prepare_maps(const bpf_object* object, const Sizes& sizes, const lb_info& info,
                    const KernelMaps& pinned, uint32_t& features) {
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object) {
    if (!is_ours(map)) continue;
    const std::string name = bpf_map__name(map);
    if (const uint32_t entries = entries_for(name, sizes); entries != 0) {
      if (const int err = bpf_map__set_max_entries(map, entries); err != 0)
        return Error{-err, "size the map " + name};
    }
    const uint32_t feature = feature_of(name);
    if (pinned.empty() || (info.features & feature) != feature) {
      features |= feature;
      continue;
    }
    if (!pinned.has(name))
      return Error{0, "map " + name + " is missing among the pins (--teardown removes the others)"};
    if (auto reused = reuse(map, pinned.fd(name), pinned.info(name)); !reused)
      return reused.error();
  }
  return Unit{};
}

// On maps that are there; others of theirs stay as they are.
Status prepare_beside(const bpf_object* object, const Sizes& sizes, const KernelMaps& there) {
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object) {
    const std::string name = bpf_map__name(map);
    if (!is_ours(map) || !there.has(name)) continue;
    if (const uint32_t entries = entries_for(name, sizes); entries != 0)
      bpf_map__set_max_entries(map, entries);
    if (auto reused = reuse(map, there.fd(name), there.info(name)); !reused) return reused.error();
  }
  return Unit{};
}

template <class Rodata>
void configure_table(Rodata& rodata, const Sizes& sizes, const lb_info& info) {
  rodata.lb_lines = sizes.lines4;
  rodata.lb_lines6 = sizes.lines6;
  rodata.lb_half_cpus = info.cpus;
  rodata.lb_seed = info.seed;
#if defined(__x86_64__)
  rodata.lb_weak_order = 0;
#else
  rodata.lb_weak_order = 1;
#endif
}

template <class Rodata>
void configure(Rodata& rodata, const Sizes& sizes, const lb_info& info, Role role) {
  configure_table(rodata, sizes, info);
  rodata.lb_snat_port_min = info.snat_port_min;
  rodata.lb_snat_port_max = info.snat_port_max;
  rodata.lb_handover = role == Role::beside ? 1 : 0;
  lb_crc32c_set(&rodata.lb_crc32c);
}

// On maps that are there. set_constants(rodata)
template <class Object, class Set>
Result<Skeleton<Object>> load_beside(const char* what, const Sizes& sizes, const KernelMaps& there,
                                     Set set_constants) {
  std::vector<char> log(kVerifierLogBytes);
  auto skeleton = open_skeleton<Object>(what, log);
  if (!skeleton) return skeleton;
  const Object& object = **skeleton;
  if (auto ready = prepare_beside(object.obj, sizes, there); !ready) return ready.error();
  set_constants(*object.rodata);
  if (auto done = load(*skeleton, what, log); !done) return done.error();
  return skeleton;
}

constexpr char kXdpProgram[] = "the XDP program";

Result<Fd> own(int fd) {
  Fd copy(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!copy.valid()) return Error{errno, "copy a descriptor"};
  return copy;
}

}  // namespace

Result<Loaded> load_program(const Sizes& sizes, const lb_info& info, const KernelMaps& pinned,
                            Role role) {
  std::vector<char> log(kVerifierLogBytes);
  auto skeleton = open_skeleton<lb>(kXdpProgram, log);
  if (!skeleton) return skeleton.error();
  const lb& object = **skeleton;
  Loaded loaded;
  auto ready = prepare_maps(object.obj, sizes, info, pinned, loaded.features);
  if (!ready) return ready.error();
  configure(*object.rodata, sizes, info, role);
  if (auto done = load(*skeleton, kXdpProgram, log); !done) return done.error();

  auto program = own(bpf_program__fd(object.progs.lb_xdp));
  if (!program) return program.error();
  loaded.program = std::move(*program);
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object.obj) {
    if (!is_ours(map)) continue;
    auto fd = own(bpf_map__fd(map));
    if (!fd) return fd.error();
    if (auto added = loaded.maps.add(bpf_map__name(map), std::move(*fd)); !added)
      return added.error();
  }
  return loaded;
}

Result<Fd> load_tc_program(const Sizes& sizes, const lb_info& info, const KernelMaps& maps,
                           Role role) {
  auto skeleton = load_beside<lb_tc>("the tc program", sizes, maps,
                                     [&](auto& rodata) { configure(rodata, sizes, info, role); });
  if (!skeleton) return skeleton.error();
  return own(bpf_program__fd((*skeleton)->progs.lb_tc));
}

std::string missing_kernel_features() {
  std::vector<char> log(kVerifierLogBytes);
  const auto skeleton = open_skeleton<lb>(kXdpProgram, log);
  return skeleton ? missing_features((*skeleton)->obj) : skeleton.error().message();
}

Result<HandoverPrograms> load_handover(const Sizes& sizes, const lb_info& info,
                                       const KernelMaps& pinned) {
  auto skeleton =
      load_beside<handover>("the programs of a handover", sizes, pinned,
                            [&](auto& rodata) { configure_table(rodata, sizes, info); });
  if (!skeleton) return skeleton.error();
  const handover& object = **skeleton;
  auto take_flow = own(bpf_program__fd(object.progs.lb_take_flow));
  if (!take_flow) return take_flow.error();
  auto add_counts = own(bpf_program__fd(object.progs.lb_add_counts));
  if (!add_counts) return add_counts.error();
  return HandoverPrograms{std::move(*take_flow), std::move(*add_counts)};
}

Result<ReplicaPrograms> load_replica(const Sizes& sizes, const lb_info& info,
                                     const KernelMaps& pinned) {
  auto skeleton = load_beside<replica>("the programs of a pair", sizes, pinned, [&](auto& rodata) {
    configure_table(rodata, sizes, info);
    rodata.lb_silent = 1;
  });
  if (!skeleton) return skeleton.error();
  const replica& object = **skeleton;
  ReplicaPrograms programs;
  for (const auto& [fd, into] :
       {std::pair(bpf_program__fd(object.progs.lb_take_flows), &programs.take_flows),
        std::pair(bpf_program__fd(object.progs.lb_end_flows), &programs.end_flows),
        std::pair(bpf_map__fd(object.maps.lb_takes), &programs.takes),
        std::pair(bpf_map__fd(object.maps.lb_ends), &programs.ends)}) {
    auto copy = own(fd);
    if (!copy) return copy.error();
    *into = std::move(*copy);
  }
  return programs;
}

}  // namespace datapath
