// amphora-xdp-agent: reads the configuration, opens the parts, wires them and runs the loop.
#include <grp.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <vector>

#include "agent/certificates/store.h"
#include "agent/control/door.h"
#include "agent/http/response.h"
#include "agent/http/server.h"
#include "agent/reconcile/live_reconciler.h"
#include "agent/reconcile/real_machine.h"
#include "agent/serve/api.h"
#include "agent/serve/config.h"
#include "agent/serve/real_certificates.h"
#include "agent/serve/real_operator.h"
#include "agent/serve/upkeep.h"
#include "base/log.h"
#include "haproxy/process.h"

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

// Next to the control socket, so that agents with sockets of their own have HAProxies of their own.
std::string run_dir(const serve::Config& config) {
  return std::filesystem::path(config.control_socket).parent_path().string();
}

haproxy::Paths haproxy_paths(const serve::Config& config) {
  haproxy::Paths paths;
  paths.run_dir = run_dir(config) + "/haproxy";
  paths.state_dir = config.state_dir + "/haproxy";
  return paths;
}

std::string metrics_socket(const serve::Config& config) {
  return run_dir(config) + "/metrics.sock";
}

// Everything ever pinned, attached or added goes, and HAProxy; the resources on disk stay.
Result<Unit> teardown(const serve::Config& config) {
  auto space = netns::Namespace::find(config.netns);
  if (!space) return space.error();
  // First, for it is refused while an agent runs: that one keeps its HAProxy, too.
  if (auto gone = datapath::Datapath::teardown(config.pin_root); !gone) return gone;
  auto haproxy = haproxy::Process::open(haproxy_paths(config));
  if (!haproxy) return haproxy.error();
  haproxy->teardown();
  if (!space->has_value()) return Unit{};
  auto network = netns::Network::open(**space);
  if (!network) return network.error();
  if (auto withdrawn = network->withdraw(); !withdrawn) return withdrawn;
  return (*space)->remove();
}

// Watches of the namespace and, if there is one, of the outside, where interfaces appear.
Result<Unit> spawn_watches(asio::io_context& loop, netns::Network& network, serve::Upkeep& upkeep) {
  auto inside = network.watch();
  if (!inside) return inside.error();
  auto outside = network.watch_outside();
  if (!outside) return outside.error();
  asio::co_spawn(loop, upkeep.follow(std::move(*inside)), asio::detached);
  if (outside->has_value())
    asio::co_spawn(loop, upkeep.follow(std::move(**outside)), asio::detached);
  return Unit{};
}

std::optional<std::string> check_certificate(certificates::Store& store,
                                             const std::string& reference,
                                             model::CertificateUse use) {
  using Use = certificates::Use;
  const auto now =
      std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
  switch (use) {
    case model::CertificateUse::identity:
      return store.check(reference, Use::identity, now);
    case model::CertificateUse::authorities:
      return store.check(reference, Use::authorities, now);
    case model::CertificateUse::revocations:
      return store.check(reference, Use::revocations, now);
  }
  return std::nullopt;
}

// HAProxy's workers ask for the metrics that PROMETHEUS listeners show; nothing else is there.
asio::awaitable<http::Response> answer_metrics(control::Door& door, http::Request request) {
  if (request.target == "/metrics" && (request.method == "GET" || request.method == "HEAD"))
    co_return co_await door.handle(std::move(request));
  co_return http::fault_response({404, "The resource could not be found."});
}

std::optional<gid_t> group_of_haproxy() {
  const group* found = ::getgrnam("haproxy");
  return found == nullptr ? std::nullopt : std::optional(found->gr_gid);
}

using Servers = std::vector<std::unique_ptr<http::Server>>;

// Every way in for requests.
Result<Servers> start_servers(asio::io_context& loop, const serve::Config& config,
                              std::optional<http::TcpOptions> api, control::Door& door) {
  const auto handle = [&door](http::Request request) { return door.handle(std::move(request)); };
  if (auto made = make_folder_of(config.control_socket); !made) return made.error();
  Servers servers;
  auto local = http::Server::start(
      loop.get_executor(), {.path = config.control_socket, .group = std::nullopt, .limits = {}},
      handle);
  if (!local) return local.error();
  servers.push_back(std::move(*local));
  auto metrics = http::Server::start(
      loop.get_executor(),
      {.path = metrics_socket(config), .group = group_of_haproxy(), .limits = {}},
      [&door](http::Request request) { return answer_metrics(door, std::move(request)); });
  if (!metrics) return metrics.error();
  servers.push_back(std::move(*metrics));
  if (!api) return servers;
  auto remote = http::Server::start_tcp(loop.get_executor(), std::move(*api), handle);
  if (!remote) return remote.error();
  servers.push_back(std::move(*remote));
  return servers;
}

