#include "agent/datapath/links.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <net/if.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <optional>
#include <set>
#include <thread>

#include "agent/datapath/offloads.h"
#include "agent/datapath/on_interface.h"
#include "agent/datapath/pins.h"
#include "agent/datapath/vlans.h"
#include "base/log.h"
#include "netns/devices.h"

namespace datapath {
namespace {

using base::Error;
using base::Fd;
using base::Result;
using base::Status;
using base::Unit;

constexpr char kEarlierStart[] =
    "not native since an earlier start; native mode is tried again when no flow lives";
constexpr char kWithoutChecksums[] =
    "its packets come without checksums, which only tc has computed where they leave";
constexpr char kAsConfigured[] = "as configured";
constexpr char kIsVlan[] = "a VLAN has no native XDP: its frames come by another interface";
constexpr std::chrono::minutes kBetweenTries{1};

// One that says nothing has nothing of it.
netns::Device device_of(const std::string& interface) {
  auto device = netns::read_device(interface);
  return device ? std::move(*device) : netns::Device{"unknown", {}, {}};
}

std::string why_not_native(int code, const std::string& interface) {
  std::string text = std::string("native XDP refused: ") + std::strerror(code) + " (driver " +
                     device_of(interface).driver + "); ";
  if (code == EOPNOTSUPP)
    return text + "the driver has none, or LRO or fixed guest offloads forbid it (ethtool -k)";
  if (code == EINVAL || code == ERANGE || code == E2BIG)
    return text + "check that the MTU fits in a page and that queues are left (ethtool -l)";
  return text + "see dmesg";
}

bool loses_frames(uint32_t ifindex, const TakesFrames& takes_frames) {
  return takes_frames && !takes_frames(ifindex).value_or(true);
}

std::string why_frames_are_lost(const std::string& interface) {
  const std::string driver = device_of(interface).driver;
  return "frames that native XDP sends by it would be lost (driver " + driver + "); " +
         (driver == "veth" ? "its other end needs an XDP program or `ethtool -K ... gro on`"
                           : "the driver has no ndo_xdp_xmit");
}

// The link by which a program is on an interface; nullopt: it was attached without one.
std::optional<uint32_t> link_of(uint32_t ifindex, uint32_t program) {
  for (uint32_t id = 0; bpf_link_get_next_id(id, &id) == 0;) {
    const Fd fd(bpf_link_get_fd_by_id(id));
    const auto info = fd.valid() ? link_info(fd.get()) : Result<bpf_link_info>(Error{});
    if (info && info->type == BPF_LINK_TYPE_XDP && info->xdp.ifindex == ifindex &&
        info->prog_id == program)
      return id;
  }
  return std::nullopt;
}

Error another_program(const std::string& interface, uint32_t program) {
  const uint32_t ifindex = if_nametoindex(interface.c_str());
  const auto link = link_of(ifindex, program);
  const std::string remove = link ? "bpftool link detach id " + std::to_string(*link)
                                  : "ip link set dev " + interface + " xdp off";
  return Error{EBUSY, "interface " + interface + " runs another XDP program (id " +
                          std::to_string(program) + ", " + program_name(program) +
                          "); remove it: " + remove};
}

Links::Created create_link(int program, uint32_t ifindex, uint32_t flags) {
  LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flags);
  Fd link(bpf_link_create(program, static_cast<int>(ifindex), BPF_XDP, &options));
  const int code = link.valid() ? 0 : errno;
  return {std::move(link), code};
}

// A moment without memory.
bool is_passing(int code) { return code == ENOMEM || code == EAGAIN; }

// What a moment without memory refuses is asked for again: generic is for as long as the link is.
Links::Created create_native(int program, uint32_t ifindex) {
  constexpr int kTries = 4;
  constexpr std::chrono::milliseconds kApart{50};
  for (int i = 1;; i++) {
    Links::Created created = create_link(program, ifindex, XDP_FLAGS_DRV_MODE);
    if (!is_passing(created.code) || i == kTries) return created;
    std::this_thread::sleep_for(kApart);
  }
}

// What the kernel has switched off by itself is off; the rest is tried.
std::string obstacle_of(const std::string& interface, const std::string& generic) {
  const netns::Device device = device_of(interface);
  std::set<std::string> bad = unbearable(device);
  for (const std::string& feature : bad) (void)netns::switch_off(interface, feature);
  if (!bad.empty()) bad = unbearable(device_of(interface));
  return why_not_forwarded(interface, device.driver, bad, generic);
}

std::string note_of(const std::string& interface) {
  const auto cpus = static_cast<uint32_t>(libbpf_num_possible_cpus());
  return why_locked(interface, device_of(interface), cpus);
}

// An interface that was made again has another index, or the same one and no program.
bool runs_by(const bpf_link_info& link, uint32_t ifindex) {
  return link.xdp.ifindex == ifindex && link.prog_id != 0 &&
         on_xdp(ifindex).program == link.prog_id;
}

// Of an interface where tc would be better.
void say_refused(Attachment& attachment, const std::string& why) {
  std::string& said = attachment.mode == AttachMode::generic ? attachment.reason : attachment.note;
  said += (said.empty() ? "" : "; ") + ("tc ingress refused: " + why);
}

Status detach(const std::string& path) {
  auto link = open_pin(path);
  if (link) {
    // EINVAL, ENOLINK: its interface is gone.
    if (bpf_link_detach(link->get()) != 0 && errno != EINVAL && errno != ENOLINK)
      return Error{errno, "detach " + path};
  } else if (link.error().code != ENOENT) {
    return link.error();
  }
  return unpin(path);
}

}  // namespace

