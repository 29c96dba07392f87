#include "agent/datapath/old_maps.h"

#include <bpf/libbpf.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "agent/datapath/lb_maps.h"
#include "bpf/flow_layout.h"

namespace datapath {
namespace {

using base::Error;
using base::Result;
using base::Status;
using base::Unit;

// Of version 2: lb_persist_key (client, service) leads to lb_persist (backend, seen).
constexpr char kClientsWithAddresses[] = "lb_persist";

uint32_t number_at(const std::vector<uint8_t>& value, const Layout::Field& field) {
  uint32_t number = 0;
  std::memcpy(&number, value.data() + field.offset, std::min<size_t>(sizeof(number), field.size));
  return number;
}

// A set that no CIDR is in, so that every source is denied.
Result<uint32_t> empty_set(Maps& maps) {
  auto cidrs = maps.entries(kCidrs);
  if (!cidrs) return cidrs.error();
  std::set<uint32_t> used;
  for (const auto& [key, cidr] : *cidrs) used.insert(cidr.set);
  uint32_t set = 0xffffffff;
  while (used.contains(set)) set--;
  return set;
}

}  // namespace

Result<OldMaps> OldMaps::open(KernelMaps pinned, const KernelMaps& ours) {
  OldMaps old(std::move(pinned));
  for (const std::string& map : old.names())
    if (auto learned = old.learn(map, ours); !learned) return learned.error();
  for (const char* map : {kFlows.name, kFlows6.name, kServices.name, kServiceCounters.name,
                          kVerdicts.name, kNexthops.name, kNexthopIds.name, kBackends.name})
    if (!old.values_.contains(map))
      return Error{0, std::string("map ") + map + " of the older version cannot be read"};
  old.learn_numbers(ours);
  return old;
}

Result<lb_info> OldMaps::info_there(const KernelMaps& pinned) {
  if (!pinned.has(kInfo.name) || !pinned.has(kFlows.name) || !pinned.has(kFlows6.name))
    return Error{0, "maps of the older version are missing (--teardown removes the others)"};
  auto types = MapTypes::of(pinned.info(kInfo.name));
  if (!types) return types.error();
  if (!types->has_value()) return Error{0, "map lb_info does not say what is in it"};
  auto bytes = pinned.element(kInfo.name, 0);
  if (!bytes) return bytes.error();
  lb_info info{};
  const auto take = [&](const char* name, auto& into) {
    if (const Layout::Field* field = (*types)->value().find(name))
      std::memcpy(&into, bytes->data() + field->offset,
                  std::min<size_t>(sizeof(into), field->size));
  };
  take("abi", info.abi);
  take("seed", info.seed);
  take("snat_port_min", info.snat_port_min);
  take("snat_port_max", info.snat_port_max);
  return info;
}

Status OldMaps::learn(const std::string& map, const KernelMaps& ours) {
  if (!ours.has(map)) return Unit{};
  auto there = MapTypes::of(info(map));
  if (!there) return there.error();
  auto here = MapTypes::of(ours.info(map));
  if (!here) return here.error();
  if (!there->has_value() || !here->has_value()) return Unit{};
  keys_[map] = Translation((*there)->key(), (*here)->key());
  values_[map] = Translation((*there)->value(), (*here)->value());
  types_.insert_or_assign(map, std::move(**there));
  return Unit{};
}

// By their names; maps that do not say them are numbered as these.
void OldMaps::learn_numbers(const KernelMaps& ours) {
  const auto here = *MapTypes::of(ours.info(kFlows.name));
  const auto& there = types_.at(kFlows.name);
  const auto each = [&](const char* enumeration, const auto& pair) {
    MapTypes::Names old = there.names(enumeration);
    const MapTypes::Names own = here->names(enumeration);
    if (old.empty()) old = own;
    for (const auto& [name, number] : own)
      if (const auto it = old.find(name); it != old.end()) pair(number, it->second);
  };
  each("lb_flow_state", [this](uint32_t own, uint32_t old) {
    if (own >= LB_FLOW_STATES) return;
    states_there_[own] = old;
    states_.resize(std::max<size_t>(states_.size(), old + 1));
    states_[old] = own;
  });
  each("lb_verdict", [this](uint32_t own, uint32_t old) {
    if (own < LB_VERDICT_COUNT) verdicts_there_[own] = old;
  });
}

Result<std::optional<std::vector<uint8_t>>> OldMaps::get_bytes(std::string_view map, Bytes key) {
  auto bytes = KernelMaps::get_bytes(map, key);
  const auto value = values_.find(map);
  if (!bytes || !*bytes || value == values_.end()) return bytes;
  return std::optional(value->second(**bytes));
}

Result<std::vector<Maps::Entry>> OldMaps::entries_bytes(std::string_view map) {
  auto entries = KernelMaps::entries_bytes(map);
  const auto value = values_.find(map);
  if (!entries || value == values_.end()) return entries;
  for (Entry& entry : *entries)
    entry = {keys_.find(map)->second(entry.key), value->second(entry.value)};
  return entries;
}

void OldMaps::add_verdicts(const Layout::Field& field, Bytes all_cpus, size_t stride,
                           lb_service_counters& sum) const {
  for (size_t cpu = 0; cpu * stride < all_cpus.size(); cpu++) {
    for (uint32_t own = 1; own < LB_VERDICT_COUNT; own++) {
      const size_t at = verdicts_there_[own] * sizeof(uint64_t);
      if (at == 0 || at >= field.size) continue;
      uint64_t packets = 0;
      std::memcpy(&packets, all_cpus.data() + cpu * stride + field.offset + at, sizeof(packets));
      sum.verdicts[own] += packets;
    }
  }
}

Result<lb_service_counters> OldMaps::counters(uint32_t service) {
  const auto& map = service == 0 ? kVerdicts.name : kServiceCounters.name;
  auto bytes = element(map, service);
  if (!bytes) return bytes.error();
  const size_t stride = (info(map).value_size + 7) / 8 * 8;
  lb_service_counters sum{};
  if (const auto* field = layout(map).find(service == 0 ? "packets" : "verdicts"))
    add_verdicts(*field, *bytes, stride, sum);
  if (service == 0) return sum;
  for (size_t cpu = 0; cpu * stride < bytes->size(); cpu++) {
    const auto one = from_bytes<lb_service_counters>(
        translation(map)(Bytes(*bytes).subspan(cpu * stride, stride)));
    sum.flows += one.flows;
    sum.persisted += one.persisted;
    sum.bytes_in += one.bytes_in;
    sum.bytes_out += one.bytes_out;
  }
  return sum;
}

Status OldMaps::clear_counters(uint32_t service) {
  return clear_bytes(service == 0 ? kVerdicts.name : kServiceCounters.name, service);
}

Result<std::vector<lb_client>> OldMaps::clients(uint64_t seed) {
  if (!has(kClients.name)) return clients_with_addresses(seed);
  auto buckets = entries(kClients);
  if (!buckets) return buckets.error();
  std::vector<lb_client> clients;
  for (const auto& [index, bucket] : *buckets)
    std::copy_if(std::begin(bucket.clients), std::end(bucket.clients), std::back_inserter(clients),
                 [](const lb_client& client) { return lb_client_service(client.who) != 0; });
  return clients;
}

Result<std::vector<lb_client>> OldMaps::clients_with_addresses(uint64_t seed) {
  std::vector<lb_client> clients;
  if (!has(kClientsWithAddresses)) return clients;
  auto types = MapTypes::of(info(kClientsWithAddresses));
  if (!types) return types.error();
  if (!types->has_value()) return clients;
  const Layout &key = (*types)->key(), &value = (*types)->value();
  const Layout::Field *client = key.find("client.ip"), *service = key.find("service");
  const Layout::Field *backend = value.find("backend"), *seen = value.find("seen");
  if (client == nullptr || service == nullptr || backend == nullptr || seen == nullptr ||
      client->size != sizeof(lb_addr))
    return clients;
  auto entries = KernelMaps::entries_bytes(kClientsWithAddresses);
  if (!entries) return entries.error();
  for (const Entry& entry : *entries) {
    lb_addr address{};
    std::memcpy(&address, entry.key.data() + client->offset, sizeof(address));
    clients.push_back(
        {lb_client_who(&address, number_at(entry.key, *service), seed),
         lb_client_has(number_at(entry.value, *backend), number_at(entry.value, *seen))});
  }
  return clients;
}

Status OldMaps::deny_new_flows() {
  const Layout::Field* flags = layout(kServices.name).find("flags");
  if (flags == nullptr) return Error{0, "services of the older version cannot be read"};
  auto nobody = empty_set(*this);
  if (!nobody) return nobody.error();
  auto services = KernelMaps::entries_bytes(kServices.name);
  if (!services) return services.error();
  for (Entry& service : *services) {
    if ((number_at(service.value, *flags) & (LB_SERVICE_DISABLED | LB_SERVICE_TO_KERNEL)) != 0)
      continue;
    if (auto put = put_cidr_set(std::move(service), *nobody); !put) return put.error();
  }
  return Unit{};
}

Status OldMaps::allow_new_flows(Maps& ours) {
  auto services = KernelMaps::entries_bytes(kServices.name);
  if (!services) return services.error();
  for (Entry& service : *services) {
    const auto key = from_bytes<lb_service_key>(keys_.find(kServices.name)->second(service.key));
    auto wanted = ours.get(kServices, key);
    if (!wanted) return wanted.error();
    if (!*wanted) continue;
    if (auto put = put_cidr_set(std::move(service), (*wanted)->cidr_set); !put) return put.error();
  }
  return Unit{};
}

Status OldMaps::put_cidr_set(Entry service, uint32_t set) {
  const Layout::Field* field = layout(kServices.name).find("cidr_set");
  if (field == nullptr) return Error{0, "services of the older version cannot be read"};
  std::memcpy(service.value.data() + field->offset, &set, std::min<size_t>(4, field->size));
  return put_bytes(kServices.name, service.key, service.value);
}

}  // namespace datapath
