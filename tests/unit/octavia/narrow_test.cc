#include "agent/octavia/narrow.h"

#include <gtest/gtest.h>

namespace octavia {
namespace {

using base::IpPrefix;

base::Uuid id(uint8_t number) {
  base::Uuid out;
  out.bytes[15] = number;
  return out;
}

model::Model with(model::ListenerProtocol protocol) {
  model::Model m;
  m.amphora.emplace();
  model::Listener listener;
  listener.id = id(1);
  listener.protocol = protocol;
  listener.protocol_port = 80;
  m.listeners[listener.id] = listener;
  return m;
}

std::vector<IpPrefix> narrowed(model::Model m, const std::vector<VipRule>& rules) {
  narrow(m, rules);
  return m.listeners.at(id(1)).allowed_cidrs;
}

const IpPrefix kNet = *IpPrefix::parse("192.0.2.0/24");
const VipRule kTcp80{VipRule::Protocol::tcp, kNet, 80};

TEST(Narrow, ARuleLetsItsClientsIn) {
  EXPECT_EQ(narrowed(with(model::ListenerProtocol::tcp), {kTcp80}), std::vector{kNet});
  EXPECT_EQ(narrowed(with(model::ListenerProtocol::https), {kTcp80}), std::vector{kNet});
}

TEST(Narrow, WithoutARuleNobodyComesIn) {
  const std::vector<IpPrefix> nobody{*IpPrefix::parse("255.255.255.255/32")};
  EXPECT_EQ(narrowed(with(model::ListenerProtocol::tcp), {}), nobody);
  EXPECT_EQ(narrowed(with(model::ListenerProtocol::udp), {kTcp80}), nobody);
}

TEST(Narrow, HoldsForWhatHaproxyServes) {
  auto m = with(model::ListenerProtocol::http);
  m.amphora->left_to_haproxy[id(1)] = "protocol HTTP";
  EXPECT_EQ(narrowed(m, {kTcp80}), std::vector{kNet});
  EXPECT_EQ(narrowed(m, {}), std::vector{*IpPrefix::parse("255.255.255.255/32")});
}

}  // namespace
}  // namespace octavia
