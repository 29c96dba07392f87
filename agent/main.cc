// amphora-xdp-agent: opens the parts of the machine, wires them, and runs.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <optional>
#include <utility>

#include "agent/serve/agent.h"
#include "agent/serve/amphora.h"
#include "agent/serve/amphora_config.h"
#include "agent/serve/api.h"
#include "agent/serve/config.h"
#include "agent/serve/pair.h"
#include "agent/serve/parts.h"
#include "agent/serve/teardown.h"
#include "base/log.h"

namespace {

constexpr char kDefaultConfig[] = "/etc/amphora-xdp/agent.json";

struct Options {
  std::string file;          // "": the default one
  std::string amphora_file;  // "": standalone
  bool only_check = false, only_make_namespace = false, only_teardown = false;
};

// Adopts the namespace, or makes it.
base::Result<netns::Namespace> open_namespace(const serve::Config& config, bool is_amphora) {
  auto space = netns::Namespace::open(config.netns);
  if (space && space->is_new() && is_amphora) serve::apply_image_sysctls(*space);
  return space;
}

base::Status run(serve::Config config, const std::string& amphora_file) {
  const auto started = std::chrono::steady_clock::now();
  if (geteuid() != 0)
    return base::Error{0, "root is needed, for network namespaces and BPF: run it with sudo"};

  // The API over TCP listens where the agent was started, so before it goes elsewhere.
  auto api = serve::open_api(config);
  if (!api) return api.error();
  std::optional<serve::AmphoraEntry> amphora;
  if (!amphora_file.empty()) {
    auto opened = serve::AmphoraEntry::open(amphora_file);
    if (!opened) return opened.error();
    amphora = std::move(*opened);
  }

  // Everything else happens inside the namespace, this thread's from now on.
  auto space = open_namespace(config, amphora.has_value());
  if (!space) return space.error();
  if (auto entered = space->enter(); !entered) return entered.error();

  // What an agent before this one left is adopted: maps and links, HAProxy, what is wanted.
  auto parts = serve::open_parts(config, *space);
  if (!parts) return parts.error();
  if (amphora)
    if (auto begun = serve::begin_as_amphora(*amphora, config, *parts); !begun)
      return begun.error();

  // Who is told by whom is decided once, here; then the loop runs until somebody ends it.
  serve::Agent agent(config, std::move(*parts), started);
  if (amphora)
    if (auto served = agent.serve_octavia(std::move(*amphora), *space); !served)
      return served.error();
  if (config.pair)
    if (auto joined = agent.join_pair(*space); !joined) return joined.error();
  return agent.run(std::move(*api));
}

int fail(const std::string& message) {
  std::cerr << "amphora-xdp-agent: " << message << "\n";
  return 1;
}

// Of the configuration, for who reads about it.
std::string name_of(const Options& options) {
  if (!options.amphora_file.empty()) return options.amphora_file;
  return options.file.empty() ? kDefaultConfig : options.file;
}

// The default file is optional: without it, everything has its default.
base::Result<serve::Config> read_config(const Options& options) {
  if (!options.amphora_file.empty()) {
    auto read = octavia::read_conf(options.amphora_file);
    if (!read) return read.error();
    return serve::config_of(read->conf, options.file);
  }
  if (!options.file.empty()) return serve::read_config(options.file);
  if (!std::filesystem::exists(kDefaultConfig)) return serve::Config{};
  return serve::read_config(kDefaultConfig);
}

base::Status teardown(const serve::Config& config, const std::string& amphora_file) {
  if (amphora_file.empty())
    return serve::teardown(config,
                           config.pair ? std::optional(serve::pair_paths(config)) : std::nullopt);
  auto read = octavia::read_conf(amphora_file);
  if (!read) return read.error();
  return serve::teardown(config, serve::vrrp_paths(read->conf));
}

int start(const Options& options) {
  auto config = read_config(options);
  if (!config) return fail(config.error().message());
  if (options.only_check) {
    const std::string file = name_of(options);
    for (const auto& good : {serve::check_api(*config), serve::check_pair(*config)})
      if (!good) return fail(file + ": " + good.error().message());
    std::cout << file << ": valid\n";
    return 0;
  }
  if (options.only_make_namespace) {
    auto made = open_namespace(*config, !options.amphora_file.empty());
    return made ? 0 : fail(made.error().message());
  }
  base::start_log(spdlog::level::from_str(config->log_level), config->syslog_facility);
  auto ended = options.only_teardown ? teardown(*config, options.amphora_file)
                                     : run(*config, options.amphora_file);
  return ended ? 0 : fail(ended.error().message());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"The agent of amphora-xdp: load balancing in the kernel by XDP"};
  app.set_version_flag("--version", AMPHORA_XDP_VERSION);
  Options options;
  app.add_option("--config", options.file,
                 std::string("Configuration, JSON (") + kDefaultConfig + "; of an amphora " +
                     serve::kAmphoraConfig + ")");
  app.add_option("--config-file", options.amphora_file,
                 "Run as an amphora of Octavia, as this amphora-agent.conf says");
  app.add_flag("--check-config", options.only_check, "Check the configuration file and exit");
  app.add_flag(
      "--make-namespace", options.only_make_namespace,
      "Make the network namespace if it is not there, and exit: for a unit whose mounts are "
      "its own, before the agent");
  app.add_flag(
      "--teardown", options.only_teardown,
      "Remove pinned maps, XDP programs, addresses and routes, and exit; resources on disk stay");
  CLI11_PARSE(app, argc, argv);
  return start(options);
}
