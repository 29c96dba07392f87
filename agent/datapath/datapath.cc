#include "agent/datapath/datapath.h"

#include <bpf/libbpf.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <set>

#include "agent/datapath/flow_table.h"
#include "agent/datapath/kernel_maps.h"
#include "agent/datapath/pins.h"
#include "agent/datapath/program.h"
#include "agent/datapath/sizes.h"
#include "agent/datapath/table_writer.h"
#include "base/log.h"

namespace datapath {

using base::Error;
using base::Fd;
using base::Result;
using base::Status;
using base::Unit;

// Members go in reverse order: the lock last.
struct Datapath::State {
  State(const std::string& folder, Fd lock_of_folder, About about_maps, Loaded loaded)
      : lock(std::move(lock_of_folder)),
        about(std::move(about_maps)),
        program(std::move(loaded.program)),
        maps(std::move(loaded.maps)),
        links(folder),
        writer(maps) {}
  Status start();
  Status open_device(uint32_t ifindex) { return maps.put(kDevices, ifindex, ifindex); }
  Status sort_devices(const TakesFrames& takes_frames);
  Status forget_other_devices();

  Fd lock;
  About about;
  Fd program;
  KernelMaps maps;
  Links links;
  std::vector<Attachment> attachments;
  std::set<uint32_t> closed;  // interfaces that take nothing from others
  TableWriter writer;
  std::optional<FlowTable> flows;
};

namespace {

constexpr char kProgramPin[] = "/lb_xdp";
Status refuse_other_versions(const std::string& root) {
  for (const int version : pinned_versions(root)) {
    if (version == LB_ABI_VERSION) continue;
    return Error{0, root + " has maps of ABI version " + std::to_string(version) +
                        "; this agent needs version " + std::to_string(LB_ABI_VERSION) +
                        " and cannot take their flows over. Run the agent of that version, or "
                        "remove them with amphora-xdp-agent --teardown: their connections end"};
  }
  return Unit{};
}

// lb_info is pinned last: its pin says that the others are complete.
//
// Nothing, if the folder has no complete set: what is left of an unfinished start is removed.
Result<KernelMaps> open_pins(const std::string& folder) {
  const std::vector<std::string> names = list_folder(folder);
  KernelMaps pinned;
  if (!std::binary_search(names.begin(), names.end(), kInfo.name)) {
    if (names.empty()) return pinned;
    spdlog::warn("removing the maps of an unfinished first start from {}", folder);
    if (auto removed = remove_pins(folder); !removed) return removed.error();
    return pinned;
  }
  for (const std::string& name : names) {
    if (name == "links" || name.starts_with(kProgramPin + 1)) continue;
    auto fd = open_pin(folder + "/" + name);
    if (!fd) return fd.error();
    if (auto added = pinned.add(name, std::move(*fd)); !added) return added.error();
  }
  return pinned;
}

Sizes wished_sizes(const Options& options) {
  const uint64_t memory = machine_memory_bytes();
  const auto lines = [memory](base::Family family, uint32_t flows) {
    return flows == 0 ? lines_for_memory(family, memory) : lines_for_flows(flows);
  };
  return {lines(base::Family::ipv4, options.flows4), lines(base::Family::ipv6, options.flows6)};
}

Result<lb_info> fresh_info(const Options& options) {
  lb_info info{};
  info.abi = LB_ABI_VERSION;
  info.cpus = half_open_rings(static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN)));
  info.snat_port_min = options.snat_port_min;
  info.snat_port_max = options.snat_port_max;
  if (getrandom(&info.seed, sizeof(info.seed), 0) != sizeof(info.seed))
    return Error{errno, "get a random seed"};
  return info;
}

// What of the options the adopted maps do not have.
std::string differences(const Datapath::About& about, const Options& options) {
  std::string text;
  const auto add = [&text](const std::string& item) { text += (text.empty() ? "" : "; ") + item; };
  const Sizes wish = wished_sizes(options);
  const auto lines = [&](const char* family, uint32_t flows, uint32_t have, uint32_t want) {
    if (flows != 0 && have != want)
      add(std::string("the ") + family + " flow table keeps its " + std::to_string(have) +
          " lines (" + std::to_string(want) + " wanted)");
  };
  lines("IPv4", options.flows4, about.lines4, wish.lines4);
  lines("IPv6", options.flows6, about.lines6, wish.lines6);
  if (about.info.snat_port_min != options.snat_port_min ||
      about.info.snat_port_max != options.snat_port_max)
    add("SNAT ports stay " + std::to_string(about.info.snat_port_min) + "-" +
        std::to_string(about.info.snat_port_max));
  return text;
}

Result<Datapath::About> about_fresh(const Options& options) {
  auto info = fresh_info(options);
  if (!info) return info.error();
  const Sizes sizes = wished_sizes(options);
  return Datapath::About{Datapath::Origin::created, sizes.lines4, sizes.lines6, *info, ""};
}

