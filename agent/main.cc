// amphora-xdp-agent: reads the configuration, opens the parts, wires them and runs the loop.
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <filesystem>
#include <iostream>

#include "agent/config.h"
#include "agent/control/door.h"
#include "agent/control/server.h"
#include "agent/live_machine.h"
#include "agent/live_operator.h"
#include "agent/live_reconciler.h"
#include "agent/upkeep.h"
#include "base/log.h"

namespace agent {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::Result;
using base::Unit;

constexpr char kDefaultConfig[] = "/etc/amphora-xdp/agent.json";

Result<Unit> make_folder_of(const std::string& path) {
  std::error_code err;
  auto folder = std::filesystem::path(path).parent_path();
  std::filesystem::create_directories(folder, err);
  if (err) return Error{err.value(), "make " + folder.string()};
  return Unit{};
}

// Everything ever pinned, attached or added goes; the resources on disk stay.
Result<Unit> teardown(const Config& config) {
  auto space = netns::Namespace::find(config.netns);
  if (!space) return space.error();
  if (auto gone = datapath::Datapath::teardown(config.pin_root); !gone) return gone;
  if (!space->has_value()) return Unit{};
  auto network = netns::Network::open(**space);
  if (!network) return network.error();
  if (auto withdrawn = network->withdraw(); !withdrawn) return withdrawn;
  return (*space)->remove();
}

// Watches of the namespace and, if there is one, of the outside, where interfaces appear.
Result<Unit> spawn_watches(asio::io_context& loop, netns::Network& network, Upkeep& upkeep) {
  auto inside = network.watch();
  if (!inside) return inside.error();
  auto outside = network.watch_outside();
  if (!outside) return outside.error();
  asio::co_spawn(loop, upkeep.follow(std::move(*inside)), asio::detached);
  if (outside->has_value())
    asio::co_spawn(loop, upkeep.follow(std::move(**outside)), asio::detached);
  return Unit{};
}

// Until SIGTERM or SIGINT. Maps, program, links and addresses stay: traffic goes on without us.
Result<Unit> serve(const Config& config, const netns::Namespace& space) {
  auto store = Store::open(config.state_dir);
  if (!store) return store.error();
  auto datapath = datapath::Datapath::open({.pin_root = config.pin_root,
                                            .flows4 = config.ipv4_flows,
                                            .flows6 = config.ipv6_flows,
                                            .snat_port_min = config.snat_port_min,
                                            .snat_port_max = config.snat_port_max});
  if (!datapath) return datapath.error();
  auto model = store->load();  // not before the datapath's lock is ours
  if (!model) return model.error();
  auto network = netns::Network::open(space);
  if (!network) return network.error();
  auto grace = datapath::Grace::open();
  if (!grace) return grace.error();

  asio::io_context loop(1);
  LiveMachine machine(*network, **datapath);
  LiveReconciler reconciler(loop.get_executor(), *store, std::move(*model), config.layout, machine);
  Upkeep upkeep(loop.get_executor(), **datapath, std::move(*grace), reconciler);
  reconciler.on_tables([&upkeep] { upkeep.hurry(); });
  LiveOperator operator_view(config.netns, **datapath, reconciler);
  control::Door door(reconciler, operator_view);
  if (auto made = make_folder_of(config.control_socket); !made) return made;
  auto server = control::Server::start(
      loop.get_executor(), {.path = config.control_socket, .group = std::nullopt, .limits = {}},
      [&door](control::Request request) { return door.handle(std::move(request)); });
  if (!server) return server.error();
  if (auto watched = spawn_watches(loop, *network, upkeep); !watched) return watched;

  asio::co_spawn(loop, reconciler.run(), asio::detached);
  asio::co_spawn(loop, upkeep.keep_time(), asio::detached);
  asio::co_spawn(loop, upkeep.sweep(), asio::detached);
  asio::signal_set stop(loop, SIGTERM, SIGINT);
  stop.async_wait([&](const boost::system::error_code&, int) {
    (*server)->stop();
    reconciler.stop();
    upkeep.stop();
    loop.stop();
  });
  spdlog::info("amphora-xdp-agent {} in namespace {}, control socket {}", AMPHORA_XDP_VERSION,
               config.netns, config.control_socket);
  loop.run();
  return Unit{};
}

Result<Unit> run(const Config& config) {
  if (geteuid() != 0)
    return Error{0, "root is needed, for network namespaces and BPF: run it with sudo"};
  auto space = netns::Namespace::open(config.netns);
  if (!space) return space.error();
  if (auto entered = space->enter(); !entered) return entered;
  return serve(config, *space);
}

int fail(const std::string& message) {
  std::cerr << "amphora-xdp-agent: " << message << "\n";
  return 1;
}

}  // namespace
}  // namespace agent

int main(int argc, char** argv) {
  CLI::App app{"The agent of amphora-xdp: load balancing in the kernel by XDP"};
  app.set_version_flag("--version", AMPHORA_XDP_VERSION);
  std::string file;
  auto* given =
      app.add_option("--config", file, "Configuration, JSON")->default_val(agent::kDefaultConfig);
  bool only_check = false, only_teardown = false;
  app.add_flag("--check-config", only_check, "Read the configuration, say what is wrong, and end");
  app.add_flag("--teardown", only_teardown,
               "Remove everything ever pinned, attached or added; resources on disk stay");
  CLI11_PARSE(app, argc, argv);

  // The default file is optional: without it, everything has its default.
  const bool defaults = given->count() == 0 && !std::filesystem::exists(file);
  auto config = defaults ? base::Result<agent::Config>(agent::Config{}) : agent::read_config(file);
  if (!config) return agent::fail(config.error().message());
  if (only_check) {
    std::cout << file << ": good\n";
    return 0;
  }
  base::start_log(spdlog::level::from_str(config->log_level));
  auto ended = only_teardown ? agent::teardown(*config) : agent::run(*config);
  return ended ? 0 : agent::fail(ended.error().message());
}
