#include "agent/datapath/datapath.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <set>

#include "agent/datapath/about.h"
#include "agent/datapath/clients.h"
#include "agent/datapath/flow_replica.h"
#include "agent/datapath/flow_table.h"
#include "agent/datapath/handover.h"
#include "agent/datapath/kernel_maps.h"
#include "agent/datapath/losses.h"
#include "agent/datapath/pins.h"
#include "agent/datapath/program.h"
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
  State(const std::string& folder, Fd lock_of_folder, About about_maps, Loaded loaded,
        Hooks wanted_hooks)
      : hooks(std::move(wanted_hooks)),
        lock(std::move(lock_of_folder)),
        about(std::move(about_maps)),
        added_features(loaded.features),
        program(std::move(loaded.program)),
        maps(std::move(loaded.maps)),
        links(folder),
        writer(maps) {}
  Status settle_in(const KernelMaps& pinned, std::optional<OlderSet>& older,
                   const HandoverHook& hook);
  Status start();
  Result<int> tc_program();
  Programs programs() {
    return {program.get(), [this] { return tc_program(); }};
  }
  Result<Checksums> judge_checksums(uint32_t ifindex);
  Status open_device(uint32_t ifindex) { return maps.put(kDevices, ifindex, ifindex); }
  Status sort_devices(const TakesFrames& takes_frames);
  Status forget_other_devices();
  void watch_lost_packets();
  void look_at_lost_packets();

  Hooks hooks;
  Fd lock;
  About about;
  uint32_t added_features;  // LB_FEATURE_*: their maps are not pinned yet
  Fd program;
  std::optional<Result<Fd>> tc;  // the program of tc ingress, once it was needed
  KernelMaps maps;
  Links links;
  std::vector<Attachment> attachments;
  std::set<uint32_t> closed;  // interfaces that take nothing from others
  Losses losses;
  Flows live = Flows::live;  // as the last census says
  TableWriter writer;
  std::optional<FlowTable> flows;
  std::optional<Clients> clients;
  std::optional<Result<LostPackets>> lost;  // an error: they cannot be watched
};

namespace {

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

// What new maps hold before anybody sees them.
Status fill(KernelMaps& maps) {
  lb_clock clock{};
  clock.tick = 1;
  if (auto put = maps.put(kClock, 0, clock); !put) return put.error();
  for (uint32_t id = 1; id < LB_MAX_NEXTHOPS; ++id) {
    if (auto pushed = maps.push(kFreeNexthops, id); !pushed) return pushed.error();
  }
  return Unit{};
}

// The pin of lb_info is what makes them valid.
Status pin_new(KernelMaps& maps, const lb_info& info, const std::string& folder) {
  if (auto put = maps.put(kInfo, 0, info); !put) return put.error();
  for (const std::string& name : maps.names()) {
    if (name == kInfo.name) continue;
    if (auto pinned = pin(maps.fd(name), folder + "/" + name); !pinned) return pinned.error();
  }
  return pin(maps.fd(kInfo.name), folder + "/" + kInfo.name);
}

// Maps that were made because the set did not have them. Features that this agent does not know
// go: nobody keeps their maps true now.
Status pin_added(KernelMaps& maps, lb_info& info, const KernelMaps& pinned, uint32_t added,
                 const std::string& folder) {
  for (const std::string& name : maps.names()) {
    if (pinned.has(name) && pinned.info(name).id == maps.info(name).id) continue;
    if (auto done = pin_over(maps.fd(name), folder + "/" + name); !done) return done.error();
    spdlog::info("the maps of an older agent have got {}", name);
  }
  const uint32_t features = (info.features & LB_FEATURES) | added;
  if (features == info.features) return Unit{};
  info.features = features;
  return maps.put(kInfo, 0, info);
}

Result<std::optional<OlderSet>> open_older(const std::string& root) {
  auto version = version_to_take_over(root);
  if (!version) return version.error();
  if (!*version) return std::optional<OlderSet>{};
  OlderSet older{version_folder(root, **version), {}};
  auto maps = open_pins(older.folder);
  if (!maps) return maps.error();
  older.maps = std::move(*maps);
  spdlog::info("taking over the flows of {}", older.folder);
  return std::optional(std::move(older));
}

}  // namespace

Datapath::Datapath(std::unique_ptr<State> state) : state_(std::move(state)) {}
Datapath::~Datapath() = default;

