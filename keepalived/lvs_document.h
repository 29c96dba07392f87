// The text in which Octavia describes a UDP or SCTP listener for keepalived's LVS (contract,
// section 6). Its comments are part of it: only they say what is disabled and the ids. Strict:
// there is nobody else who would carry out what is not understood. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "base/uuid.h"

namespace keepalived {

enum class LvsProtocol : uint8_t { udp, sctp };
enum class LvsScheduler : uint8_t { weighted_round_robin, least_connections, source_hash };

struct LvsCheck {
  enum class Kind : uint8_t { udp_connect, sctp, http, tcp };
  Kind kind = Kind::udp_connect;
  base::Endpoint target;
  int timeout = 0;                // s
  std::string path;               // http
  std::vector<int> status_codes;  // http; in the order of the text

  friend bool operator==(const LvsCheck&, const LvsCheck&) = default;
};

struct LvsServer {
  base::Uuid member;
  uint32_t line = 0;                    // where it begins
  std::optional<base::Endpoint> place;  // none: disabled, and nothing else is said of it
  int weight = 0;
  std::optional<int64_t> most_connections;  // uthreshold
  std::optional<LvsCheck> check;

  friend bool operator==(const LvsServer&, const LvsServer&) = default;
};

// What one family of the listener has.
struct LvsVirtualServer {
  uint32_t line = 0;
  std::vector<base::Endpoint> vips;  // one port and one family; never empty
  LvsScheduler scheduler = LvsScheduler::weighted_round_robin;
  LvsProtocol protocol = LvsProtocol::udp;
  std::optional<int> persistence_timeout;  // s; none: no persistence
  std::string persistence_granularity;     // a netmask or the length of a prefix; "": not said
  std::optional<int> delay;                // s from check to check
  std::optional<int> retry;                // failures that take a member down
  std::optional<base::Uuid> pool, monitor;
  bool pool_is_enabled = true;
  std::vector<LvsServer> servers;

  friend bool operator==(const LvsVirtualServer&, const LvsVirtualServer&) = default;
};

struct LvsDocument {
  base::Uuid load_balancer, listener;
  bool is_enabled = true;
  std::vector<LvsVirtualServer> virtual_servers;  // none: no pool, or something is disabled

  friend bool operator==(const LvsDocument&, const LvsDocument&) = default;
};

inline constexpr size_t kMostLvsBytes = 8U << 20;

// Error: what is not understood, with its line: "line 12: lb_kind DR".
base::Result<LvsDocument> read_lvs(std::string_view text);

}  // namespace keepalived
