// A machine that is nothing but a State: steps change it as the kernel would.
#pragma once

#include <string>
#include <vector>

#include "netns/layout.h"
#include "tests/support/addresses.h"

namespace netns_test {

using test::ip;
using test::mac;
using test::prefix;

struct FakeMachine {
  netns::State state;

  // Loopback (1, down) inside, sysctls as a new namespace has them.
  FakeMachine();
  netns::Link& plug_outside(uint32_t ifindex, const std::string& name, const std::string& mac);
  netns::Link& plug_inside(uint32_t ifindex, const std::string& name, const std::string& mac);

  // Asserts that the step makes sense: names what is there, adds what is not.
  void apply(const netns::Step& step);
  // What the kernel would answer for the targets: on link where an address of a link says so, else
  // by the default route of the main table.
  void route_targets(const netns::LayoutSpec& want);
  // diff and apply until nothing is left; the descriptions of all steps.
  std::vector<std::string> arrange(const netns::LayoutSpec& want);

  uint32_t index_of(const std::string& name) const;  // 0: no such link
};

std::vector<std::string> describe(const std::vector<netns::Step>& steps);

}  // namespace netns_test