Result<Datapath::About> about_pinned(KernelMaps& pinned, const Options& options) {
  for (const char* name : {kFlows.name, kFlows6.name}) {
    if (!pinned.has(name))
      return Error{0, std::string("map ") + name +
                          " is missing among the pins (--teardown removes the others)"};
  }
  if (pinned.info(kInfo.name).value_size != sizeof(lb_info))
    return Error{0, "pinned map lb_info is not of this version (--teardown removes it)"};
  auto value = pinned.get(kInfo, 0);
  if (!value) return value.error();
  const lb_info info = value->value();
  if (info.abi != LB_ABI_VERSION)
    return Error{0, "the pinned maps are of ABI version " + std::to_string(info.abi) +
                        ", this agent needs " + std::to_string(LB_ABI_VERSION) +
                        " (--teardown removes them)"};
  Datapath::About about{Datapath::Origin::adopted, pinned.info(kFlows.name).max_entries,
                        pinned.info(kFlows6.name).max_entries, info, ""};
  about.kept = differences(about, options);
  return about;
}

// What new maps hold before anybody sees them; the pin of lb_info is what makes them valid.
Status fill_and_pin(KernelMaps& maps, const lb_info& info, const std::string& folder) {
  lb_clock clock{};
  clock.tick = 1;
  if (auto put = maps.put(kClock, 0, clock); !put) return put.error();
  if (auto put = maps.put(kInfo, 0, info); !put) return put.error();
  for (uint32_t id = 1; id < LB_MAX_NEXTHOPS; ++id) {
    if (auto pushed = maps.push(kFreeNexthops, id); !pushed) return pushed.error();
  }
  for (const std::string& name : maps.names()) {
    if (name == kInfo.name) continue;
    if (auto pinned = pin(maps.fd(name), folder + "/" + name); !pinned) return pinned.error();
  }
  return pin(maps.fd(kInfo.name), folder + "/" + kInfo.name);
}

}  // namespace

Datapath::Datapath(std::unique_ptr<State> state) : state_(std::move(state)) {}
Datapath::~Datapath() = default;

Result<std::unique_ptr<Datapath>> Datapath::open(const Options& options) {
  const std::string folder = version_folder(options.pin_root, LB_ABI_VERSION);
  if (auto made = make_pin_folder(options.pin_root); !made) return made.error();
  auto lock = lock_pin_folder(options.pin_root);
  if (!lock) return lock.error();
  if (auto ours = refuse_other_versions(options.pin_root); !ours) return ours.error();
  auto pinned = open_pins(folder);
  if (!pinned) return pinned.error();
  if (auto made = make_pin_folder(folder); !made) return made.error();

  auto about = pinned->empty() ? about_fresh(options) : about_pinned(*pinned, options);
  if (!about) return about.error();
  auto loaded = load_program({about->lines4, about->lines6}, about->info, *pinned);
  if (!loaded) return loaded.error();
  if (about->origin == Origin::created) {
    if (auto done = fill_and_pin(loaded->maps, about->info, folder); !done) return done.error();
  }
  if (auto done = pin_over(loaded->program.get(), folder + kProgramPin); !done) return done.error();

  auto state =
      std::make_unique<State>(folder, std::move(*lock), std::move(*about), std::move(*loaded));
  if (auto ready = state->start(); !ready) return ready.error();
  return std::unique_ptr<Datapath>(new Datapath(std::move(state)));
}

Status Datapath::teardown(const std::string& pin_root) {
  if (list_folder(pin_root).empty() && access(pin_root.c_str(), F_OK) != 0) return Unit{};
  auto lock = lock_pin_folder(pin_root);
  if (!lock) return lock.error();
  for (const std::string& version : version_folders(pin_root)) {
    Links links(version);
    for (const std::string& interface : links.interfaces()) {
      if (auto removed = links.remove(interface); !removed) return removed.error();
    }
    if (auto removed = remove_pins(version); !removed) return removed.error();
  }
  // What is not ours stays, and the folder with it.
  if (rmdir(pin_root.c_str()) != 0 && errno != ENOTEMPTY) return Error{errno, "remove " + pin_root};
  return Unit{};
}