Result<std::unique_ptr<Datapath>> Datapath::open(const Options& options) {
  const std::string folder = version_folder(options.pin_root, LB_ABI_VERSION);
  if (auto made = make_pin_folder(options.pin_root); !made) return made.error();
  auto lock = lock_pin_folder(options.pin_root);
  if (!lock) return lock.error();
  auto older = open_older(options.pin_root);
  if (!older) return older.error();
  auto pinned = open_pins(folder);
  if (!pinned) return pinned.error();
  if (auto made = make_pin_folder(folder); !made) return made.error();

  auto about = !pinned->empty()     ? about_pinned(*pinned, options)
               : older->has_value() ? about_successor((*older)->maps, options)
                                    : about_fresh(options);
  if (!about) return about.error();
  auto loaded = load_program({about->lines4, about->lines6}, about->info, *pinned, Role::alone);
  if (!loaded) return loaded.error();
  auto state = std::make_unique<State>(folder, std::move(*lock), std::move(*about),
                                       std::move(*loaded), options.hooks);
  if (auto done = state->writer.expect(options.foreign_flows); !done) return done.error();
  if (auto done = state->settle_in(*pinned, *older, options.handover_hook); !done)
    return done.error();
  if (auto ready = state->start(); !ready) return ready.error();
  return std::unique_ptr<Datapath>(new Datapath(std::move(state)));
}

Result<std::vector<Attachment>> Datapath::attach(
    const std::vector<std::pair<std::string, uint32_t>>& interfaces,
    const TakesFrames& takes_frames, const std::map<uint32_t, Vlan>& vlans) {
  State& s = *state_;
  s.watch_lost_packets();
  if (auto followed = s.links.follow_names(interfaces); !followed) return followed.error();
  std::string problems;
  const auto add_problem = [&problems](const Error& error) {
    problems += (problems.empty() ? "" : "; ") + error.message();
  };
  for (const Error& error : s.links.remove_others(interfaces)) add_problem(error);
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
    const auto checksums = s.judge_checksums(ifindex);
    const auto vlan = vlans.find(ifindex);
    auto attachment = checksums
                          ? s.links.attach(s.programs(), name, ifindex,
                                           {s.hooks.of(name), takes_frames, s.live, *checksums,
                                            vlan == vlans.end() ? Vlan::none : vlan->second})
                          : Result<Attachment>(checksums.error());
    if (attachment)
      s.attachments.push_back(std::move(*attachment));
    else
      add_problem(attachment.error());
  }
  s.look_at_lost_packets();
  if (auto sorted = s.sort_devices(takes_frames); !sorted) add_problem(sorted.error());
  if (auto forgotten = s.forget_other_devices(); !forgotten) add_problem(forgotten.error());
  if (!problems.empty()) return Error{0, problems};
  return s.attachments;
}

// The maps are made and pinned, or pinned already; an older version's flows come into them.
Status Datapath::State::settle_in(const KernelMaps& pinned, std::optional<OlderSet>& older,
                                  const HandoverHook& hook) {
  std::optional<OldMaps> old;
  std::optional<Handover> handover;
  if (older) {
    auto opened = OldMaps::open(std::move(older->maps), maps);
    if (!opened) return opened.error();
    old.emplace(std::move(*opened));
    handover.emplace(*old, maps, links, older->folder, hook);
  }
  if (pinned.empty()) {
    about.info.features = added_features;
    if (auto filled = fill(maps); !filled) return filled.error();
    if (handover)
      if (auto copied = handover->copy(about.info); !copied) return copied.error();
    if (auto done = pin_new(maps, about.info, links.folder()); !done) return done.error();
  } else if (auto done = pin_added(maps, about.info, pinned, added_features, links.folder());
             !done) {
    return done.error();
  }
  auto done = pin_over(program.get(), links.folder() + kProgramPin);
  if (!done || !handover) return done;
  return handover->run({about.lines4, about.lines6}, about.info, programs());
}

Status Datapath::State::start() {
  // New maps are empty, and nothing has used their queue of free next hops.
  if (about.origin == Origin::adopted) {
    if (auto adopted = writer.adopt(); !adopted) return adopted.error();
    if (!about.kept.empty()) spdlog::warn("adopted maps: {}", about.kept);
  }
  auto memory = FlowMemory::map([this](const char* map) { return maps.fd(map); });
  if (!memory) return memory.error();
  auto ended = EndedRing::map(maps.fd(kEnded.name), kEnded.name);
  if (!ended) return ended.error();
  flows.emplace(std::move(*memory), std::move(*ended));
  auto remembered = Clients::map(maps.fd(kClients.name));
  if (!remembered) return remembered.error();
  clients.emplace(std::move(*remembered));
  return Unit{};
}

Result<int> Datapath::State::tc_program() {
  if (!tc) tc.emplace(load_tc_program({about.lines4, about.lines6}, about.info, maps, Role::alone));
  if (!*tc) return tc->error();
  return (*tc)->get();
}

