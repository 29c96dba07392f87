#include "agent/serve/amphora.h"

#include <unistd.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <filesystem>
#include <utility>
#include <variant>

#include "agent/http/tcp_listener.h"
#include "agent/octavia/answers.h"
#include "agent/octavia/connection_logs.h"
#include "agent/octavia/narrow.h"
#include "agent/serve/paths.h"
#include "base/file.h"
#include "base/log.h"
#include "netns/network.h"
#include "process/child.h"

namespace serve {
namespace {

namespace asio = boost::asio;
using base::Error;
using base::Result;
using base::Status;
using base::Unit;
using octavia::AmphoraConf;
using octavia::Uploads;

base::Uuid id_of(const AmphoraConf& conf) {
  return base::Uuid::parse(conf.amphora_id).value_or(base::Uuid{});
}

std::string hostname() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "amphora";
}

// On a tmpfs: nothing there is needed after a boot.
constexpr const char* kVrrpRun = "/run/amphora-xdp/vrrp";

std::string vrrp_folder(const AmphoraConf& conf) { return conf.base_path + "/vrrp"; }

octavia::PlugStore::Paths plug_paths(const AmphoraConf& conf) {
  octavia::PlugStore::Paths paths;
  paths.interfaces = conf.agent_server_network_dir;
  paths.base = conf.base_path;
  return paths;
}

HeartbeatSender::Settings settings_of(const AmphoraConf& conf) {
  return {conf.controllers, conf.heartbeat_interval, conf.heartbeat_key};
}

}  // namespace

Result<AmphoraEntry> AmphoraEntry::open(const std::string& file) {
  auto read = octavia::read_conf(file);
  if (!read) return read.error();
  for (const std::string& option : read->unknown)
    spdlog::warn("{}: {} is not known, and ignored", file, option);
  AmphoraEntry entry;
  entry.file = file;
  entry.conf = std::move(read->conf);
  const auto pem = base::read_file(entry.conf.agent_server_cert);
  if (!pem) return pem.error();
  auto tls = http::mutual_tls(*pem, entry.conf.agent_server_ca);
  if (!tls) return Error{0, entry.conf.agent_server_cert + ": " + tls.error().message()};
  entry.tls = std::move(*tls);
  auto listener = http::listen_tcp(entry.conf.bind, http::Stack::dual);
  if (!listener) return listener.error();
  entry.listener = std::move(*listener);
  entry.heartbeats = HeartbeatSockets::open();
  return entry;
}

keepalived::Paths vrrp_paths(const AmphoraConf& conf) {
  keepalived::Paths paths;
  paths.config = vrrp_folder(conf) + "/octavia-keepalived.conf";
  paths.pid_file = vrrp_folder(conf) + "/octavia-keepalived.pid";
  paths.check_script = keepalived::check_script_path(vrrp_folder(conf));
  paths.run_dir = kVrrpRun;
  paths.log_facility = conf.administrative_log_facility;
  return paths;
}

Result<keepalived::Process::DropAddresses> drop_in(const netns::Namespace& space) {
  auto network = netns::Network::open(space);
  if (!network) return network.error();
  // A function can be copied, and a Network cannot.
  auto shared = std::make_shared<netns::Network>(std::move(*network));
  return keepalived::Process::DropAddresses(
      [shared](const std::string& interface, const std::vector<base::IpAddress>& addresses) {
        Status done = Unit{};
        for (const base::IpAddress& address : addresses) {
          auto one = shared->apply(netns::RemoveAddress{interface, {address, address.bits()}});
          if (!one && done) done = std::move(one);
        }
        return done;
      });
}

octavia::Folders folders_of(const AmphoraEntry& entry) {
  return {entry.conf.base_path, entry.conf.base_cert_dir, entry.conf.agent_server_cert,
          std::filesystem::absolute(entry.file).string()};
}

namespace {

// A text that cannot be translated is left out of `uploads`.
model::Model uploaded_model(Uploads& uploads, const base::Uuid& amphora) {
  auto model = octavia::model_of_readable(
      uploads, amphora, [](const std::string& reason) { spdlog::error("left out: {}", reason); });
  if (model) return std::move(*model);
  spdlog::error("the uploads are left out: {}", model.error().message());
  uploads = {};
  model::Model nothing;
  nothing.amphora.emplace();
  return nothing;
}

}  // namespace

void apply_image_sysctls(const netns::Namespace& space) {
  constexpr std::chrono::seconds kLimit{10};
  const auto ended = netns::run_in(space.fd(), [&]() -> Result<process::Ended> {
    return process::run({"/lib/systemd/systemd-sysctl", "--prefix=/net"}, kLimit);
  });
  if (!ended)
    spdlog::warn("sysctls of the image: {}", ended.error().message());
  else if (ended->status != 0)
    spdlog::warn("sysctls of the image: exit status {}: {}", ended->status, ended->said);
}

Status begin_as_amphora(AmphoraEntry& entry, Config& config, serve::Parts& parts) {
  auto uploads = octavia::Files(folders_of(entry)).uploads();
  if (!uploads) spdlog::error("the uploads are left out: {}", uploads.error().message());
  if (uploads) entry.begun.uploads = std::move(*uploads);
  entry.begun.model = uploaded_model(entry.begun.uploads, id_of(entry.conf));
  auto loaded = octavia::PlugStore(plug_paths(entry.conf)).load();
  if (!loaded) return loaded.error();
  for (const std::string& file : loaded->unreadable) spdlog::error("left out: {}", file);
  entry.begun.plugs = std::move(loaded->plugs);
  const octavia::Plugs& plugs = entry.begun.plugs;
  parts.storage = std::make_unique<reconcile::NoStorage>();
  parts.model = entry.begun.model;
  if (plugs.rules) octavia::narrow(parts.model, *plugs.rules);
  config.layout = octavia::layout_of(plugs.files, plugs.macs);
  return Unit{};
}

