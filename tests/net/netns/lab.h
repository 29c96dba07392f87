// A throwaway machine for a test: an original namespace, a place for named ones, and another
// machine to talk to. Everything is in a mount namespace and network namespaces of the test process
// and goes with it, however it ends.
//
//   original namespace            namespace "lb"                     namespace "peer"
//   (of the test's thread)        (under test)
//     ens7, ens8 ── moved in ──→    eth1 ────────── veth ──────────  peer7  192.0.2.1/24
//                                                                           2001:db8:2::1/64
//                                   eth2 ────────── veth ──────────  peer8  198.51.100.1/24
//                                                                           2001:db8:5::1/64
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>

#include "base/ip.h"
#include "netns/namespace.h"
#include "netns/network.h"
#include "tests/support/addresses.h"
#include "tests/support/shell.h"

namespace netns_test {

using test::ip;
using test::mac;
using test::prefix;
using test::sh;

// Polls until `done` or for five seconds.
bool eventually(const std::function<bool()>& done);

inline constexpr char kMac7[] = "02:00:00:00:00:07";
inline constexpr char kMac8[] = "02:00:00:00:00:08";
inline constexpr char kPeerMac7[] = "02:00:00:00:01:07";
inline constexpr char kPeerMac8[] = "02:00:00:00:01:08";

class Lab : public testing::Test {
 protected:
  void SetUp() override;

  // A NIC of the original namespace; the other end is up in "peer".
  void plug_ens7();
  void plug_ens8();
  // Opens "lb" and a Network on it.
  void open();

  netns::State observe(const netns::LayoutSpec& want);
  // arrange(), without errors; afterwards there is nothing left to do.
  netns::Network::Arranged arrange(const netns::LayoutSpec& want);

  std::optional<netns::Namespace> space_;
  std::optional<netns::Network> network_;
};

const netns::Link* find(const netns::State& state, const std::string& name);

// eth1 with an address of either family, found by its MAC.
netns::InterfaceSpec eth1();
netns::InterfaceSpec eth2();

}  // namespace netns_test