Result<Attachment> Links::attach(const Programs& programs, const std::string& interface,
                                 uint32_t ifindex, const Wish& wish) {
  const std::string why_tc = why_on_tc(interface, ifindex, wish);
  std::string refused;  // by tc
  if (!why_tc.empty()) {
    auto attachment = attach_to_tc(programs, interface, ifindex, why_tc);
    if (attachment || wish.hook == Hook::tc) return attachment;
    refused = attachment.error().message();
  }
  auto attachment = keep_or_create(programs, interface, ifindex, wish);
  if (!attachment) {
    if (wish.hook != Hook::automatic || !ingress_.runs_on(ifindex)) return attachment;
    return attach_to_tc(programs, interface, ifindex, attachment.error().message());
  }
  const bool is_generic = attachment->mode == AttachMode::generic;
  if (is_generic && wish.hook == Hook::automatic && refused.empty()) {
    auto better = attach_to_tc(programs, interface, ifindex, attachment->reason);
    if (better) return better;
    refused = better.error().message();
  }
  if (is_generic)
    attachment->obstacle = obstacle_of(interface, attachment->reason);
  else
    attachment->note = note_of(interface);
  if (const auto hidden = why_tags_are_hidden(interface, wish.vlan); !hidden.empty())
    attachment->obstacle = hidden + "; give it the hook tc";
  if (!refused.empty()) say_refused(*attachment, refused);
  if (auto gone = ingress_.remove(ifindex); !gone) return gone.error();
  return attachment;
}

// "": it is XDP's, as far as that can be native. Who is on tc already stays there while flows live:
// native mode may take no frame, and that is seen only when it is there.
std::string Links::why_on_tc(const std::string& interface, uint32_t ifindex,
                             const Wish& wish) const {
  if (wish.hook == Hook::tc) return kAsConfigured;
  if (wish.hook != Hook::automatic) return "";
  if (wish.vlan == Vlan::device) return kIsVlan;
  if (const auto hidden = why_tags_are_hidden(interface, wish.vlan); !hidden.empty()) return hidden;
  if (wish.checksums == Checksums::left_out) return kWithoutChecksums;
  if (!ingress_.runs_on(ifindex)) return "";
  const bool tried = wish.flows == Flows::none && is_worth_a_try(ifindex, wish.takes_frames);
  return tried ? "" : why_generic(interface, ifindex, wish.takes_frames);
}

Result<Attachment> Links::attach_to_tc(const Programs& programs, const std::string& interface,
                                       uint32_t ifindex, const std::string& reason) {
  auto program = programs.tc();
  if (!program) return program.error();
  if (auto done = ingress_.attach(*program, interface, ifindex); !done) return done.error();
  if (auto gone = remove(interface); !gone) return gone.error();
  return Attachment{interface, ifindex, AttachMode::tc, reason};
}

