#include "agent/reconcile/real_machine.h"

#include <algorithm>
#include <set>

#include "agent/model/edit/certificate_references.h"
#include "agent/plan/neighbours.h"
#include "base/log.h"
#include "netns/xdp_features.h"

namespace reconcile {

namespace {

// A first start with thousands of members makes as many steps; nobody reads them.
constexpr size_t kLoggedSteps = 50;

// Files below /proc/sys/net are another's in another namespace.
std::string where_is(const netns::Namespace& space) {
  return space.is_original() ? "" : "in namespace " + space.name() + ": ";
}

// A VLAN of another one's tagged frames is a VLAN.
std::map<uint32_t, datapath::Vlan> vlans_of(const netns::Observed& observed) {
  std::map<uint32_t, datapath::Vlan> out;
  for (const auto& [index, link] : observed.links) {
    if (!link.trunk) continue;
    out[index] = datapath::Vlan::device;
    if (*link.trunk != 0) out.try_emplace(*link.trunk, datapath::Vlan::trunk);
  }
  return out;
}

}  // namespace

base::Result<netns::Observed> RealMachine::observe(const netns::LayoutSpec& layout) {
  auto state = network_.observe(layout);
  if (!state) return state.error();
  return std::move(state->seen);
}

base::Result<Machine::Arranged> RealMachine::arrange(const netns::LayoutSpec& layout) {
  auto arranged = network_.arrange(layout);
  if (!arranged) return arranged.error();
  const auto& done = arranged->done;
  const std::string where = where_is(network_.space());
  for (size_t i = 0; i < std::min(done.size(), kLoggedSteps); i++)
    spdlog::info("{}{}", where, done[i]);
  if (done.size() > kLoggedSteps)
    spdlog::info("{}and {} steps more", where, done.size() - kLoggedSteps);
  Arranged out{std::move(arranged->state.seen), std::move(arranged->missing), {}};
  for (const auto& error : arranged->errors) out.errors.push_back(where + error.message());
  return out;
}

Machine::Attached RealMachine::attach(const netns::Observed& observed) {
  std::vector<std::pair<std::string, uint32_t>> interfaces;
  for (const auto& [index, link] : observed.links)
    if (!link.loopback) interfaces.emplace_back(link.name, index);
  const int space = network_.space().fd();
  auto attached = datapath_.attach(
      interfaces, [space](uint32_t ifindex) { return netns::takes_xdp_frames(space, ifindex); },
      vlans_of(observed));
  return {datapath_.attachments(), attached ? "" : attached.error().message()};
}

base::Status RealMachine::apply(std::span<const datapath::Step> steps) {
  return datapath_.apply(steps);
}

plan::Resting RealMachine::resting() const {
  return {datapath_.resting_services(), datapath_.resting_backends(),
          datapath_.resting_destinations()};
}

base::Status RealMachine::resolve(const netns::Observed& observed) {
  // What changed while no agent was there is not known: the first time counts, too.
  if (ways_ != observed.ways) {
    if (auto asked = datapath_.ask_again(); !asked) return asked;
    ways_ = observed.ways;
  }
  return datapath_.resolve(plan::neighbours(observed));
}

std::map<std::string, haproxy::PemFile> RealMachine::certificates(const model::Model& model) {
  std::map<std::string, haproxy::PemFile> files;
  std::set<std::string> references;
  for (const model::CertificateReference& reference : model::certificate_references(model))
    references.insert(reference.text);
  for (const auto& [reference, file] : certificates_.files(references))
    files[reference] = {file.path, file.fingerprint};
  return files;
}

std::map<base::Uuid, base::Error> RealMachine::serve(const haproxy::Specs& specs) {
  haproxy::Specs mine = specs;
  for (auto& [load_balancer, spec] : mine) spec.metrics_socket = metrics_socket_;
  auto failures = haproxy_.apply(mine);
  std::erase_if(served_, [&specs](const auto& one) { return !specs.contains(one.first); });
  for (const auto& [load_balancer, spec] : specs)
    if (!failures.contains(load_balancer)) served_[load_balancer] = spec;
  return failures;
}

}  // namespace reconcile
