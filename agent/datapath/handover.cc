#include "agent/datapath/handover.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "agent/datapath/clients.h"
#include "agent/datapath/grace.h"
#include "agent/datapath/pins.h"
#include "base/log.h"

namespace datapath {
namespace {

using base::Error;
using base::Fd;
using base::Result;
using base::Status;
using base::Unit;

// So many rings go in one call.
constexpr size_t kRingsAtOnce = 64;

template <class K, class V>
Status copy_entries(Maps& from, Maps& to, const MapOf<K, V>& map) {
  auto entries = from.entries(map);
  if (!entries) return entries.error();
  for (const auto& [key, value] : *entries)
    if (auto put = to.put(map, key, value); !put) return put.error();
  return Unit{};
}

Status copy_rings(OldMaps& from, KernelMaps& to) {
  auto rings = from.rings();
  if (!rings) return rings.error();
  std::vector<Maps::RingCells> cells;
  cells.reserve(rings->size());
  for (auto& [id, ring] : *rings) cells.push_back({id, std::move(ring)});
  const std::span<const Maps::RingCells> all(cells);
  for (size_t at = 0; at < all.size(); at += kRingsAtOnce) {
    std::set<uint32_t> done;
    const auto some = all.subspan(at, std::min(kRingsAtOnce, all.size() - at));
    if (auto put = to.put_rings(some, done); !put) return put.error();
  }
  return Unit{};
}

}  // namespace

Result<std::optional<int>> version_to_take_over(const std::string& root) {
  std::optional<int> older;
  for (const int version : pinned_versions(root)) {
    if (version == LB_ABI_VERSION) continue;
    const std::string name = root + " has maps of ABI version " + std::to_string(version);
    if (version > LB_ABI_VERSION)
      return Error{0, name + ", and this agent is of version " + std::to_string(LB_ABI_VERSION) +
                          ". Run an agent of version " + std::to_string(version) +
                          " or newer, or remove them with amphora-xdp-agent --teardown: their "
                          "connections end"};
    if (version < LB_ABI_OLDEST)
      return Error{0, name + ", of which this agent, of version " + std::to_string(LB_ABI_VERSION) +
                          ", cannot take over flows (from " + std::to_string(LB_ABI_OLDEST) +
                          " on it can). Run an agent that can first, or remove them with "
                          "amphora-xdp-agent --teardown: their connections end"};
    const std::string folder = version_folder(root, version);
    const std::vector<std::string> pins = list_folder(folder);
    if (std::binary_search(pins.begin(), pins.end(), kInfo.name)) {
      if (older) return Error{0, name + " and of others: only those of one can be taken over"};
      older = version;
    } else if (auto removed = remove_pins(folder); !removed) {
      return removed.error();
    }
  }
  return older;
}

Status Handover::copy(const lb_info& info) {
  if (auto done = hops_.learn(); !done) return done.error();
  if (auto done = copy_policy(); !done) return done.error();
  if (auto done = copy_rings(old_, ours_); !done) return done.error();
  if (auto done = copy_backends(); !done) return done.error();
  if (auto done = copy_clients(info); !done) return done.error();
  return copy_turns();
}

Status Handover::copy_policy() {
  if (auto done = copy_entries(old_, ours_, kServices); !done) return done.error();
  if (auto done = copy_entries(old_, ours_, kCidrs); !done) return done.error();
  if (auto done = copy_entries(old_, ours_, kLimits); !done) return done.error();
  if (auto done = copy_entries(old_, ours_, kKernelPorts); !done) return done.error();
  if (auto done = copy_entries(old_, ours_, kChecksums); !done) return done.error();
  if (auto done = copy_entries(old_, ours_, kClock); !done) return done.error();
  auto devices = old_.keys(kDevices);
  if (!devices) return devices.error();
  for (const uint32_t ifindex : *devices)  // one that has gone is not taken
    if (auto put = ours_.put(kDevices, ifindex, ifindex); !put)
      spdlog::info("{}", put.error().message());
  return Unit{};
}

Status Handover::copy_backends() {
  // Those of destinations, too, that no backend leads to.
  auto destinations = old_.entries(kNexthopIds);
  if (!destinations) return destinations.error();
  for (const auto& [key, id] : *destinations)
    if (auto hop = hops_.ours(static_cast<uint16_t>(id)); !hop) return hop.error();
  auto backends = old_.entries(kBackends);
  if (!backends) return backends.error();
  for (auto& [id, backend] : *backends) {
    auto hop = hops_.ours(backend.nexthop);
    if (!hop) return hop.error();
    backend.nexthop = *hop;
    if (auto put = ours_.put(kBackends, id, backend); !put) return put.error();
  }
  return Unit{};
}

// Again when no flow begins any more: those of flows that began meanwhile are newer.
Status Handover::copy_clients(const lb_info& info) {
  auto clients = Clients::map(ours_.fd(kClients.name));
  if (!clients) return clients.error();
  auto there = old_.clients(info.seed);
  if (!there) return there.error();
  const auto forgotten = std::count_if(there->begin(), there->end(), [&](const lb_client& client) {
    return !clients->remember(client);
  });
  if (forgotten > 0) spdlog::info("{} clients are forgotten: there is no room", forgotten);
  return Unit{};
}

Status Handover::copy_turns() {
  for (const auto& map : {kServiceUse, kBackendUse}) {
    auto uses = old_.entries(map);
    if (!uses) return uses.error();
    for (const auto& [id, use] : *uses) {
      lb_use turn{};
      turn.turn = use.turn;
      if (auto put = ours_.put(map, id, turn); !put) return put.error();
    }
  }
  auto cpus = old_.entries(kFlowCpus);
  if (!cpus) return cpus.error();
  lb_flow_cpu sum{};
  for (const auto& [cpu, one] : *cpus) sum.overwritten += one.overwritten;
  return ours_.put(kFlowCpus, 0, sum);
}

Status Handover::run(const Sizes& sizes, const lb_info& info, const Programs& alone) {
  reached(HandoverStep::copied);
  // An agent that was killed may have denied them; it takes its time until they are denied again.
  if (auto allowed = old_.allow_new_flows(ours_); !allowed) return allowed.error();
  auto done = take_all(sizes, info, alone);
  if (done) return forget();
  if (auto allowed = old_.allow_new_flows(ours_); !allowed)
    spdlog::error("{}", allowed.error().message());
  return done;
}

Status Handover::take_all(const Sizes& sizes, const lb_info& info, const Programs& alone) {
  auto grace = Grace::open();
  if (!grace) return grace.error();
  auto programs = load_handover(sizes, info, ours_);
  if (!programs) return programs.error();
  auto memory = FlowMemory::map([this](const char* map) { return ours_.fd(map); });
  if (!memory) return memory.error();
  auto there = OldFlows::map(old_);
  if (!there) return there.error();
  if (auto done = hops_.learn(); !done) return done.error();
  auto info_there = OldMaps::info_there(old_);
  if (!info_there) return info_there.error();
  // Until version 3 a line did not say which side it was for: those are not judged by it.
  const uint32_t more = info_there->abi < 3 ? LB_LINE_TURNS : 0;
  FlowImport flows(programs->take_flow.get(), *there, *memory,
                   [this, more](uint16_t way) -> Result<uint16_t> {
                     auto hop = hops_.ours(way & LB_NEXTHOP_ID);
                     if (!hop) return hop.error();
                     return static_cast<uint16_t>((way & ~LB_NEXTHOP_ID) | more | *hop);
                   });
  if (auto done = stand_beside(sizes, info); !done) return done.error();
  if (auto done = take_flows(flows, *grace); !done) return done.error();
  if (auto done = take_rest(flows, *grace, info, alone); !done) return done.error();
  if (auto done = add_counts(programs->add_counts.get()); !done) return done.error();
  const FlowImport::Counts& counts = flows.counts();
  spdlog::info("took {} flows over from {}", counts.taken, folder_);
  if (counts.without_room + counts.without_port > 0)
    spdlog::error("{} flows found no place in the flow table and {} no port: they end",
                  counts.without_room, counts.without_port);
  return Unit{};
}

// From here on packets of flows that are in these maps are this version's, and all others the
// older one's.
Status Handover::stand_beside(const Sizes& sizes, const lb_info& info) {
  auto before = open_pin(folder_ + kProgramPin);
  if (!before) return before.error();
  auto program = static_cast<uint32_t>(before->get());
  if (auto put = ours_.put(kBefore, 0, program); !put) return put.error();
  auto beside = load_program(sizes, info, ours_, Role::beside);
  if (!beside) return beside.error();
  if (auto done = links_.take_over(folder_); !done) return done.error();
  Fd tc;
  const auto load_tc = [&]() -> Result<int> {
    auto loaded = load_tc_beside(sizes, info);
    if (!loaded) return loaded.error();
    tc = std::move(*loaded);
    return tc.get();
  };
  if (auto done = links_.replace({beside->program.get(), load_tc}); !done) return done.error();
  reached(HandoverStep::linked);
  return Unit{};
}

// Pinned, or the map would forget the program when the agent is killed; and kept, because programs
// of an earlier start may run by it.
Result<Fd> Handover::load_tc_beside(const Sizes& sizes, const lb_info& info) {
  auto before = tc_before();
  if (!before) return before.error();
  const std::string path = links_.folder() + "/" + kBeforeTc.name;
  auto map = open_pin(path);
  if (!map) {
    map = Fd(bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, kBeforeTc.name, sizeof(uint32_t),
                            sizeof(uint32_t), 1, nullptr));
    if (!map->valid()) return Error{errno, std::string("make the map ") + kBeforeTc.name};
    if (auto pinned = pin(map->get(), path); !pinned) return pinned.error();
  }
  if (auto added = ours_.add(kBeforeTc.name, std::move(*map)); !added) return added.error();
  auto program = static_cast<uint32_t>(before->get());
  if (auto put = ours_.put(kBeforeTc, 0, program); !put) return put.error();
  return load_tc_program(sizes, info, ours_, Role::beside);
}

