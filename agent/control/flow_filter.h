// What GET /v1/flows can be asked to show.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "agent/control/operator.h"
#include "agent/http/url.h"
#include "agent/model/fault.h"

namespace control {

// An address or a prefix, and a port if one matters.
struct EndpointFilter {
  base::IpPrefix prefix;
  std::optional<uint16_t> port;  // host order
};

struct FlowFilter {
  std::optional<EndpointFilter> client, vip, member_endpoint;
  std::optional<base::Uuid> listener, member;
  std::string protocol, state;  // "": any
  uint64_t limit = UINT64_MAX;  // flows

  bool matches(const Flow& flow) const;
};

// client, vip: "192.0.2.1", "192.0.2.1:80", "[2001:db8::1]:80", "192.0.2.0/24"; member: the same,
// or an id or name; listener: id or name; protocol: TCP, UDP, SCTP; state; limit: 1 and more. Names
// are looked up in `m`. A Fault (400) names the parameter.
model::Outcome<FlowFilter> parse_flow_filter(const http::Parameters& parameters,
                                             const model::Model& m);

}  // namespace control
