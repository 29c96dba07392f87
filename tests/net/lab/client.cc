// lab_client: the lab's client. `requests` makes many short exchanges and counts who answered;
// `hold` keeps connections open and verifies them. Prints one JSON object (report.h) at the end.
#include <CLI/CLI.hpp>
#include <boost/asio/signal_set.hpp>
#include <cstdio>
#include <fstream>

#include "tests/net/lab/requests.h"

namespace {

namespace asio = boost::asio;
using lab::Load;

struct Options {
  std::string target;
  std::string ready_file;
  bool udp = false;
  double seconds = 0;  // 0: no limit
  uint64_t pause_ms = 0;
  uint64_t deadline_ms = 5000;
  Load load;
};

// "192.0.2.1:80" or "[2001:db8::1]:80"
lab::Target parse_target(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) throw CLI::ValidationError("--target", "no port in " + text);
  std::string host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return {asio::ip::make_address(host), static_cast<uint16_t>(std::stoul(text.substr(colon + 1)))};
}

template <class Protocol>
void start(asio::io_context& loop, const Options& options, const CLI::App& hold, const bool& stop,
           lab::Report& report) {
  const lab::Latch done(nullptr, [&loop](void*) { loop.stop(); });
  if (!hold.parsed()) return lab::start_requests<Protocol>(loop, options.load, stop, done, report);
  const lab::Latch opening(nullptr, [&options](void*) {
    if (!options.ready_file.empty()) std::ofstream(options.ready_file) << "ready\n";
  });
  lab::start_holding<Protocol>(loop, options.load, stop, opening, done, report);
}

lab::Report run(const Options& options, const CLI::App& hold) {
  lab::Report report;
  bool stop = false;
  asio::io_context loop(1);
  if (options.udp)
    start<asio::ip::udp>(loop, options, hold, stop, report);
  else
    start<asio::ip::tcp>(loop, options, hold, stop, report);
  const auto on_stop = [&stop](const auto& status, auto...) {
    if (!status) stop = true;
  };
  asio::signal_set signals(loop, SIGTERM, SIGINT);
  signals.async_wait(on_stop);
  asio::steady_timer timer(loop);
  if (options.seconds > 0) {
    timer.expires_after(std::chrono::milliseconds(static_cast<int64_t>(options.seconds * 1000)));
    timer.async_wait(on_stop);
  }
  loop.run();
  return report;
}

void add_options(CLI::App& command, Options& options) {
  command.add_option("--target", options.target, "ADDRESS:PORT, [ADDRESS]:PORT")->required();
  command.add_flag("--udp", options.udp, "UDP instead of TCP");
  command.add_option("--connections", options.load.connections, "0: until the time is over");
  command.add_option("--seconds", options.seconds, "stop after these; 0: at SIGTERM or when done");
  command.add_option("--pause-ms", options.pause_ms, "after every exchange");
  command.add_option("--deadline-ms", options.deadline_ms, "an operation longer than this failed");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("The lab's client: who answers, and does it go on answering?");
  app.require_subcommand(1);
  Options options;
  CLI::App& requests = *app.add_subcommand("requests", "many short exchanges");
  add_options(requests, options);
  requests.add_option("--concurrency", options.load.concurrency, "connections at a time");
  requests.add_flag("--member-closes", options.load.member_closes,
                    "ask the member to close after the first request");
  requests.add_option("--requests", options.load.requests, "on each connection");
  CLI::App& hold = *app.add_subcommand("hold", "connections that stay");
  add_options(hold, options);
  std::vector<std::string> sources;
  for (CLI::App* command : {&requests, &hold})
    command->add_option("--from", sources, "source addresses, in turn");
  hold.add_option("--ready-file", options.ready_file, "made when all connections are open");
  CLI11_PARSE(app, argc, argv);
  try {
    options.load.target = parse_target(options.target);
    for (const std::string& source : sources)
      options.load.sources.push_back(asio::ip::make_address(source));
    options.load.pause = std::chrono::milliseconds(options.pause_ms);
    options.load.deadline = std::chrono::milliseconds(options.deadline_ms);
    const lab::Report report = run(options, hold);
    std::printf("%s\n", report.json().dump(2).c_str());
    return report.error_count() == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "lab_client: %s\n", error.what());
    return 1;
  }
}