// The older version's. Before the first of its interfaces has another, it gets a pin.
Result<Fd> Handover::tc_before() {
  const std::string path = folder_ + kTcProgramPin;
  if (auto pinned = open_pin(path); pinned || pinned.error().code != ENOENT) return pinned;
  auto program = links_.ingress().program();
  if (!program) return program;
  if (auto pinned = pin(program->get(), path); !pinned) return pinned.error();
  return program;
}

Status Handover::take_flows(FlowImport& flows, const Grace& grace) {
  if (auto done = flows.take_all(); !done) return done.error();
  reached(HandoverStep::taken);
  if (auto done = grace.wait(); !done) return done.error();
  flows.settle();
  reached(HandoverStep::settled);
  return Unit{};
}

// What began while the others were taken. For as long as this lasts no flow can begin.
Status Handover::take_rest(FlowImport& flows, const Grace& grace, const lb_info& info,
                           const Programs& alone) {
  if (auto done = old_.deny_new_flows(); !done) return done.error();
  if (auto done = grace.wait(); !done) return done.error();
  reached(HandoverStep::denied);
  if (auto done = hops_.learn(); !done) return done.error();
  if (auto done = flows.take_all(); !done) return done.error();
  reached(HandoverStep::all_taken);
  if (auto done = grace.wait(); !done) return done.error();
  flows.settle();
  if (auto done = copy_clients(info); !done) return done.error();
  if (auto done = links_.replace(alone); !done) return done.error();
  if (auto done = grace.wait(); !done) return done.error();
  flows.count_rest();
  reached(HandoverStep::alone);
  return Unit{};
}

