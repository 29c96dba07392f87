#include "agent/datapath/ingress.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <cstdlib>

#include "agent/datapath/on_interface.h"
#include "agent/datapath/pins.h"

namespace datapath {
namespace {

using base::Error;
using base::Fd;
using base::Result;
using base::Status;
using base::Unit;

// Of the filter. Others' are hardly just there, and where one is, it is not replaced.
constexpr uint32_t kHandle = 1, kPriority = 1000;

enum class Kind { link, filter };

std::string pin_of(const std::string& folder, uint32_t ifindex, Kind kind) {
  return folder + "/links/" + std::to_string(ifindex) + (kind == Kind::link ? " tcx" : " clsact");
}

Error why_not(int code, const std::string& interface) {
  return {code, "attach the tc program to interface " + interface};
}

bpf_tc_hook ingress_of(uint32_t ifindex) {
  LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = static_cast<int>(ifindex),
              .attach_point = BPF_TC_INGRESS);
  return hook;
}

// The program that our filter would replace; 0: there is none, or no such interface.
uint32_t filter_on(uint32_t ifindex) {
  const bpf_tc_hook hook = ingress_of(ifindex);
  LIBBPF_OPTS(bpf_tc_opts, options, .handle = kHandle, .priority = kPriority);
  return bpf_tc_query(&hook, &options) == 0 ? options.prog_id : 0;
}

// An interface that came again, or of another namespace, may have the index of the pin.
bool runs_by(int link, uint32_t ifindex) {
  const auto info = link_info(link);
  return info && info->xdp.ifindex == ifindex && on_tcx(ifindex).contains(info->prog_id);
}

// `flags`: whether it may replace another.
Status put_filter(int program, uint32_t ifindex, uint32_t flags, const std::string& interface) {
  const bpf_tc_hook hook = ingress_of(ifindex);
  LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = program, .flags = flags, .handle = kHandle,
              .priority = kPriority);
  if (const int err = bpf_tc_attach(&hook, &options); err != 0) return why_not(-err, interface);
  return Unit{};
}

// Who was killed between filter and pin has left the pin of the program before.
Status replace_filter(int program, const std::string& path, uint32_t ifindex) {
  auto before = open_pin(path);
  if (!before) return before.error();
  const uint32_t there = filter_on(ifindex);
  if (!works_on_maps_of(there, before->get()) && !works_on_maps_of(there, program)) return Unit{};
  auto put = put_filter(program, ifindex, BPF_TC_F_REPLACE, std::to_string(ifindex));
  return put ? pin_over(program, path) : put;
}

Status replace_link(int program, const std::string& path) {
  auto link = open_pin(path);
  if (!link) return link.error();
  // EINVAL, ENOLINK: its interface is gone.
  if (bpf_link_update(link->get(), program, nullptr) == 0 || errno == EINVAL || errno == ENOLINK)
    return Unit{};
  return Error{errno, "replace the tc program of " + path};
}

Status remove_filter(const std::string& path, uint32_t ifindex) {
  auto program = open_pin(path);
  if (!program) return program.error();
  // In another namespace, or on an interface that was made again, it is not ours.
  if (const uint32_t there = filter_on(ifindex);
      there != 0 && works_on_maps_of(there, program->get())) {
    const bpf_tc_hook hook = ingress_of(ifindex);
    LIBBPF_OPTS(bpf_tc_opts, options, .handle = kHandle, .priority = kPriority);
    const int err = bpf_tc_detach(&hook, &options);
    if (err != 0 && err != -ENOENT)
      return Error{-err, "take the tc program off interface " + std::to_string(ifindex)};
  }
  return unpin(path);
}

Status remove_link(const std::string& path) {
  auto link = open_pin(path);
  if (!link) return link.error();
  // EINVAL, ENOLINK: its interface is gone.
  if (bpf_link_detach(link->get()) != 0 && errno != EINVAL && errno != ENOLINK)
    return Error{errno, "detach " + path};
  return unpin(path);
}

}  // namespace

bool is_ingress_pin(const std::string& name) { return name.find(' ') != std::string::npos; }

