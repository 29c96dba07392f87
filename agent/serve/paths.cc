#include "agent/serve/paths.h"

#include <filesystem>

namespace serve {

std::string run_dir(const Config& config) {
  return std::filesystem::path(config.control_socket).parent_path().string();
}

haproxy::Paths haproxy_paths(const Config& config) {
  haproxy::Paths paths;
  paths.run_dir = run_dir(config) + "/haproxy";
  paths.state_dir = config.state_dir + "/haproxy";
  if (!config.haproxy_binary.empty()) paths.binary = config.haproxy_binary;
  if (!config.haproxy_uploads_dir.empty()) paths.uploads_dir = config.haproxy_uploads_dir;
  paths.hands_peers_on = config.is_of_two;
  return paths;
}

std::string metrics_socket(const Config& config) { return run_dir(config) + "/metrics.sock"; }

}  // namespace serve
