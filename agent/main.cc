// amphora-xdp-agent: opens the parts of the machine, wires them, and runs.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <optional>
#include <utility>

#include "agent/serve/agent.h"
#include "agent/serve/api.h"
#include "agent/serve/config.h"
#include "agent/serve/parts.h"
#include "agent/serve/teardown.h"
#include "base/log.h"

namespace {

constexpr char kDefaultConfig[] = "/etc/amphora-xdp/agent.json";

struct Options {
  std::string file = kDefaultConfig;
  bool file_given = false;
  bool only_check = false, only_teardown = false;
};

base::Status run(const serve::Config& config) {
  const auto started = std::chrono::steady_clock::now();
  if (geteuid() != 0)
    return base::Error{0, "root is needed, for network namespaces and BPF: run it with sudo"};

  // The API over TCP listens where the agent was started, so before it goes elsewhere.
  auto api = serve::open_api(config);
  if (!api) return api.error();

  // Everything else happens inside the namespace, this thread's from now on.
  auto space = netns::Namespace::open(config.netns);
  if (!space) return space.error();
  if (auto entered = space->enter(); !entered) return entered.error();

  // What an agent before this one left is adopted: maps and links, HAProxy, what is wanted.
  auto parts = serve::open_parts(config, *space);
  if (!parts) return parts.error();

  // Who is told by whom is decided once, here; then the loop runs until somebody ends it.
  serve::Agent agent(config, std::move(*parts), started);
  return agent.run(std::move(*api));
}

int fail(const std::string& message) {
  std::cerr << "amphora-xdp-agent: " << message << "\n";
  return 1;
}

int start(const Options& options) {
  // The default file is optional: without it, everything has its default.
  const bool defaults = !options.file_given && !std::filesystem::exists(options.file);
  auto config =
      defaults ? base::Result<serve::Config>(serve::Config{}) : serve::read_config(options.file);
  if (!config) return fail(config.error().message());
  if (options.only_check) {
    if (auto good = serve::check_api(*config); !good)
      return fail(options.file + ": " + good.error().message());
    std::cout << options.file << ": valid\n";
    return 0;
  }
  base::start_log(spdlog::level::from_str(config->log_level));
  auto ended = options.only_teardown ? serve::teardown(*config) : run(*config);
  return ended ? 0 : fail(ended.error().message());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"The agent of amphora-xdp: load balancing in the kernel by XDP"};
  app.set_version_flag("--version", AMPHORA_XDP_VERSION);
  Options options;
  auto* given =
      app.add_option("--config", options.file, "Configuration, JSON")->default_val(kDefaultConfig);
  app.add_flag("--check-config", options.only_check, "Check the configuration file and exit");
  app.add_flag(
      "--teardown", options.only_teardown,
      "Remove pinned maps, XDP programs, addresses and routes, and exit; resources on disk stay");
  CLI11_PARSE(app, argc, argv);
  options.file_given = given->count() > 0;
  return start(options);
}
