#include "agent/serve/pair.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <filesystem>
#include <utility>

#include "agent/serve/paths.h"
#include "base/log.h"
#include "keepalived/render.h"

namespace serve {

namespace asio = boost::asio;
using base::Error;
using base::Result;
using base::Status;

namespace {

constexpr auto kRetry = std::chrono::seconds(1);
// A check asks for what the agent has said: it ends at once, and once is enough.
constexpr int kCheckEvery = 1, kCheckTime = 2;  // s
constexpr int kAnnounceEvery = 5;               // s

std::string vrrp_folder(const Config& config) { return config.state_dir + "/vrrp"; }
// In memory, as the control socket's folder is.
std::string vrrp_run(const Config& config) { return run_dir(config) + "/vrrp"; }

}  // namespace

Result<pair::Key> key_of(const PairConfig& pair) {
  auto key = pair::read_key(pair.key_file);
  if (!key) return Error{key.error().code, "pair.key_file: " + key.error().what};
  return key;
}

Status check_pair(const Config& config) {
  if (!config.pair || config.pair->key_file.empty()) return base::Unit{};
  const auto key = key_of(*config.pair);
  return key ? Status(base::Unit{}) : key.error();
}

keepalived::Paths pair_paths(const Config& config) {
  keepalived::Paths paths;
  paths.config = vrrp_folder(config) + "/pair.conf";
  paths.pid_file = vrrp_run(config) + "/keepalived.pid";
  paths.check_script = keepalived::check_script_path(vrrp_folder(config));
  paths.run_dir = vrrp_run(config);
  return paths;
}

keepalived::Instance pair_instance(const PairConfig& pair, const netns::LayoutSpec& layout,
                                   const std::string& check_script) {
  keepalived::Instance instance;
  instance.name = "pair";
  instance.interface = pair.interface;
  instance.version = keepalived::Instance::Version::v3;
  instance.start = keepalived::Instance::Start::backup;
  instance.router_id = pair.router_id;
  instance.priority = pair.priority;
  instance.advert = pair.advert;
  instance.nopreempt = !pair.preempt;
  instance.accept = true;
  instance.garp_refresh = kAnnounceEvery;
  instance.source = pair.source;
  instance.peers = {pair.peer};
  instance.scripts = {{"check", check_script, kCheckEvery, 1, 1, kCheckTime}};
  std::vector<base::IpAddress> vips;
  for (const netns::VipSpec& vip : layout.vips) {
    if (vip.keeper != netns::VipKeeper::keepalived) continue;
    if (vip.interface == pair.interface)
      vips.push_back(vip.address);
    else
      instance.floating.push_back({vip.address, vip.interface});
  }
  keepalived::place_vips(instance, vips);
  return instance;
}

Result<std::unique_ptr<Pair>> Pair::open(asio::any_io_executor loop, const Config& config,
                                         keepalived::Process::DropAddresses drop,
                                         VrrpKeeper::Fitness fitness) {
  const keepalived::Paths paths = pair_paths(config);
  std::error_code error;
  std::filesystem::create_directories(vrrp_folder(config), error);
  if (error) return Error{error.value(), "make folder " + vrrp_folder(config)};
  auto keepalived = keepalived::Process::open(paths, std::move(drop));
  if (!keepalived) return keepalived.error();
  return std::unique_ptr<Pair>(
      new Pair(std::move(loop), config, paths, std::move(*keepalived), std::move(fitness)));
}

Pair::Pair(asio::any_io_executor loop, const Config& config, keepalived::Paths paths,
           keepalived::Process keepalived, VrrpKeeper::Fitness fitness)
    : loop_(loop),
      pair_(*config.pair),
      paths_(std::move(paths)),
      keeper_(loop, std::move(keepalived), vrrp_folder(config), vrrp_run(config) + "/vouched-until",
              std::move(fitness)),
      wake_(loop) {}

void Pair::arranged(const netns::LayoutSpec& layout) {
  const auto instance = pair_instance(pair_, layout, paths_.check_script);
  // keepalived advertises something, or there is nothing to be master of.
  std::string text = instance.vips.empty() ? "" : keepalived::render(instance);
  if (knows_ && text == wanted_) return;
  if (instance.vips.empty() && !instance.excluded.empty())
    spdlog::error("pair: no VIP is of the family of {}", pair_.source.text());
  wanted_ = std::move(text);
  knows_ = true;
  wake_.set();
}

void Pair::start() {
  asio::co_spawn(loop_, keeper_.revive(), asio::detached);
  asio::co_spawn(loop_, keeper_.vouch(), asio::detached);
  asio::co_spawn(loop_, follow(), asio::detached);
}

void Pair::finish() {
  finished_ = true;
  keeper_.finish();
  wake_.set();
}

asio::awaitable<void> Pair::follow() {
  std::string carried = "?";  // no text
  while (!finished_) {
    if (!knows_ || carried == wanted_) {
      co_await wake_.wait();
      continue;
    }
    std::string text = wanted_;
    const bool done = co_await carry_out(text);
    if (done) carried = std::move(text);
    if (!done) co_await wake_.wait_for(kRetry);
  }
}

asio::awaitable<bool> Pair::carry_out(std::string text) {
  Status done = base::Unit{};
  if (text.empty())
    done = co_await keeper_.stop();
  else
    done = co_await keeper_.load(std::move(text));
  if (!done) spdlog::error("pair: {}", done.error().message());
  co_return done.ok();
}

}  // namespace serve
