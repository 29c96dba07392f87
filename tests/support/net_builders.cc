#include "tests/support/net_builders.h"

#include <algorithm>

#include "tests/support/model_builders.h"

namespace test {

namespace {

// The link that has `address` on it, and its own address there.
const netns::Link* on_link(const netns::Observed& net, const base::IpAddress& address,
                           base::IpAddress& source) {
  for (const auto& [ifindex, link] : net.links)
    for (const base::IpPrefix& own : link.addresses)
      if (own.length < own.address.bits() && own.contains(address)) {
        source = own.address;
        return &link;
      }
  return nullptr;
}

}  // namespace

base::MacAddress mac_of_link(uint32_t ifindex) {
  return {{2, 0, 0, 0, 0, static_cast<uint8_t>(ifindex)}};
}

base::MacAddress mac_of(const base::IpAddress& neighbour) {
  const uint8_t* last = neighbour.bytes() + neighbour.size() - 4;
  return {{6, 0, last[0], last[1], last[2], last[3]}};
}

Net::Net() {
  observed_.links[1] = {1, "lo", {}, 65536, true, true, {prefix("127.0.0.1/8"), prefix("::1/128")}};
}

Net& Net::link(uint32_t ifindex, std::string_view name, const std::vector<std::string>& prefixes,
               int mtu) {
  netns::Link link{ifindex, std::string(name), mac_of_link(ifindex), mtu, true, false, {}};
  for (const std::string& text : prefixes) link.addresses.push_back(prefix(text));
  observed_.links[ifindex] = link;
  return *this;
}

Net& Net::gateway(std::string_view address) {
  gateways_.push_back(ip(address));
  return *this;
}

void Net::route(const base::IpAddress& address) {
  base::IpAddress source;
  netns::Hop hop;
  const netns::Link* link = on_link(observed_, address, source);
  for (size_t i = 0; link == nullptr && i < gateways_.size(); i++) {
    if (gateways_[i].family() != address.family()) continue;
    link = on_link(observed_, gateways_[i], source);
    hop.gateway = gateways_[i];
  }
  if (link == nullptr) return;
  const base::IpAddress neighbour = hop.gateway.value_or(address);
  hop.ifindex = link->ifindex;
  hop.source = source;
  hop.neighbour = mac_of(neighbour);
  observed_.hops[address] = hop;
  observed_.neighbours[{link->ifindex, neighbour}] = *hop.neighbour;
}

Net& Net::reaching(std::string_view address) {
  route(ip(address));
  return *this;
}

Net& Net::reaching(const model::Model& model) {
  for (const auto& [id, member] : model.members) route(member.address);
  return *this;
}

Net& Net::unresolved(std::string_view address) {
  netns::Hop& hop = observed_.hops.at(ip(address));
  hop.neighbour.reset();
  observed_.neighbours.erase({hop.ifindex, hop.gateway.value_or(ip(address))});
  return *this;
}

Net& Net::unreachable(std::string_view address) {
  observed_.hops.erase(ip(address));
  return *this;
}

}  // namespace test