// Each is added before it is cleared there: who is killed in between counts it twice, never not
// at all.
Status Handover::add_counts(int program) {
  auto services = old_.keys(kServiceCounters);
  if (!services) return services.error();
  services->push_back(0);
  for (const uint32_t service : *services) {
    auto counts = old_.counters(service);
    if (!counts) return counts.error();
    lb_add what{.service = service, .zero = 0, .counts = *counts};
    LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = &what, .data_size_in = sizeof(what));
    if (bpf_prog_test_run_opts(program, &run) != 0) return Error{errno, "add counts"};
    if (run.retval != XDP_PASS) return Error{0, "add counts: the program refused"};
    if (auto cleared = old_.clear_counters(service); !cleared) return cleared.error();
  }
  auto sums = old_.entries(kServiceSums);
  if (!sums) return sums.error();
  for (const auto& [service, old] : *sums) {
    auto sum = ours_.get(kServiceSums, service);
    if (!sum) return sum.error();
    lb_service_sum now = sum->value_or(lb_service_sum{});
    now.bytes_in += old.bytes_in;
    now.bytes_out += old.bytes_out;
    if (auto put = ours_.put(kServiceSums, service, now); !put) return put.error();
    if (auto cleared = old_.clear(kServiceSums, service); !cleared) return cleared.error();
  }
  reached(HandoverStep::counted);
  return Unit{};
}

// Without lb_info the older maps are no set any more: from here on they are only removed. Nobody
// calls the older programs any more, and what would keep them goes first.
Status Handover::forget() {
  if (auto erased = ours_.erase(kBefore, 0); !erased) return erased.error();
  if (auto gone = unpin(links_.folder() + "/" + kBeforeTc.name); !gone) return gone.error();
  if (auto gone = unpin(folder_ + "/" + kInfo.name); !gone) return gone.error();
  reached(HandoverStep::forgotten);
  return remove_pins(folder_);
}

}  // namespace datapath
