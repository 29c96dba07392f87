#include "agent/serve/amphora_config.h"

namespace serve {

Config config_of(const octavia::AmphoraConf& conf) {
  Config config;
  config.state_dir = conf.base_path + "/amphora-xdp";
  config.log_level = conf.debug ? "debug" : "info";
  if (conf.use_syslog) config.syslog_facility = conf.syslog_facility;
  config.haproxy_binary = conf.haproxy_cmd;
  config.haproxy_uploads_dir = conf.base_path;
  return config;
}

}  // namespace serve