Result<Attachment> Links::keep_or_create(const Programs& programs, const std::string& interface,
                                         uint32_t ifindex, const Wish& wish) {
  const std::string path = link_pin(folder_, interface);
  auto link = open_pin(path);
  if (!link) {
    if (link.error().code != ENOENT) return link.error();
    return create(programs.xdp, interface, ifindex, wish);
  }
  auto info = link_info(link->get());
  if (!info) return info.error();
  const OnXdp now = on_xdp(ifindex);
  const bool is_another = !runs_by(*info, ifindex);
  const bool is_generic = now.mode == XDP_ATTACHED_SKB;
  const bool is_tried_again =
      wish.hook == Hook::generic
          ? !is_generic
          : is_generic && wish.flows == Flows::none && is_worth_a_try(ifindex, wish.takes_frames);
  if (is_another || is_tried_again) {
    if (!is_another) forward_meanwhile(programs, interface, ifindex);
    if (auto gone = detach(path); !gone) return gone.error();
    return create(programs.xdp, interface, ifindex, wish);
  }
  if (now.program != program_id(programs.xdp) &&
      bpf_link_update(link->get(), programs.xdp, nullptr) != 0)
    return Error{errno, "replace the XDP program of " + interface};
  if (is_generic)
    return Attachment{interface, ifindex, AttachMode::generic,
                      wish.hook == Hook::generic
                          ? kAsConfigured
                          : why_generic(interface, ifindex, wish.takes_frames)};
  return Attachment{interface, ifindex, AttachMode::native, ""};
}

// From one mode to the other there is a moment without a link: tc has the packets then, until
// attach() is done.
void Links::forward_meanwhile(const Programs& programs, const std::string& interface,
                              uint32_t ifindex) {
  const auto program = programs.tc();
  const auto done = program ? ingress_.attach(*program, interface, ifindex) : program.error();
  if (!done)
    spdlog::warn("packets that come by {} while its mode changes are the kernel's: {}", interface,
                 done.error().message());
}

// The mode of a link cannot be changed.
bool Links::is_worth_a_try(uint32_t ifindex, const TakesFrames& takes_frames) const {
  if (loses_frames(ifindex, takes_frames)) return false;
  const auto known = generic_.find(ifindex);
  if (known == generic_.end()) return true;
  const auto age = std::chrono::steady_clock::now() - known->second.since;
  return known->second.passes && age >= kBetweenTries;
}

std::string Links::why_generic(const std::string& interface, uint32_t ifindex,
                               const TakesFrames& takes_frames) const {
  if (const auto known = generic_.find(ifindex); known != generic_.end()) return known->second.why;
  return loses_frames(ifindex, takes_frames) ? why_frames_are_lost(interface) : kEarlierStart;
}

Result<Attachment> Links::create(int program, const std::string& interface, uint32_t ifindex,
                                 const Wish& wish) {
  if (const OnXdp now = on_xdp(ifindex); now.program != 0)
    return another_program(interface, now.program);
  Attachment attachment{interface, ifindex, AttachMode::native, ""};
  if (auto shown = show_vlan_tags(interface); !shown) return shown.error();
  if (wish.hook == Hook::generic) return create_generic(program, attachment, kAsConfigured);
  Created created = create_native(program, ifindex);
  const bool refused = created.code != 0 && created.code != EPERM && created.code != ENODEV;
  const bool passes = created.code == 0 || is_passing(created.code);  // another end may take frames
  if (refused) attachment.reason = why_not_native(created.code, interface);
  // No flow has been here yet: nothing is lost by the moment without a program.
  if (created.code == 0 && loses_frames(ifindex, wish.takes_frames)) {
    attachment.reason = why_frames_are_lost(interface);
    created.link = Fd();
  }
  if (!attachment.reason.empty()) {
    spdlog::warn("XDP on {} is not native: {}", interface, attachment.reason);
    generic_[ifindex] = {attachment.reason, passes, std::chrono::steady_clock::now()};
    return create_generic(program, attachment, attachment.reason);
  }
  return keep(std::move(created), attachment);
}