Result<std::vector<Attachment>> Datapath::attach(
    const std::vector<std::pair<std::string, uint32_t>>& interfaces,
    const TakesFrames& takes_frames) {
  State& s = *state_;
  if (auto followed = s.links.follow_names(interfaces); !followed) return followed.error();
  std::string problems;
  const auto add_problem = [&problems](const Error& error) {
    problems += (problems.empty() ? "" : "; ") + error.message();
  };
  for (const std::string& pinned : s.links.interfaces()) {
    const bool wanted = std::any_of(interfaces.begin(), interfaces.end(),
                                    [&](const auto& i) { return i.first == pinned; });
    if (wanted) continue;
    if (auto removed = s.links.remove(pinned); !removed) add_problem(removed.error());
  }
  s.attachments.clear();
  for (const auto& [name, ifindex] : interfaces) {
    // Known before the first packet may be sent by it.
    const auto known = s.closed.contains(ifindex) ? Status(Unit{}) : s.open_device(ifindex);
    if (!known) {
      // The kernel looks the index up in this namespace: EINVAL is that there is none.
      add_problem(Error{known.error().code,
                        "attach XDP to interface " + name + " (" + known.error().what + ")"});
      continue;
    }
    auto attachment = s.links.attach(s.program.get(), name, ifindex, takes_frames);
    if (attachment)
      s.attachments.push_back(std::move(*attachment));
    else
      add_problem(attachment.error());
  }
  if (auto sorted = s.sort_devices(takes_frames); !sorted) add_problem(sorted.error());
  if (auto forgotten = s.forget_other_devices(); !forgotten) add_problem(forgotten.error());
  if (!problems.empty()) return Error{0, problems};
  return s.attachments;
}

Status Datapath::State::start() {
  // New maps are empty, and nothing has used their queue of free next hops.
  if (about.origin == Origin::adopted) {
    if (auto adopted = writer.adopt(); !adopted) return adopted.error();
    if (!about.kept.empty()) spdlog::warn("adopted maps: {}", about.kept);
  }
  auto memory = FlowMemory::map([this](const char* map) { return maps.fd(map); });
  if (!memory) return memory.error();
  flows.emplace(std::move(*memory));
  return Unit{};
}

// What came in by an interface in native mode is redirected as a frame, and not every driver takes
// these; in generic mode it is an skb, which all of them take.
Status Datapath::State::sort_devices(const TakesFrames& takes_frames) {
  const bool any_native = std::any_of(attachments.begin(), attachments.end(),
                                      [](const auto& a) { return a.mode == AttachMode::native; });
  std::set<uint32_t> open;
  closed.clear();
  for (const Attachment& one : attachments) {
    const bool takes = !any_native || !takes_frames || takes_frames(one.ifindex);
    (takes ? open : closed).insert(one.ifindex);
  }
  for (const uint32_t ifindex : open)
    if (auto opened = open_device(ifindex); !opened) return opened;
  return writer.set_redirectable(std::move(open));
}

Status Datapath::State::forget_other_devices() {
  auto known = maps.keys(kDevices);
  if (!known) return known.error();
  for (const uint32_t ifindex : *known) {
    const bool attached = std::any_of(attachments.begin(), attachments.end(),
                                      [&](const Attachment& a) { return a.ifindex == ifindex; });
    if (attached && !closed.contains(ifindex)) continue;
    if (auto erased = maps.erase(kDevices, ifindex); !erased) return erased.error();
    if (attached) continue;
    if (auto erased = maps.erase(kChecksums, ifindex); !erased) return erased.error();
  }
  return Unit{};
}

const Datapath::About& Datapath::about() const { return state_->about; }
const std::vector<Attachment>& Datapath::attachments() const { return state_->attachments; }
const Tables& Datapath::tables() const { return state_->writer.tables(); }
Status Datapath::apply(const Step& step) { return state_->writer.apply({&step, 1}); }
Status Datapath::apply(std::span<const Step> steps) { return state_->writer.apply(steps); }
Status Datapath::resolve(const Neighbours& neighbours) {
  return state_->writer.resolve(neighbours);
}
Status Datapath::ask_again() { return state_->writer.ask_again(); }
std::set<base::IpAddress> Datapath::resting_destinations() const {
  return state_->writer.resting_destinations();
}
std::set<uint32_t> Datapath::resting_services() const { return state_->writer.resting_services(); }
std::set<uint16_t> Datapath::resting_backends() const { return state_->writer.resting_backends(); }
Status Datapath::release_unused(const Census& census) {
  return state_->writer.release_unused(census);
}
Result<std::set<uint32_t>> Datapath::without_checksums() {
  auto all = state_->maps.entries(kChecksums);
  if (!all) return all.error();
  std::set<uint32_t> interfaces;
  for (const auto& [ifindex, seen] : *all)
    if (seen.partial * 2 > seen.asked) interfaces.insert(ifindex);
  return interfaces;
}
std::map<uint16_t, PortUse> Datapath::port_limits() const {
  return datapath::port_limits(tables(), about().info);
}
Result<Verdicts> Datapath::verdicts() { return read_verdicts(state_->maps); }
Result<ServiceStats> Datapath::service_stats(uint32_t service) {
  return read_service_stats(state_->maps, service);
}
FlowTable& Datapath::flows() { return *state_->flows; }
int Datapath::program_fd() const { return state_->program.get(); }
int Datapath::map_fd(std::string_view name) const { return state_->maps.fd(name); }

}  // namespace datapath
