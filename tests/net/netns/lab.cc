#include "tests/net/netns/lab.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <thread>

namespace netns_test {

bool eventually(const std::function<bool()>& done) {
  auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

void Lab::SetUp() {
  if (::geteuid() != 0) FAIL() << "needs root (namespaces): run it with sudo";
  ASSERT_EQ(::unshare(CLONE_NEWNS | CLONE_NEWNET), 0);
  ASSERT_EQ(::mount("", "/", "none", MS_PRIVATE | MS_REC, nullptr), 0);
  ::mkdir("/run/netns", 0755);
  ASSERT_EQ(::mount("tmpfs", "/run/netns", "tmpfs", 0, nullptr), 0);
  sh("ip link set lo up; ip netns add peer; ip -n peer link set lo up");
}

namespace {

// Without duplicate address detection, which would only make the tests wait.
void plug(const std::string& n, const char* own, const char* peers, const std::string& v4,
          const std::string& v6) {
  sh("ip link add ens" + n + " address " + own + " type veth peer name peer" + n + " address " +
     peers + " netns peer");
  sh("ip -n peer addr add " + v4 + " dev peer" + n);
  sh("ip -n peer addr add " + v6 + " dev peer" + n + " nodad");
  sh("ip -n peer link set peer" + n + " up");
}

}  // namespace

void Lab::plug_ens7() { plug("7", kMac7, kPeerMac7, "192.0.2.1/24", "2001:db8:2::1/64"); }
void Lab::plug_ens8() { plug("8", kMac8, kPeerMac8, "198.51.100.1/24", "2001:db8:5::1/64"); }

void Lab::open() {
  auto space = netns::Namespace::open("lb");
  ASSERT_TRUE(space) << space.error().message();
  space_.emplace(*std::move(space));
  auto network = netns::Network::open(*space_);
  ASSERT_TRUE(network) << network.error().message();
  network_.emplace(*std::move(network));
}

netns::State Lab::observe(const netns::LayoutSpec& want) {
  auto state = network_->observe(want);
  EXPECT_TRUE(state) << state.error().message();
  return state ? *std::move(state) : netns::State{};
}

netns::Network::Arranged Lab::arrange(const netns::LayoutSpec& want) {
  auto arranged = network_->arrange(want);
  EXPECT_TRUE(arranged) << arranged.error().message();
  if (!arranged) return {};
  for (const base::Error& error : arranged->errors) ADD_FAILURE() << error.message();
  for (const netns::Step& step : netns::diff(want, observe(want)))
    ADD_FAILURE() << "left to do: " << netns::describe(step);
  return *std::move(arranged);
}

const netns::Link* find(const netns::State& state, const std::string& name) {
  for (const auto& [ifindex, link] : state.seen.links)
    if (link.name == name) return &link;
  return nullptr;
}

netns::InterfaceSpec eth1() {
  netns::InterfaceSpec spec;
  spec.name = "eth1";
  spec.mac = mac(kMac7);
  spec.addresses = {prefix("192.0.2.5/24"), prefix("2001:db8:2::5/64")};
  return spec;
}

netns::InterfaceSpec eth2() {
  netns::InterfaceSpec spec;
  spec.name = "eth2";
  spec.mac = mac(kMac8);
  spec.addresses = {prefix("198.51.100.5/24"), prefix("2001:db8:5::5/64")};
  return spec;
}

}  // namespace netns_test