Result<Attachment> Links::create_generic(int program, Attachment attachment,
                                         const std::string& reason) {
  attachment.mode = AttachMode::generic;
  attachment.reason = reason;
  return keep(create_link(program, attachment.ifindex, XDP_FLAGS_SKB_MODE), attachment);
}

Result<Attachment> Links::keep(Created created, const Attachment& attachment) {
  const std::string& interface = attachment.interface;
  if (created.code != 0) return Error{created.code, "attach XDP to interface " + interface};
  if (auto folder = make_pin_folder(folder_ + "/links"); !folder) return folder.error();
  if (auto pinned = pin(created.link.get(), link_pin(folder_, interface)); !pinned)
    return pinned.error();
  return attachment;
}

Status Links::follow_names(const std::vector<std::pair<std::string, uint32_t>>& interfaces) {
  for (const std::string& old_name : this->interfaces()) {
    const std::string path = link_pin(folder_, old_name);
    auto link = open_pin(path);
    if (!link) return link.error();
    auto info = link_info(link->get());
    if (!info) return info.error();
    for (const auto& [name, ifindex] : interfaces) {
      if (ifindex != info->xdp.ifindex || name == old_name) continue;
      // Two that changed names with each other are attached anew.
      const std::string fresh = link_pin(folder_, name);
      const int err = renameat2(AT_FDCWD, path.c_str(), AT_FDCWD, fresh.c_str(), RENAME_NOREPLACE);
      if (err != 0 && errno != EEXIST)
        return Error{errno, "rename the link of " + old_name + " to " + name};
    }
  }
  return Unit{};
}

Status Links::take_over(const std::string& folder) {
  const std::vector<std::string> names = list_folder(folder + "/links");
  if (names.empty()) return Unit{};
  if (auto made = make_pin_folder(folder_ + "/links"); !made) return made.error();
  for (const std::string& name : names) {
    const std::string from = folder + "/links/" + name, to = folder_ + "/links/" + name;
    if (std::rename(from.c_str(), to.c_str()) != 0) return Error{errno, "move the link " + from};
  }
  return Unit{};
}

Status Links::replace(const Programs& programs) {
  const bool any_on_tc = !ingress_.interfaces().empty();
  const auto tc = any_on_tc ? programs.tc() : Result<int>(-1);
  if (!tc) return tc.error();
  for (const std::string& interface : interfaces()) {
    auto link = open_pin(link_pin(folder_, interface));
    if (!link) return link.error();
    // EINVAL, ENOLINK: its interface is gone.
    if (bpf_link_update(link->get(), programs.xdp, nullptr) != 0 && errno != EINVAL &&
        errno != ENOLINK)
      return Error{errno, "replace the XDP program of " + interface};
  }
  return any_on_tc ? ingress_.replace(*tc) : Unit{};
}

std::vector<Error> Links::remove_others(
    const std::vector<std::pair<std::string, uint32_t>>& interfaces) {
  std::set<std::string> names;
  std::set<uint32_t> indexes;
  for (const auto& [name, ifindex] : interfaces) {
    names.insert(name);
    indexes.insert(ifindex);
  }
  std::vector<Error> left;
  for (const std::string& pinned : this->interfaces())
    if (!names.contains(pinned))
      if (auto gone = remove(pinned); !gone) left.push_back(gone.error());
  for (const uint32_t pinned : ingress_.interfaces())
    if (!indexes.contains(pinned))
      if (auto gone = ingress_.remove(pinned); !gone) left.push_back(gone.error());
  return left;
}

bool Links::runs_on(uint32_t ifindex) const {
  for (const std::string& interface : interfaces()) {
    const auto link = open_pin(link_pin(folder_, interface));
    const auto info = link ? link_info(link->get()) : Result<bpf_link_info>(link.error());
    if (info && runs_by(*info, ifindex)) return true;
  }
  return ingress_.runs_on(ifindex);
}

Status Links::remove(const std::string& interface) { return detach(link_pin(folder_, interface)); }

std::vector<std::string> Links::interfaces() const {
  std::vector<std::string> names = list_folder(folder_ + "/links");
  std::erase_if(names, is_ingress_pin);
  std::transform(names.begin(), names.end(), names.begin(), interface_of_pin);
  return names;
}

}  // namespace datapath
