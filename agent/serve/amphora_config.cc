#include "agent/serve/amphora_config.h"

#include <filesystem>

namespace serve {

base::Result<Config> config_of(const octavia::AmphoraConf& conf, const std::string& file) {
  const bool is_default = file.empty();
  Config config;
  if (!is_default || std::filesystem::exists(kAmphoraConfig)) {
    auto read = read_config(is_default ? kAmphoraConfig : file, Whose::amphora);
    if (!read) return read.error();
    config = std::move(*read);
  }
  config.state_dir = conf.base_path + "/amphora-xdp";
  config.log_level = conf.debug ? "debug" : "info";
  if (conf.use_syslog) config.syslog_facility = conf.syslog_facility;
  config.haproxy_binary = conf.haproxy_cmd;
  config.haproxy_uploads_dir = conf.base_path;
  config.is_of_two =
      conf.topology == octavia::Topology::active_standby && !conf.heartbeat_key.empty();
  return config;
}

}  // namespace serve
