// The commands of amphora-xdp. Each prints what it has to say and returns how the process ends.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "agent/cli/client.h"
#include "agent/cli/failure.h"

namespace cli {

enum class Format { table, json };

struct Common {
  std::string socket = "/run/amphora-xdp/control.sock";
  bool socket_given = false;
  Format format = Format::table;
};

struct ShowOptions {
  std::string kind;   // "", "loadbalancer", "listener", ...; or an id or name, of any kind
  std::string which;  // id or name; "": all
};

struct ApplyOptions {
  std::string file;  // "-": standard input
  std::chrono::seconds timeout{60};
};

struct PlanOptions {
  std::string file;
  std::string state;     // a state file to compare with, instead of the agent
  bool offline = false;  // compare with nothing
};

struct FlowsOptions {
  std::string client, vip, member, listener, protocol, state;  // "": any
  uint64_t limit = 0;                                          // 0: 1000 for a table, none for JSON
  int watch = 0;  // seconds between two tables; 0: once
};

struct VerdictsOptions {
  std::string listener;  // id or name; "": everything
  bool by_listener = false;
  bool all = false;  // zeroes too
};

// Both "": the configuration that the agent's unit is given.
struct DoctorOptions {
  std::string config;        // as --config of the agent
  std::string amphora_conf;  // as --config-file of the agent
};

// Says what went wrong, on standard error.
int fail(const Failure& failure);

int status(const Common& common);
int show(const Common& common, const ShowOptions& options);
int apply(const Common& common, const ApplyOptions& options);
int plan(const Common& common, const PlanOptions& options);
int flows(const Common& common, const FlowsOptions& options);
int verdicts(const Common& common, const VerdictsOptions& options);
int failover(const Common& common);
int doctor(const Common& common, const DoctorOptions& options);

}  // namespace cli
