// The agent's configuration file: JSON, every field optional, unknown fields refused.
// docs/config.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/datapath/hooks.h"
#include "agent/plan/flow_rates.h"
#include "agent/serve/vip_ranges.h"
#include "base/ip.h"
#include "base/result.h"
#include "netns/netns_spec.h"

namespace serve {

// The API over TCP, in the network namespace that the agent was started in.
struct ApiConfig {
  base::Endpoint bind;
  std::string certificate, key;  // files, PEM; may be the same one. "": plain HTTP
  std::string token_file;        // "": whoever reaches it may use it
};

// Where connections of the datapath are logged when they have ended.
struct FlowLogConfig {
  std::string target;               // a socket's path, or an address with or without a port (UDP)
  std::string facility = "local0";  // HAProxy's word
  std::string format =              // HAProxy's; Octavia's own
      "{{ project_id }} {{ lb_id }} %f %ci %cp %t - - %B %U %[ssl_c_verify] "
      "%{+Q}[ssl_c_s_dn] %b %s %Tt %tsc";
  uint32_t lines_per_second = 5000;
};

// The other node of a pair, and who of the two is master.
struct PairConfig {
  std::string interface;  // in the namespace; it has the VIPs
  base::IpAddress source, peer;
  int priority = 100;                      // the higher one is master
  int router_id = 51;                      // the same on both
  std::chrono::milliseconds advert{1000};  // the same on both
  bool preempt = false;                    // a better node that comes back takes the VIPs
  std::string key_file;                    // the same on both; "": connections do not go along
  uint16_t port = 1025;                    // where the node listens that is dialled, on `source`
  std::vector<base::IpAddress> floating;   // sources towards members, which go with the VIPs
};

struct Config {
  std::string netns = "amphora-haproxy";  // "": the one that the agent is started in
  std::string state_dir = "/var/lib/amphora-xdp";
  std::string control_socket = "/run/amphora-xdp/control.sock";
  std::string pin_root = "/sys/fs/bpf/amphora-xdp";
  std::string log_level = "info";  // spdlog's names
  // Of an amphora. HAProxy's: "" is what haproxy::Paths has.
  std::optional<int> syslog_facility;  // base/log.h; none: standard error
  std::string haproxy_binary, haproxy_uploads_dir;
  uint32_t ipv4_flows = 0;  // 0: from the machine's memory
  uint32_t ipv6_flows = 0;
  // Of flows towards members; host order, inclusive.
  uint16_t snat_port_min = 1024, snat_port_max = 65535;
  std::optional<ApiConfig> api;           // none: the control socket only
  std::optional<FlowLogConfig> flow_log;  // none: nothing is logged
  std::string default_project;            // of load balancers of who says none
  std::vector<VipRangeConfig> vip_ranges;
  std::optional<PairConfig> pair;  // none: one node alone, or an amphora
  // An amphora whose controller says that there is another one, and gave both a key.
  bool is_of_two = false;
  plan::FlowRates flow_rates;  // of what begins
  datapath::Hooks hooks;       // of all interfaces, and of those that say their own
  netns::LayoutSpec layout;    // interfaces and the kernel's ports, as configured; no VIPs
};

// Whose configuration it is: an amphora's has only what Octavia does not say.
enum class Whose : uint8_t { standalone, amphora };

// Errors name the file, and the line (syntax) or the field ("interfaces[0].mtu").
base::Result<Config> parse_config(std::string_view text, const std::string& file,
                                  Whose whose = Whose::standalone);

base::Result<Config> read_config(const std::string& file, Whose whose = Whose::standalone);

}  // namespace serve
