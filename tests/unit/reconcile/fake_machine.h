// A machine in memory: it has one interface, keeps what it is told, and can fail at the n-th call.
#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "agent/reconcile/machine.h"

namespace reconcile {

class FakeMachine final : public Machine {
 public:
  // Listeners of HAProxy's at this port are what it refuses, when it refuses.
  static constexpr int kBadPort = 666;

  FakeMachine() {
    netns::Link eth1;
    eth1.ifindex = 2;
    eth1.name = "eth1";
    eth1.mac = *base::MacAddress::parse("02:00:00:00:00:01");
    eth1.mtu = 1500;
    eth1.up = true;
    eth1.addresses = {*base::IpPrefix::parse("192.0.2.2/24")};
    net_.links[2] = eth1;
  }

  // The n-th call from now on fails (0: the next one), once.
  void fail_call(int n) { fail_at_ = calls_ + n; }
  // The next call of this name fails, once.
  void fail_next(std::string name) { fail_name_ = std::move(name); }
  int calls() const { return calls_; }
  int arranged() const { return arranged_; }  // calls of arrange()
  const netns::Observed& net() const { return net_; }
  // The neighbours that client-side next hops were brought to last.
  const auto& resolved() const { return resolved_; }
  const netns::LayoutSpec& layout() const { return layout_; }
  // An arranged VIP was taken away, if only until the next call.
  bool vip_went() const { return vip_went_; }

  base::Result<netns::Observed> observe(const netns::LayoutSpec&) override {
    if (failing("observe")) return base::Error{5, "observe"};
    return net_;
  }

  base::Result<Arranged> arrange(const netns::LayoutSpec& layout) override {
    arranged_++;
    if (failing("arrange")) return base::Error{5, "arrange"};
    for (const auto& vip : layout_.vips) vip_went_ |= !layout.vips.contains(vip);
    layout_ = layout;
    net_.hops.clear();
    for (const auto& target : layout.next_hop_targets) {
      netns::Hop hop;
      hop.ifindex = 2;
      hop.source = base::IpAddress::parse("192.0.2.2");
      hop.neighbour = base::MacAddress::parse("02:00:00:00:00:09");
      net_.hops[target] = hop;
    }
    return Arranged{net_, {}, {}};
  }

  Attached attach(const netns::Observed&) override {
    const std::scoped_lock lock(attachment_lock_);
    return {{attachment_}, failing("attach") ? "attach" : ""};
  }
  // What is said of XDP on the interface from the next look on.
  void say_of_interface(std::string obstacle, std::string losing) {
    const std::scoped_lock lock(attachment_lock_);
    attachment_.obstacle = std::move(obstacle);
    attachment_.losing = std::move(losing);
  }

  const datapath::Tables& tables() const override { return tables_; }

  base::Status apply(std::span<const datapath::Step> steps) override {
    for (const auto& step : steps) {
      if (failing("apply")) return base::Error{5, "apply"};
      std::visit([this](const auto& s) { write(s); }, step);
    }
    return base::Unit{};
  }

  plan::Resting resting() const override { return {}; }

  base::Status resolve(const netns::Observed& observed) override {
    resolved_ = observed.neighbours;
    if (failing("resolve")) return base::Error{5, "resolve"};
    return base::Unit{};
  }

  std::map<std::string, haproxy::PemFile> certificates(const model::Model&) override { return {}; }
  std::map<base::Uuid, base::Error> serve(const haproxy::Specs& specs) override {
    served_log_.push_back({specs, tables_});
    std::map<base::Uuid, base::Error> failures;
    std::erase_if(served_, [&specs](const auto& one) { return !specs.contains(one.first); });
    for (const auto& [load_balancer, spec] : specs)
      if (refuses_l7_ && has_bad_port(spec))
        failures[load_balancer] = base::Error{0, "HAProxy: bad text"};
      else
        served_[load_balancer] = spec;
    return failures;
  }
  const haproxy::Specs& served() const override { return served_; }
  void refuse_l7(bool refuses) { refuses_l7_ = refuses; }
  // Each time HAProxy was given something: that, and what the tables were then.
  struct Served {
    haproxy::Specs specs;
    datapath::Tables tables;

    bool has(const base::Uuid& listener) const {
      return std::any_of(specs.begin(), specs.end(),
                         [&](const auto& one) { return one.second.frontends.contains(listener); });
    }
  };
  const std::vector<Served>& served_log() const { return served_log_; }

 private:
  // What is refused.
  static bool has_bad_port(const haproxy::Spec& spec) {
    return std::any_of(spec.frontends.begin(), spec.frontends.end(),
                       [](const auto& entry) { return entry.second.binds[0].port == kBadPort; });
  }

  bool failing(const std::string& name) {
    if (calls_++ == fail_at_) return true;
    if (name != fail_name_) return false;
    fail_name_.clear();
    return true;
  }

  void write(const datapath::PutDestination& s) { tables_.destinations[s.address] = s.value; }
  void write(const datapath::PutBackend& s) { tables_.backends[s.id] = s.value; }
  void write(const datapath::PutRing& s) { tables_.rings[s.id] = s.value; }
  void write(const datapath::PutCidr& s) { tables_.cidrs[s.key] = s.value; }
  void write(const datapath::PutService& s) { tables_.services[s.key] = s.value; }
  void write(const datapath::PutKernelPorts& s) { tables_.kernel_ports = s.value; }
  void write(const datapath::EraseService& s) { tables_.services.erase(s.key); }
  void write(const datapath::EraseCidr& s) { tables_.cidrs.erase(s.key); }
  void write(const datapath::EraseRing& s) { tables_.rings.erase(s.id); }
  void write(const datapath::EraseBackend& s) { tables_.backends.erase(s.id); }
  void write(const datapath::EraseDestination& s) { tables_.destinations.erase(s.address); }

  int calls_ = 0, fail_at_ = -1, arranged_ = 0;
  std::string fail_name_;
  netns::Observed net_;
  std::mutex attachment_lock_;
  datapath::Attachment attachment_{"eth1", 2, datapath::AttachMode::native, ""};
  std::map<netns::NeighbourKey, base::MacAddress> resolved_;
  netns::LayoutSpec layout_;
  bool vip_went_ = false;
  datapath::Tables tables_;
  haproxy::Specs served_;
  std::vector<Served> served_log_;
  std::atomic<bool> refuses_l7_ = false;
};

}  // namespace reconcile
