// Lab: the packet program in a network namespace of its own, and policy by way of the real planner.
//
//   clients 198.51.100.0/24, 2001:db8:c::/64        members 203.0.113.0/24, 2001:db8:2::/64
//          |                                                |
//   gateway 192.0.2.1, 2001:db8:1::1                        |
//          |          .10, .100 (VIP)              .10      |
//   -------+---------------- eth0 [lb_xdp] eth1 ------------+--
//          |  2001:db8:1::/64, ::10, ::100        ::10
//   clients and members 192.0.2.0/24
//
// Clients 198.51.100.128/25 and 2001:db8:c:1::/64 are unreachable; neighbours 192.0.2.200/29 are
// not known. eth2 is there (198.18.0.0/24), but nothing is attached to it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "agent/datapath/abi.h"
#include "agent/datapath/datapath.h"
#include "agent/datapath/kernel_maps.h"
#include "agent/plan/plan.h"
#include "tests/bpf/packet/outcome.h"
#include "tests/bpf/packet/packets.h"
#include "tests/support/model_builders.h"
#include "tests/support/net_builders.h"

namespace test {

inline const base::Endpoint kVip = at("192.0.2.100", 80);
inline const base::Endpoint kVip6 = at("2001:db8:1::100", 80);
inline const base::Endpoint kClient = at("198.51.100.7", 40000);
inline const base::Endpoint kClient6 = at("2001:db8:c::7", 40000);
inline const base::IpAddress kOwn = ip("203.0.113.10");  // the source towards members on eth1
inline const base::IpAddress kOwn6 = ip("2001:db8:2::10");

inline constexpr auto kTcp = model::ListenerProtocol::tcp;
inline constexpr auto kUdp = model::ListenerProtocol::udp;
inline constexpr auto kSctp = model::ListenerProtocol::sctp;

// Whether this process runs the program of tc ingress instead of XDP's: LAB_HOOK=tc. The same is
// expected of both, but that nobody sees by which interface tc sends.
bool is_on_tc();
// A test run on tc takes no packet that ends within its IP header.
bool can_run(const Bytes& frame);

class Lab : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // Other than the default: before the first install().
  void reopen(const datapath::Options& options);
  static datapath::Options options();
  // What SetUp() opens.
  virtual datapath::Options wanted() const { return options(); }
  // Another agent on the same pins, which knows only what it reads back.
  void restart();

  // What the namespace looks like to the planner; tests may make it differ from the drawing.
  Net& net() { return net_; }
  // Members get a hop unless net() has one for their address.
  void install(const model::Model& model);
  void set_down(const std::set<base::Uuid>& members) { down_ = members; }
  // Of what is installed afterwards: of every listener.
  void limit_flows(const plan::FlowRate& rate) { rates_.others = rate; }

  // Runs the program once for a frame that came in by this interface; on tc it may be several of so
  // many bytes of payload (GSO).
  Outcome run(const Bytes& frame, uint32_t ingress = kEth0, uint32_t segment = 0);
  Outcome run(const Packet& packet, uint32_t ingress = kEth0) {
    return run(packet.bytes(), ingress);
  }
  // The same on tc for a frame that its interface has summed (CHECKSUM_COMPLETE): 0, or EBADMSG
  // if that is not the sum of what the program has made of it. EINVAL: the kernel does not look.
  int run_summed(const Bytes& frame, uint32_t ingress = kEth0);
  // Without looking at what becomes of it: errno of the test run. `flags`: its own.
  int try_on_tc(const Bytes& frame, uint32_t ingress = kEth0, uint32_t flags = 0);
  // Sends it and has it forwarded; whom to, and from where.
  Ends forwarded(const Packet& packet, uint32_t ingress = kEth0);
  // SYN, SYN-ACK, ACK of a new connection; the member's side of it.
  Ends connect(const base::Endpoint& client, const base::Endpoint& vip);

  // From now on run() has the program of a handover, on the same maps.
  void run_beside();

  datapath::Datapath& datapath() { return *datapath_; }
  // The service of this VIP, as installed.
  lb_service service(const base::Endpoint& vip, uint8_t proto = 6) const;
  datapath::ServiceStats stats_of(const base::Endpoint& vip, uint8_t proto = 6);
  // Lets so much time pass on the clock of the flow table. Nobody sweeps here.
  void pass(std::chrono::milliseconds time);
  // Changes what is installed for this VIP behind the planner's back.
  void change_service(const base::Endpoint& vip, const std::function<void(lb_service&)>& change);
  // Flows that live, of both families, half-open and closed ones too.
  size_t live_flows();
  // Whole passes over the flow table, as the agent makes them.
  void sweep(int passes = 1);
  // All lines of the IPv4 table; `change` may write them.
  void each_line(const std::function<void(lb_flow&)>& change);

 private:
  void open(const datapath::Options& options);
  datapath::KernelMaps pinned_maps() const;

  std::unique_ptr<datapath::Datapath> datapath_;
  base::Fd beside_, tc_;
  Net net_;
  plan::Ids ids_;
  std::set<base::Uuid> down_;
  plan::FlowRates rates_;
};

}  // namespace test
