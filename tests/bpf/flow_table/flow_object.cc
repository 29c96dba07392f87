#include "tests/bpf/flow_table/flow_object.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace flow_test {
namespace {

constexpr uint64_t kSeed = 0x243f6a8885a308d3;

int print_warnings(libbpf_print_level level, const char* format, va_list arguments) {
  return level == LIBBPF_WARN ? std::vfprintf(stderr, format, arguments) : 0;
}

bool resize(bpf_object* object, const char* name, uint32_t entries) {
  bpf_map* map = bpf_object__find_map_by_name(object, name);
  return map != nullptr && bpf_map__set_max_entries(map, entries) == 0;
}

bool resize_family(bpf_object* object, const std::string& suffix, uint32_t lines) {
  return resize(object, ("lb_flows" + suffix).c_str(), lines) &&
         resize(object, ("lb_locks" + suffix).c_str(), lines / LB_FLOW_WAYS) &&
         resize(object, ("lb_half" + suffix).c_str(), std::max(lines / LB_HALF_SHARE, 1u));
}

// Of an object that is not loaded yet.
base::Result<base::Unit> set_constant(bpf_object* object, const std::string& name, uint64_t value) {
  const btf* types = bpf_object__btf(object);
  const int section = btf__find_by_name_kind(types, ".rodata", BTF_KIND_DATASEC);
  bpf_map* map = nullptr;
  bpf_map* rodata = nullptr;
  bpf_object__for_each_map(map, object) {
    if (std::strstr(bpf_map__name(map), ".rodata") != nullptr) rodata = map;
  }
  if (section < 0 || rodata == nullptr) return base::Error{0, "the object has no .rodata"};
  size_t size = 0;
  auto* data = static_cast<char*>(const_cast<void*>(bpf_map__initial_value(rodata, &size)));
  const btf_type* type = btf__type_by_id(types, static_cast<uint32_t>(section));
  const btf_var_secinfo* variable = btf_var_secinfos(type);
  for (int i = 0; i < btf_vlen(type); i++, variable++) {
    const btf_type* named = btf__type_by_id(types, variable->type);
    if (name != btf__name_by_offset(types, named->name_off)) continue;
    std::memcpy(data + variable->offset, &value, variable->size);
    return base::Unit{};
  }
  return base::Error{0, "the object has no constant " + name};
}

}  // namespace

base::Result<FlowObject> FlowObject::load(const std::string& path, const Sizes& sizes,
                                          Constants constants) {
  libbpf_set_print(print_warnings);
  FlowObject opened(bpf_object__open_file(path.c_str(), nullptr));
  bpf_object* object = opened.object_.get();
  if (object == nullptr) return base::Error{errno, "open " + path};
  if (!resize_family(object, "", sizes.lines) || !resize_family(object, "6", sizes.lines6))
    return base::Error{0, "set the sizes of the maps of " + path};
  for (const auto& [name, entries] : sizes.others)
    if (!resize(object, name.c_str(), entries)) return base::Error{0, "set the size of " + name};
  // Not every object has them.
  (void)resize(object, "lb_rested", std::max(sizes.lines / LB_REST_SHARE, 1u));
  (void)resize(object, "lb_syns", std::max((sizes.lines + sizes.lines6) / LB_HALF_SHARE, 1u));
  constants["lb_lines"] = sizes.lines;
  constants["lb_lines6"] = sizes.lines6;
  constants["lb_half_cpus"] = sizes.rings;
  constants["lb_seed"] = kSeed;
  for (const auto& [name, value] : constants)
    if (auto set = set_constant(object, name, value); !set) return set.error();
  if (bpf_object__load(object) != 0) return base::Error{errno, "load " + path};

  auto memory = opened.memory();
  if (!memory) return memory.error();
  memory->info() = lb_info{.abi = LB_ABI_VERSION,
                           .cpus = sizes.rings,
                           .seed = kSeed,
                           .snat_port_min = 0,
                           .snat_port_max = 0,
                           .features = 0};
  memory->clock().tick = 1;
  return opened;
}

int FlowObject::map(const char* name) const {
  return bpf_object__find_map_fd_by_name(object_.get(), name);
}

int FlowObject::program(const char* name) const {
  return bpf_program__fd(bpf_object__find_program_by_name(object_.get(), name));
}

base::Result<datapath::FlowMemory> FlowObject::memory() const {
  return datapath::FlowMemory::map([this](const char* name) { return map(name); });
}

base::Result<uint32_t> run(int program, int repeat) {
  std::array<uint8_t, 64> frame{};
  LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(),
              .data_size_in = static_cast<uint32_t>(frame.size()), .repeat = repeat);
  if (bpf_prog_test_run_opts(program, &options) != 0) return base::Error{errno, "run a program"};
  return options.retval;
}

}  // namespace flow_test
