// Addresses that come from the network: dnsmasq on "peer" gives them (the topology is in lab.h).
#include "netns/dhcp.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "base/file.h"
#include "process/child.h"
#include "tests/net/netns/lab.h"
#include "tests/support/temporary_folder.h"

namespace netns_test {
namespace {

using testing::HasSubstr;
using testing::Not;

// dhclient waits a while of its own choice before it asks.
bool in_the_end(const std::function<bool()>& done) {
  for (int i = 0; i < 8; ++i)
    if (eventually(done)) return true;
  return false;
}

class DhcpTest : public Lab {
 protected:
  void SetUp() override {
    Lab::SetUp();
    folder_ = test::temporary_folder("dhcp");
    plug_ens7();
    open();
    serve();
    clients_.emplace(*space_, netns::DhcpClients::Folders{folder_, folder_});
  }
  void TearDown() override {
    if (clients_) {
      EXPECT_TRUE(clients_->run_for({}));
    }
    if (server_) server_->end(std::chrono::seconds(2));
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  void serve() {
    auto peer = netns::Namespace::open("peer");
    ASSERT_TRUE(peer);
    const process::Command command{
        .words = {"/usr/sbin/dnsmasq", "--keep-in-foreground", "--port=0", "--no-ping",
                  "--conf-file=/dev/null", "--interface=peer7", "--bind-dynamic",
                  "--pid-file=", "--log-facility=-", "--user=root", "--dhcp-authoritative",
                  "--dhcp-leasefile=" + folder_ + "/given",
                  "--dhcp-range=192.0.2.100,192.0.2.100,2m", "--dhcp-option=6,192.0.2.53",
                  "--enable-ra", "--dhcp-range=2001:db8:2::,ra-only"},
        .log = folder_ + "/dnsmasq.log"};
    auto started = netns::run_in(
        peer->fd(), [&]() -> base::Result<process::Process> { return process::start(command); });
    ASSERT_TRUE(started) << started.error().message();
    server_.emplace(*std::move(started));
  }

  // eth1 without an address of its own.
  static netns::LayoutSpec wanted() {
    netns::InterfaceSpec spec = eth1();
    spec.addresses.clear();
    spec.dhcp = true;
    spec.advertisements = netns::RouterAdvertisements::followed;
    return {.interfaces = {spec}};
  }
  static bool has(const std::string& address) {
    return sh("ip -n lb addr show eth1").find(address) != std::string::npos;
  }

  std::string folder_;
  std::optional<process::Process> server_;
  std::optional<netns::DhcpClients> clients_;
};

TEST_F(DhcpTest, AnAddressComesAndTheLayoutLeavesItAlone) {
  const std::string names_before = *base::read_file("/etc/resolv.conf");
  auto arranged = arrange(wanted());
  const auto interfaces = netns::dhcp_interfaces(wanted(), arranged.state.seen);
  EXPECT_EQ(interfaces, std::set<std::string>{"eth1"});
  auto running = clients_->run_for(interfaces);
  ASSERT_TRUE(running) << running.error().message();
  EXPECT_TRUE(in_the_end([] { return has("192.0.2.100/24"); }))
      << *base::read_file(folder_ + "/dnsmasq.log");
  // SLAAC: the router's prefix and the EUI-64 of kMac7.
  EXPECT_TRUE(in_the_end([] { return has("2001:db8:2::ff:fe00:7/64"); }));
  arrange(wanted());
  EXPECT_TRUE(has("192.0.2.100/24"));
  EXPECT_THAT(sh("ip -n lb route"), Not(HasSubstr("default")));
  EXPECT_EQ(*base::read_file("/etc/resolv.conf"), names_before);
}

TEST_F(DhcpTest, ClientsAreFoundAgainStartedAgainAndEnded) {
  arrange(wanted());
  ASSERT_TRUE(clients_->run_for({"eth1"}));
  const std::string pid_file = folder_ + "/dhclient-lb-eth1.pid";
  ASSERT_TRUE(in_the_end([&] { return process::pid_in(pid_file).has_value(); }));
  const auto first = process::Process::find(pid_file, pid_file);
  ASSERT_TRUE(first);
  clients_.emplace(*space_, netns::DhcpClients::Folders{folder_, folder_});
  ASSERT_TRUE(clients_->run_for({"eth1"}));
  EXPECT_EQ(process::pid_in(pid_file), first->pid()) << "the one of the agent before";
  first->end(std::chrono::seconds(2));
  ASSERT_TRUE(clients_->run_for({"eth1"}));
  ASSERT_TRUE(in_the_end([&] {
    const auto second = process::Process::find(pid_file, pid_file);
    return second && second->pid() != first->pid();
  }));
  ASSERT_TRUE(clients_->run_for({}));
  EXPECT_FALSE(process::Process::find(pid_file, pid_file));
  EXPECT_FALSE(std::filesystem::exists(pid_file));
}

}  // namespace
}  // namespace netns_test