Result<std::unique_ptr<Amphora>> Amphora::open(asio::any_io_executor loop, AmphoraEntry entry,
                                               const Config& config, Around around) {
  auto drop = drop_in(around.space);
  if (!drop) return drop.error();
  auto keepalived = keepalived::Process::open(vrrp_paths(entry.conf), std::move(*drop));
  if (!keepalived) return keepalived.error();
  return std::unique_ptr<Amphora>(
      new Amphora(std::move(loop), std::move(entry), config, around, std::move(*keepalived)));
}

Amphora::Amphora(asio::any_io_executor loop, AmphoraEntry entry, const Config& config,
                 Around around, keepalived::Process keepalived)
    : loop_(loop),
      entry_(std::move(entry)),
      around_(around),
      documents_(octavia::Files(folders_of(entry_))),
      checker_(haproxy_paths(config)),
      vrrp_(loop, std::move(keepalived), vrrp_folder(entry_.conf),
            std::string(kVrrpRun) + "/vouched-until", around_.fitness),
      plug_network_(around.space, around.delivery, around.announce_again),
      plugging_(
          plug_network_,
          [this](std::function<Status()> call) { return plug_worker_.run(std::move(call)); },
          octavia::PlugStore(plug_paths(entry_.conf)), std::move(entry_.begun.plugs),
          [this] { return entry_.conf.topology; }),
      wanted_(std::move(entry_.begun.model)),
      applier_(id_of(entry_.conf),
               {checker_, [this](model::Model model) { return carry_out(std::move(model)); },
                [this] { return around_.findings.haproxy().answers ? 1 : 0; },
                [this](const Uploads& uploads) {
                  around_.flow_log.set_logs(octavia::connection_logs(uploads));
                  around_.announce_again();
                }}),
      door_(loop, {documents_, applier_, plugging_, vrrp_, *this},
            {hostname(), octavia::find_versions(entry_.conf.haproxy_cmd)}),
      composer_({around.storage, around.changes, around.findings, around.statistics, around.machine,
                 documents_, vrrp_, around.by_haproxy},
                {config.state_dir, entry_.conf.base_path}, entry_.conf.amphora_id),
      sender_(loop, std::move(entry_.heartbeats),
              [this](uint64_t seq) { return composer_.compose(seq); }) {
  around_.flow_log.set_logs(octavia::connection_logs(entry_.begun.uploads));
  entry_.begun = {};
  vrrp_.on_instance(around_.other_node);
  plug_network_.enforce_with([this] { return carry_out(wanted_); });
}

Status Amphora::start() {
  http::TcpOptions options;
  options.listener = std::move(entry_.listener);
  options.tls = entry_.tls;
  options.words = octavia::refusal;
  options.limits.body = entry_.conf.agent_request_read_timeout;
  auto server = http::Server::start_tcp(loop_, std::move(options), [this](http::Request request) {
    return door_.handle(std::move(request));
  });
  if (!server) return server.error();
  server_ = std::move(*server);
  sender_.configure(settings_of(entry_.conf));
  asio::co_spawn(loop_, sender_.run(), asio::detached);
  keep_vrrp();
  spdlog::info("amphora {}, REST API on {}", entry_.conf.amphora_id, entry_.conf.bind.text());
  return Unit{};
}

asio::awaitable<void> Amphora::resume_vrrp() {
  const octavia::Document document{octavia::Document::Kind::vrrp};
  const auto text = co_await documents_.read(document);
  if (text.ok() && text->has_value()) co_await vrrp_.resume();
}

// A single amphora has no keepalived to look after.
void Amphora::keep_vrrp() {
  if (keeps_vrrp_ || entry_.conf.topology == octavia::Topology::single) return;
  keeps_vrrp_ = true;
  asio::co_spawn(loop_, resume_vrrp(), asio::detached);
  asio::co_spawn(loop_, vrrp_.revive(), asio::detached);
  asio::co_spawn(loop_, vrrp_.vouch(), asio::detached);
}

void Amphora::stop() {
  if (server_) server_->stop();
  sender_.stop();
  vrrp_.finish();
}

Status Amphora::examine_certificate(const std::string& pem) {
  const auto tls = http::mutual_tls(pem, entry_.conf.agent_server_ca);
  if (!tls) return tls.error();
  return Unit{};
}

Status Amphora::show_certificate(const std::string& pem) {
  auto tls = http::mutual_tls(pem, entry_.conf.agent_server_ca);
  if (!tls) return tls.error();
  server_->show(std::move(*tls));
  return Unit{};
}

void Amphora::reconfigure(const AmphoraConf& conf) {
  entry_.conf = conf;
  sender_.configure(settings_of(conf));
  keep_vrrp();
  around_.other_node();
}

// The whole model is replaced: the uploads are all there is to be wanted.
octavia::Awaited<Status> Amphora::carry_out(model::Model model) {
  wanted_ = model;
  if (const auto& rules = plugging_.plugs().rules) octavia::narrow(model, *rules);
  auto shared = std::make_shared<const model::Model>(std::move(model));
  reconcile::Edit replace = [shared](const model::Model&, const model::Context&) {
    return model::Outcome<model::Edited>(model::Edited{*shared, {}});
  };
  const auto outcome = co_await around_.changes.change(std::move(replace));
  if (const auto* fault = std::get_if<model::Fault>(&outcome)) co_return Error{0, fault->text};
  co_return co_await around_.delivery.carried_out(around_.delivery.revision());
}

}  // namespace serve
