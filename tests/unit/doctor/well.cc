#include "tests/unit/doctor/well.h"

#include <algorithm>

namespace doctor::testing {
namespace {

using nlohmann::json;

constexpr std::chrono::days kYear{365};

base::Endpoint endpoint(const char* address, uint16_t port) {
  return {base::IpAddress::parse(address).value(), port};
}

// What most drivers say, nothing of which native XDP excludes.
netns::Device device(const char* driver) {
  return {driver, {{"rx-lro", {}}, {"rx-gro-hw", {}}, {"rx-checksum", {.on = true}}}, std::nullopt};
}

Space space() {
  Interface eth1{"eth1", 1500, true, true, netns::XdpMode::native, device("veth")};
  Interface eth2{"eth2", 1500, true, true, netns::XdpMode::native, {}};
  netns::Device virtio = device("virtio_net");
  virtio.queues = {2, 4};
  eth2.device = virtio;
  return {{eth1, eth2}, {{"net/ipv4/ip_forward", "1"}}, {{"net/ipv4/ip_forward", "1"}}};
}

json status() {
  return {{"version", "1.2.3"},
          {"interfaces", {{{"interface", "eth1"}, {"mode", "native"}, {"reason", nullptr}}}},
          {"reconcile", {{"error", nullptr}, {"problems", json::array()}}},
          {"placements", json::array()},
          {"haproxy", json::array()},
          {"vrrp",
           {{"role", "MASTER"},
            {"interface", "eth1"},
            {"unfit_because", json::array()},
            {"keepalived", {{"running", true}}}}}};
}

}  // namespace

Facts well() {
  Facts facts;
  facts.now = std::chrono::sys_days{std::chrono::year{2026} / 6 / 1};
  facts.cpus = 2;
  facts.configuration = {"/etc/octavia/amphora-agent.conf",
                         "",
                         "amphora-haproxy",
                         "/var/lib/octavia/amphora-xdp",
                         "/sys/fs/bpf/amphora-xdp",
                         "/run/amphora-xdp/control.sock",
                         {"eth1"},
                         true,
                         true};
  facts.kernel = {"6.1.0-40-amd64", true, std::string(), true, true, std::vector{3}, 3, 2};
  facts.space = space();
  facts.programs = {{"HAProxy", "haproxy", std::string("2.6.12")},
                    {"keepalived", "keepalived", std::string("2.2.7")}};
  facts.is_clock_synchronised = true;
  facts.disk =
      Disk{"/var/lib/octavia/amphora-xdp", uint64_t{1} << 33, uint64_t{1} << 32, 1000, 900};
  certificates::About about;
  about.subject = "CN=amphora";
  about.not_before = facts.now - kYear;
  about.not_after = facts.now + kYear;
  facts.certificates = {{"/etc/octavia/certs/server.pem", about}};
  facts.controllers = {{endpoint("192.0.2.5", 5555), "", true}};
  facts.flows = Flows{1024, {}};
  facts.version = "1.2.3";
  facts.agent = status();
  return facts;
}

Interface& interface(Facts& facts, const std::string& name) {
  auto& all = const_cast<Space&>(*facts.space).interfaces;
  return *std::ranges::find(all, name, &Interface::name);
}

}  // namespace doctor::testing
