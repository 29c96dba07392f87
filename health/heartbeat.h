// The heartbeat of an amphora, as Octavia's health manager reads it (contract, section 4): a value,
// its JSON, and the datagram that carries it. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/uuid.h"

namespace health {

// Since the message before but for `conns`, which is now.
struct ListenerStats {
  uint64_t tx = 0, rx = 0;  // bytes to and from clients
  uint64_t conns = 0;
  uint64_t totconns = 0;
  uint64_t ereq = 0;  // request errors

  friend bool operator==(const ListenerStats&, const ListenerStats&) = default;
};

struct ListenerReport {
  std::string status;  // "OPEN", "FULL"
  ListenerStats stats;

  friend bool operator==(const ListenerReport&, const ListenerReport&) = default;
};

struct PoolReport {
  std::string status;                         // "UP", "DOWN"
  std::map<base::Uuid, std::string> members;  // "UP", "DOWN", "DRAIN", "MAINT", "no check", ...

  friend bool operator==(const PoolReport&, const PoolReport&) = default;
};

struct Heartbeat {
  std::string amphora;  // its UUID
  uint64_t seq = 0;
  std::map<base::Uuid, ListenerReport> listeners;  // exactly those that are enabled
  std::map<std::string, PoolReport> pools;         // by "<pool>:<listener>", of LVS by "<pool>"

  friend bool operator==(const Heartbeat&, const Heartbeat&) = default;
};

// Version 3.
std::string to_json(const Heartbeat& heartbeat);

// zlib stream of `json`, then 64 lower-case hex digits of its HMAC-SHA256. An error: it does not
// fit into the receiver's buffer, or into memory.
inline constexpr size_t kMaxDatagram = 65507;  // what UDP over IPv4 carries
base::Result<std::string> datagram(std::string_view json, std::string_view key);

// What a listener has counted since it exists.
struct Counters {
  uint64_t bytes_in = 0, bytes_out = 0, request_errors = 0, connections = 0;

  friend bool operator==(const Counters&, const Counters&) = default;
};

// What has been told of the counters: the difference is the next message's. Kept as JSON in
// <base_path>/stats_counters.json, as the agent does that this one takes the place of.
class Told {
 public:
  // Good, too: "" (nothing has been told).
  static base::Result<Told> parse(std::string_view text);
  std::string text() const;

  // What is to be told of `now`, which counts as told afterwards. A counter that went back has been
  // reset: all of it is new. Of listeners that are neither in `now` nor `waiting` (for a later
  // message) nothing is kept.
  std::map<base::Uuid, Counters> advance(const std::map<base::Uuid, Counters>& now,
                                         const std::set<base::Uuid>& waiting = {});

  friend bool operator==(const Told&, const Told&) = default;

 private:
  std::map<base::Uuid, Counters> told_;
};

}  // namespace health