// Until SIGTERM or SIGINT. Maps, program, links and addresses stay: traffic goes on without us.
Result<Unit> serve(const serve::Config& config, const netns::Namespace& space,
                   std::optional<http::TcpOptions> api) {
  auto store = reconcile::Store::open(config.state_dir);
  if (!store) return store.error();
  auto certificates = certificates::Store::open(config.state_dir + "/certificates");
  if (!certificates) return certificates.error();
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
  auto haproxy = haproxy::Process::open(haproxy_paths(config));
  if (!haproxy) return haproxy.error();

  asio::io_context loop(1);
  reconcile::RealMachine machine(*network, **datapath, **certificates, *haproxy,
                                 metrics_socket(config));
  reconcile::LiveReconciler reconciler(loop.get_executor(), *store, std::move(*model),
                                       config.layout, machine);
  statistics::Statistics statistics = statistics::Statistics::open(config.state_dir);
  serve::Upkeep upkeep(loop.get_executor(), config.state_dir, **datapath, std::move(*grace),
                       *haproxy, reconciler, statistics);
  reconciler.on_tables([&upkeep] { upkeep.sweep_now(); });
  reconciler.check_certificates_with(
      [&store = **certificates](const std::string& reference, model::CertificateUse use) {
        return check_certificate(store, reference, use);
      });
  serve::RealOperator operator_view(config.netns, **datapath, reconciler, *haproxy, statistics);
  serve::RealCertificates shelf(**certificates, [&reconciler] { reconciler.request_run(); });
  control::Door door(reconciler, operator_view, shelf);
  auto servers = start_servers(loop, config, std::move(api), door);
  if (!servers) return servers.error();
  if (auto watched = spawn_watches(loop, *network, upkeep); !watched) return watched;

  asio::co_spawn(loop, reconciler.run(), asio::detached);
  asio::co_spawn(loop, upkeep.keep_time(), asio::detached);
  asio::co_spawn(loop, upkeep.sweep(), asio::detached);
  asio::co_spawn(loop, upkeep.keep_haproxy(), asio::detached);
  asio::co_spawn(loop, upkeep.keep_statistics(), asio::detached);
  asio::signal_set stop(loop, SIGTERM, SIGINT);
  stop.async_wait([&](const boost::system::error_code&, int) {
    for (auto& server : *servers) server->stop();
    reconciler.stop();
    upkeep.stop();
    loop.stop();
  });
  spdlog::info("amphora-xdp-agent {} in namespace {}, control socket {}{}", AMPHORA_XDP_VERSION,
               config.netns, config.control_socket,
               config.api ? ", API on " + config.api->bind.text() : "");
  loop.run();
  return statistics::Statistics::store(config.state_dir, statistics.text());
}

Result<Unit> run(const serve::Config& config) {
  if (geteuid() != 0)
    return Error{0, "root is needed, for network namespaces and BPF: run it with sudo"};
  auto api = serve::open_api(config);  // here, in the namespace that we were started in
  if (!api) return api.error();
  auto space = netns::Namespace::open(config.netns);
  if (!space) return space.error();
  if (auto entered = space->enter(); !entered) return entered;
  return serve(config, *space, std::move(*api));
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
  auto config = defaults ? base::Result<serve::Config>(serve::Config{}) : serve::read_config(file);
  if (!config) return agent::fail(config.error().message());
  if (only_check) {
    if (auto good = serve::check_api(*config); !good)
      return agent::fail(file + ": " + good.error().message());
    std::cout << file << ": good\n";
    return 0;
  }
  base::start_log(spdlog::level::from_str(config->log_level));
  auto ended = only_teardown ? agent::teardown(*config) : agent::run(*config);
  return ended ? 0 : agent::fail(ended.error().message());
}