Status Ingress::attach(int program, const std::string& interface, uint32_t ifindex) {
  if (auto made = make_pin_folder(folder_ + "/links"); !made) return made;
  auto linked = attach_link(program, interface, ifindex);
  // A kernel without TCX knows no such place.
  if (linked || linked.error().code != EINVAL) return linked;
  return attach_filter(program, interface, ifindex);
}

Status Ingress::attach_link(int program, const std::string& interface, uint32_t ifindex) {
  const std::string path = pin_of(folder_, ifindex, Kind::link);
  if (auto link = open_pin(path); link) {
    if (runs_by(link->get(), ifindex)) {
      if (bpf_link_update(link->get(), program, nullptr) == 0) return Unit{};
      return Error{errno, "replace the tc program of " + interface};
    }
    if (auto gone = unpin(path); !gone) return gone;
  } else if (link.error().code != ENOENT) {
    return link.error();
  }
  LIBBPF_OPTS(bpf_link_create_opts, options);
  const Fd link(bpf_link_create(program, static_cast<int>(ifindex), kTcxIngress, &options));
  if (!link.valid()) return why_not(errno, interface);
  return pin(link.get(), path);
}

Status Ingress::attach_filter(int program, const std::string& interface, uint32_t ifindex) {
  const uint32_t there = filter_on(ifindex);
  if (there != 0 && there == program_id(program) && runs_on(ifindex)) return Unit{};
  if (there != 0 && !works_on_maps_of(there, program))
    return Error{EBUSY, "interface " + interface + " has another filter in the place of ours (" +
                            program_name(there) + "); remove it: tc filter del dev " + interface +
                            " ingress pref " + std::to_string(kPriority)};
  bpf_tc_hook hook = ingress_of(ifindex);
  if (const int err = bpf_tc_hook_create(&hook); err != 0 && err != -EEXIST)
    return why_not(-err, interface);
  // The pin first: a filter that nobody knows of would stay for ever.
  if (auto pinned = pin_over(program, pin_of(folder_, ifindex, Kind::filter)); !pinned)
    return pinned;
  return put_filter(program, ifindex, there == 0 ? 0 : BPF_TC_F_REPLACE, interface);
}

Status Ingress::replace(int program) {
  for (const uint32_t ifindex : interfaces()) {
    auto done = replace_link(program, pin_of(folder_, ifindex, Kind::link));
    if (!done && done.error().code == ENOENT)
      done = replace_filter(program, pin_of(folder_, ifindex, Kind::filter), ifindex);
    if (!done && done.error().code != ENOENT) return done;
  }
  return Unit{};
}

Result<Fd> Ingress::program() const {
  for (const uint32_t ifindex : interfaces()) {
    if (auto pinned = open_pin(pin_of(folder_, ifindex, Kind::filter))) return pinned;
    const auto link = open_pin(pin_of(folder_, ifindex, Kind::link));
    const auto info = link ? link_info(link->get()) : Result<bpf_link_info>(link.error());
    if (Fd program(info ? bpf_prog_get_fd_by_id(info->prog_id) : -1); program.valid())
      return program;
  }
  return Error{ENOENT, "find the tc program of " + folder_};
}

Status Ingress::remove(uint32_t ifindex) {
  const std::string link = pin_of(folder_, ifindex, Kind::link),
                    filter = pin_of(folder_, ifindex, Kind::filter);
  if (auto gone = remove_link(link); !gone && gone.error().code != ENOENT) return gone;
  auto gone = remove_filter(filter, ifindex);
  return gone || gone.error().code != ENOENT ? gone : Status(Unit{});
}

bool Ingress::runs_on(uint32_t ifindex) const {
  const auto link = open_pin(pin_of(folder_, ifindex, Kind::link));
  if (link && runs_by(link->get(), ifindex)) return true;
  const auto program = open_pin(pin_of(folder_, ifindex, Kind::filter));
  return program && works_on_maps_of(filter_on(ifindex), program->get());
}

std::set<uint32_t> Ingress::interfaces() const {
  std::set<uint32_t> out;
  for (const std::string& name : list_folder(folder_ + "/links"))
    if (is_ingress_pin(name))
      out.insert(static_cast<uint32_t>(std::strtoul(name.c_str(), nullptr, 10)));
  return out;
}

}  // namespace datapath
