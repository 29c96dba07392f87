// amphora-agent.conf: what Octavia tells the amphora about itself (contract, section 3).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "base/result.h"

namespace octavia {

enum class Topology : uint8_t { single, active_standby };

struct AmphoraConf {
  // [DEFAULT]
  bool debug = false;
  bool use_syslog = true;
  int syslog_facility = 17;  // syslog(3)'s number without the shift: LOG_LOCAL1
  // [haproxy_amphora]
  std::string base_path = "/var/lib/octavia";
  std::string base_cert_dir = "/var/lib/octavia/certs";
  base::Endpoint bind;  // bind_host and bind_port; [::] is dual stack
  std::string haproxy_cmd = "/usr/sbin/haproxy";
  // [health_manager]; mutable, all three
  std::vector<base::Endpoint> controllers;
  std::chrono::seconds heartbeat_interval{10};
  std::string heartbeat_key;
  // [amphora_agent]
  std::string agent_server_ca = "/etc/octavia/certs/client_ca.pem";
  std::string agent_server_cert = "/etc/octavia/certs/server.pem";
  std::string agent_server_network_dir = "/etc/octavia/interfaces/";
  std::chrono::seconds agent_request_read_timeout{180};
  std::string amphora_id;  // "": none was given
  // LOCALn, of keepalived; read from [amphora_agent], else from [haproxy_amphora], where the
  // controller writes it. Its sister user_log_facility is nothing to us: where connections are
  // logged, each text says.
  int administrative_log_facility = 1;
  // [controller_worker]; mutable
  Topology topology = Topology::single;

  AmphoraConf();

  friend bool operator==(const AmphoraConf&, const AmphoraConf&) = default;
};

struct ReadConf {
  AmphoraConf conf;
  std::vector<std::string> unknown;  // "[section] option (line n)": ignored, for the log
};

// Section, option and word values may have dashes for underscores. Errors are "FILE:LINE: what".
base::Result<ReadConf> parse_conf(std::string_view text, const std::string& file);
base::Result<ReadConf> read_conf(const std::string& file);

// What runs after `running` has been told to read `read` again: mutable options are its, the others
// wait for the next start.
AmphoraConf with_mutable(const AmphoraConf& running, const AmphoraConf& read);

}  // namespace octavia
