// One VRRP instance as a value, and what a node is in it: between those who write its text, those
// who read it, and those who show it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ip.h"

namespace keepalived {

enum class Role : uint8_t {
  master,  // the VIPs are here
  backup,  // they are, or may be, at the other node
  fault    // this node may not have them: keepalived, its interface or a check has failed
};

// A program whose exit status says whether this node may be master.
struct CheckScript {
  std::string name;  // a word of letters, digits, "_", "-" and "."
  std::string path;  // absolute; it is run as root, without arguments
  int interval = 5;  // s
  int fall = 2, rise = 2;
  std::optional<int> timeout;  // s; none: keepalived's, which is the interval

  friend bool operator==(const CheckScript&, const CheckScript&) = default;
};

// An address of another interface that goes along with the VIPs.
struct Floating {
  base::IpAddress address;
  std::string interface;

  auto operator<=>(const Floating&) const = default;
};

struct Instance {
  enum class Start : uint8_t { unsaid, master, backup };  // "state"
  enum class Version : uint8_t { v2, v3 };

  std::string name;       // as a CheckScript's
  std::string interface;  // in the namespace
  Version version = Version::v2;
  Start start = Start::unsaid;
  int router_id = 1;                       // 1 .. 255
  int priority = 100;                      // 1 .. 255; the higher one is master
  std::chrono::milliseconds advert{1000};  // v2: whole seconds; v3: 10 ms at least
  bool nopreempt = false;                  // a master stays one when a better node comes
  bool accept = false;  // packets to the VIPs are taken even by who does not own them
  std::optional<int> garp_refresh, garp_refresh_repeat;  // s; times
  std::string password;                                  // "": no authentication, which only v2 has
  std::optional<base::IpAddress> source;
  std::vector<base::IpAddress> peers;      // unicast; empty: multicast
  std::vector<base::IpAddress> vips;       // advertised; all of one family
  std::vector<base::IpAddress> excluded;   // VIPs that go along without being advertised
  std::vector<Floating> floating;          // the same, elsewhere
  std::vector<std::string> routes, rules;  // that go along; as keepalived has them
  std::vector<CheckScript> scripts;        // the ones that are tracked

  friend bool operator==(const Instance&, const Instance&) = default;
};

// What this machine shows of itself now.
struct Seen {
  bool runs = false;       // keepalived
  bool link_is_up = true;  // of the instance's interface
  bool checks_pass = true;
  std::vector<base::IpAddress> addresses;  // of the instance's interface, in any order

  friend bool operator==(const Seen&, const Seen&) = default;
};

// The kernel's addresses decide: they are what clients see, and they outlive an agent that ends.
Role role_of(const Instance& instance, const Seen& seen);

// "MASTER", "BACKUP", "FAULT"
const char* to_text(Role role);

}  // namespace keepalived
