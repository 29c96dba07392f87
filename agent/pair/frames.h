// What the two nodes of a pair say to each other, as values and as bytes (docs/pair.md). Pure.
// Numbers on the wire are in network byte order.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/ip.h"
#include "base/result.h"

namespace pair {

// Who speaks only versions outside of these is not spoken with.
inline constexpr uint16_t kOldestVersion = 1, kNewestVersion = 1;

// A flow by where it lives at the node that tells of it: the index of its forward line, and the
// generation of that. No two flows of one set of maps ever have the same name.
struct Name {
  base::Family family = base::Family::ipv4;
  uint32_t line = 0;
  uint32_t generation = 0;

  friend bool operator==(const Name&, const Name&) = default;
};

enum class State : uint8_t { open = 1, closing_client, closing_member };

// All that another node has to know to go on with a flow. Ids are nowhere in it: what both nodes
// share are addresses.
struct Flow {
  Name name;
  uint8_t protocol = 0;  // IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP
  State state = State::open;
  bool is_answered = false;                  // by the member: of UDP only, others are
  base::Endpoint client, vip, snat, member;  // of the family of the name
  // TCP: of the next byte of each direction; SCTP: the tags; UDP: datagrams.
  uint32_t next_client = 0, next_member = 0;

  friend bool operator==(const Flow&, const Flow&) = default;
};

// Whether the VIPs are on the node's interface.
enum class Role : uint8_t { standby = 0, active = 1 };

// The first frame in each direction.
struct Hello {
  uint16_t oldest = kOldestVersion, newest = kNewestVersion;
  uint64_t maps = 0;                // which set of maps names are of: random
  uint32_t lines4 = 0, lines6 = 0;  // of these
  friend bool operator==(const Hello&, const Hello&) = default;
};
struct Flows {
  std::vector<Flow> flows;
  friend bool operator==(const Flows&, const Flows&) = default;
};
struct Ends {
  std::vector<Name> flows;
  friend bool operator==(const Ends&, const Ends&) = default;
};
// From here on every open flow is told of, ...
struct WalkBegin {
  friend bool operator==(const WalkBegin&, const WalkBegin&) = default;
};
// ... and what was not until here is over.
struct WalkEnd {
  friend bool operator==(const WalkEnd&, const WalkEnd&) = default;
};
// How far the sender of this has come with what it was told, and who it is.
struct Position {
  uint64_t records = 0;  // flows and ends, since the channel was opened
  uint32_t unknown = 0;  // flows of the last walk that have no place here
  Role role = Role::standby;
  friend bool operator==(const Position&, const Position&) = default;
};
// Asks for a walk: what was unknown may be known by now.
struct Again {
  friend bool operator==(const Again&, const Again&) = default;
};
// The VIPs are about to go to whom this is told.
struct Leaving {
  friend bool operator==(const Leaving&, const Leaving&) = default;
};
using Frame = std::variant<Hello, Flows, Ends, WalkBegin, WalkEnd, Position, Again, Leaving>;

// So many fit into one frame.
inline constexpr size_t kMostFlows = 512, kMostEnds = 4096;
inline constexpr size_t kHeaderBytes = 5, kMostBody = 65536;

// With its header.
std::string encode(const Frame& frame);

struct Header {
  uint32_t bytes = 0;  // of the body
  uint8_t type = 0;
};
// An error: longer than any frame.
base::Result<Header> decode_header(std::span<const uint8_t, kHeaderBytes> bytes);
// nullopt: of a type that a later version has. An error says what is wrong with the body.
base::Result<std::optional<Frame>> decode(uint8_t type, std::span<const uint8_t> body);

}  // namespace pair