Result<Checksums> Datapath::State::judge_checksums(uint32_t ifindex) {
  const auto counted = maps.get(kChecksums, ifindex);
  if (!counted) return counted.error();
  if (!*counted) return Checksums::there;
  // What the program counts at this moment may be lost: it is no more than a few packets.
  const lb_checksums fewer = faded(**counted);
  if (fewer.asked != (*counted)->asked)
    if (auto put = maps.put(kChecksums, ifindex, fewer); !put) return put.error();
  return judge(fewer);
}

// What came in by an interface in native mode is redirected as a frame, and not every driver takes
// these; in generic mode it is an skb, which all of them take. Where the kernel does not say,
// drivers that run a program themselves take frames, and others do not: several need its queues.
Status Datapath::State::sort_devices(const TakesFrames& takes_frames) {
  const bool any_native = std::any_of(attachments.begin(), attachments.end(),
                                      [](const auto& a) { return a.mode == AttachMode::native; });
  std::set<uint32_t> open;
  closed.clear();
  for (const Attachment& one : attachments) {
    const auto said = takes_frames ? takes_frames(one.ifindex) : std::nullopt;
    const bool takes = said.value_or(one.mode == AttachMode::native);
    const bool is_open = !any_native || (takes && !losses.refuses(one.ifindex));
    (is_open ? open : closed).insert(one.ifindex);
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

// In the network namespace of the interfaces, where attach() is called.
void Datapath::State::watch_lost_packets() {
  if (lost) return;
  lost.emplace(LostPackets::watch());
  if (!*lost)
    spdlog::warn("packets that are lost after XDP has sent them are not counted: {}",
                 lost->error().message());
}

void Datapath::State::look_at_lost_packets() {
  auto read = *lost ? (*lost)->read() : Result<std::map<uint32_t, Lost>>(lost->error());
  if (!read) return;
  const std::set<uint32_t> refuse_now = losses.look(*read);
  std::set<uint32_t> attached;
  for (Attachment& one : attachments) {
    attached.insert(one.ifindex);
    if (const auto found = losses.losing().find(one.ifindex); found != losses.losing().end())
      one.losing = why_losing(found->second, one.interface);
    if (refuse_now.contains(one.ifindex))
      spdlog::error("{}: from now on the kernel forwards there", one.losing);
  }
  losses.forget_others(attached);
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
// Clients go before the ids do, so that nobody who had one before is found under it.
Status Datapath::release_unused(const Census& census) {
  const bool any =
      std::find(census.services.begin(), census.services.end(), true) != census.services.end();
  state_->live = any ? Flows::live : Flows::none;
  const ClientPolicy policy = ClientPolicy::of(tables());
  const uint32_t now = shared(flows().memory().clock().tick).load();
  state_->clients->forget([&](const lb_client& client) { return policy.keeps(client, now); });
  return state_->writer.release_unused(census);
}
Result<std::set<uint32_t>> Datapath::without_checksums() {
  auto all = state_->maps.entries(kChecksums);
  if (!all) return all.error();
  std::set<uint32_t> interfaces;
  for (const auto& [ifindex, seen] : *all)
    if (judge(seen) == Checksums::left_out) interfaces.insert(ifindex);
  return interfaces;
}
Result<std::map<uint32_t, Lost>> Datapath::lost_packets() const {
  if (!state_->lost || !*state_->lost) return std::map<uint32_t, Lost>{};
  return (*state_->lost)->read();
}
std::map<uint16_t, PortUse> Datapath::port_limits() const {
  return datapath::port_limits(tables(), about().info);
}
Result<Verdicts> Datapath::verdicts() { return read_verdicts(state_->maps); }
Result<ServiceStats> Datapath::service_stats(uint32_t service) {
  return read_service_stats(state_->maps, service);
}
FlowTable& Datapath::flows() { return *state_->flows; }
Result<FlowReplica> Datapath::replica() {
  State& s = *state_;
  auto programs = load_replica({s.about.lines4, s.about.lines6}, s.about.info, s.maps);
  if (!programs) return programs.error();
  return FlowReplica::map(std::move(*programs), s.flows->memory());
}

Result<ChangeRing> Datapath::changes() {
  return ChangeRing::map(state_->maps.fd(kChanges.name), kChanges.name);
}

FlowNames Datapath::flow_names() const {
  return FlowNames::of(tables(), [this](const base::IpAddress& member) {
    return state_->writer.nexthop_to(member);
  });
}

int Datapath::program_fd() const { return state_->program.get(); }
int Datapath::map_fd(std::string_view name) const { return state_->maps.fd(name); }

}  // namespace datapath
