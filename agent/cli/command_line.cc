#include "agent/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>

#include "agent/cli/commands.h"

namespace cli {
namespace {

// A parsed command, ready to run.
using Chosen = std::function<int(const Common&)>;

void add_show(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<ShowOptions>();
  CLI::App* command = app.add_subcommand("show", "Load balancers and what belongs to them");
  command->add_option(
      "kind", options->kind,
      "loadbalancer, listener, pool, member, healthmonitor or l7policy; or an id or name");
  command->add_option("which", options->which, "Its id or name");
  command->callback([options, &chosen] {
    chosen = [options](const Common& common) { return show(common, *options); };
  });
}

void add_apply(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<ApplyOptions>();
  CLI::App* command = app.add_subcommand("apply", "Make a load balancer as a file describes it");
  command->add_option("file", options->file, "JSON file; - for standard input")->required();
  command->add_option("--timeout", options->timeout, "Seconds to wait for ACTIVE");
  command->callback([options, &chosen] {
    chosen = [options](const Common& common) { return apply(common, *options); };
  });
}

void add_plan(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<PlanOptions>();
  CLI::App* command = app.add_subcommand("plan", "Show what apply would change; changes nothing");
  command->add_option("file", options->file, "JSON file; - for standard input")->required();
  auto* state = command->add_option("--state", options->state,
                                    "Compare with this state file instead of the agent");
  command->add_flag("--offline", options->offline, "Compare with an empty agent")->excludes(state);
  command->callback([options, &chosen] {
    chosen = [options](const Common& common) { return plan(common, *options); };
  });
}

void add_flows(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<FlowsOptions>();
  CLI::App* command = app.add_subcommand("flows", "Live flows");
  command->add_option("--client", options->client, "Address, prefix or address:port");
  command->add_option("--vip", options->vip, "Address, prefix or address:port");
  command->add_option("--member", options->member, "Address, address:port, id or name");
  command->add_option("--listener", options->listener, "Id or name");
  command->add_option("--protocol", options->protocol, "TCP, UDP or SCTP");
  command->add_option("--state", options->state, "half_open, open, closing_client, ...");
  command->add_option("--limit", options->limit, "At most so many (table: 1000)");
  command->add_option("--watch", options->watch, "Again every so many seconds")
      ->check(CLI::Range(1, 3600));
  command->callback([options, &chosen] {
    chosen = [options](const Common& common) { return flows(common, *options); };
  });
}

void add_verdicts(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<VerdictsOptions>();
  CLI::App* command =
      app.add_subcommand("verdicts", "Packets counted by verdict: what became of them, and why");
  command->add_option("listener", options->listener, "Only this one's: id or name");
  command->add_flag("--by-listener", options->by_listener, "A line for each listener and verdict");
  command->add_flag("--all", options->all, "Verdicts that no packet got, too");
  command->callback([options, &chosen] {
    chosen = [options](const Common& common) { return verdicts(common, *options); };
  });
}

void add_doctor(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<DoctorOptions>();
  CLI::App* command =
      app.add_subcommand("doctor", "Whether this machine is fit to balance, and what to do if not");
  command->add_option("--config", options->config, "The agent's configuration, JSON");
  command->add_option("--config-file", options->amphora_conf,
                      "The agent's configuration, an amphora-agent.conf of Octavia");
  command->callback([options, &chosen] {
    chosen = [options](const Common& common) { return doctor(common, *options); };
  });
}

}  // namespace

int fail(const Failure& failure) {
  std::fprintf(stderr, "amphora-xdp: %s\n", failure.what.c_str());
  return failure.code;
}

int run(int argc, char** argv) {
  CLI::App app("Shows and changes the load balancers of amphora-xdp-agent.", "amphora-xdp");
  app.set_version_flag("--version", "amphora-xdp " AMPHORA_XDP_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  Common common;
  auto* socket = app.add_option("--socket", common.socket, "Control socket of the agent")
                     ->envname("AMPHORA_XDP_SOCKET");
  bool json = false;
  app.add_flag("--json", json, "Print JSON instead of tables");
  Chosen chosen;
  app.add_subcommand("status", "The agent, its interfaces and its flow tables")
      ->callback([&chosen] { chosen = [](const Common& c) { return status(c); }; });
  add_show(app, chosen);
  add_apply(app, chosen);
  add_plan(app, chosen);
  add_flows(app, chosen);
  add_verdicts(app, chosen);
  app.add_subcommand("failover", "Move the VIPs of a pair to its other node, losing nothing")
      ->callback([&chosen] { chosen = [](const Common& c) { return failover(c); }; });
  add_doctor(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kMisused;
  }
  common.socket_given = socket->count() > 0;
  common.format = json ? Format::json : Format::table;
  return chosen(common);
}

}  // namespace cli
