// Facts: what was seen of a machine, for diagnose(). What could not be looked at says why.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "agent/certificates/certificates_spec.h"
#include "base/ip.h"
#include "base/result.h"
#include "netns/device_spec.h"

namespace doctor {

using Time = std::chrono::sys_seconds;  // UTC

// What was seen, or why it was not: EPERM and EACCES are of who looks, other errors of the machine.
template <class T>
class Seen {
 public:
  Seen() = default;
  Seen(T value) : looked_(std::move(value)) {}                  // NOLINT
  Seen(base::Error why_not) : looked_(std::move(why_not)) {}    // NOLINT
  Seen(base::Result<T> looked) : looked_(std::move(looked)) {}  // NOLINT

  bool ok() const { return looked_.ok(); }
  const T& operator*() const { return *looked_; }
  const T* operator->() const { return looked_.operator->(); }
  const base::Error& why_not() const { return looked_.error(); }

 private:
  base::Result<T> looked_ = base::Error{0, "it was not looked at"};
};

// Of the configuration that the agent is started with.
struct Configuration {
  std::string file;
  std::string fault;  // why it cannot be used; empty: it can
  std::string network_namespace, state_dir, pin_root, control_socket;
  std::vector<std::string> interfaces;  // that are to be in the namespace, by name
  bool is_amphora = false;              // of Octavia's
  bool is_pair = false;
};

struct Kernel {
  std::string release;            // "6.1.0-40-amd64"
  bool has_btf = false;           // of the kernel itself
  Seen<std::string> missing;      // features that the program needs, "bpf_loop"; empty: all there
  Seen<bool> compiles;            // BPF programs; else they are interpreted
  bool has_bpffs = false;         // where the pins are to be
  Seen<std::vector<int>> pinned;  // ABI versions whose maps are pinned
  int abi = 0, oldest_abi = 0;    // of ours: its own, and the oldest that is taken over
};

struct Interface {
  std::string name;
  int mtu = 0;
  bool up = false, carrier = false;
  netns::XdpMode xdp = netns::XdpMode::none;
  Seen<netns::Device> device;
  bool on_tc = false;  // the program is on tc ingress
};

// The namespace that traffic is balanced in.
struct Space {
  std::vector<Interface> interfaces;                  // the loopback left out
  std::map<std::string, std::string> wanted_sysctls;  // key below /proc/sys: value
  std::map<std::string, std::string> sysctls;         // as they are; not there: the kernel has none
};

struct Program {
  std::string name;           // "HAProxy"
  std::string package;        // that has it
  Seen<std::string> version;  // "2.6.12-1+deb12u3"
};

struct Certificate {
  std::string file;
  Seen<certificates::About> about;
};

// A health manager that heartbeats go to.
struct Controller {
  base::Endpoint address;
  std::string no_route;         // why nothing can be sent there; empty: there is a route
  Seen<bool> next_hop_answers;  // it, or the gateway towards it
};

struct Disk {
  std::string folder;
  uint64_t bytes = 0, free_bytes = 0;
  uint64_t files = 0, free_files = 0;  // 0, 0: the file system does not count them
};

struct Flows {
  uint64_t lines = 0;               // looked at
  std::vector<std::string> faults;  // what must not be, and was there twice
};

struct Facts {
  Time now{};
  unsigned cpus = 1;
  Configuration configuration;
  Kernel kernel;
  Seen<Space> space;
  std::vector<Program> programs;
  bool is_clock_synchronised = false;
  Seen<Disk> disk;  // of the state's folder
  std::vector<Certificate> certificates;
  std::vector<Controller> controllers;
  Seen<Flows> flows;
  std::string version;         // of the command line
  Seen<nlohmann::json> agent;  // its /v1/status, as docs/control-socket.md has it
};

}  // namespace doctor
