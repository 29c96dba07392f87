// Amphora: the agent as Octavia's controllers expect it: their door over mutual TLS, and heartbeats
// (contract, sections 1 and 4). Beside it, everything runs as it does standalone.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>

#include "agent/http/server.h"
#include "agent/octavia/amphora_conf.h"
#include "agent/octavia/door.h"
#include "agent/octavia/plugging.h"
#include "agent/octavia/uploads_applier.h"
#include "agent/serve/config.h"
#include "agent/serve/flow_logger.h"
#include "agent/serve/heartbeat.h"
#include "agent/serve/heartbeat_composer.h"
#include "agent/serve/parts.h"
#include "agent/serve/real_checker.h"
#include "agent/serve/real_documents.h"
#include "agent/serve/real_plug_network.h"
#include "agent/serve/vrrp_keeper.h"
#include "base/fd.h"
#include "base/result.h"

namespace serve {

// What is opened in the network namespace that the agent was started in: the management network.
struct AmphoraEntry {
  std::string file;  // amphora-agent.conf
  octavia::AmphoraConf conf;
  base::Fd listener;
  http::TlsContext tls;
  HeartbeatSockets heartbeats;
  // What Octavia's files say, once begin_as_amphora() has read them.
  struct Begun {
    octavia::Uploads uploads;
    octavia::Plugs plugs;
    model::Model model;  // of the uploads, before rules of the VIP narrow it
  } begun = {};

  // Reads the configuration; unknown options are named in the log.
  static base::Result<AmphoraEntry> open(const std::string& file);
};

octavia::Folders folders_of(const AmphoraEntry& entry);

keepalived::Paths vrrp_paths(const octavia::AmphoraConf& conf);
// Takes addresses off interfaces of `space`, which outlives it.
base::Result<keepalived::Process::DropAddresses> drop_in(const netns::Namespace& space);

// What the image's sysctl.d says of the network holds in `space`, which was just made, as in the
// namespace that the machine began with (8.7). It may fail: that is said in the log. Blocks.
void apply_image_sysctls(const netns::Namespace& space);

// What is wanted is in Octavia's files: the agent begins with what they say. What cannot be read
// any more is left out and said in the log; controllers can send it again. Blocks.
base::Status begin_as_amphora(AmphoraEntry& entry, Config& config, Parts& parts);

class Amphora final : public octavia::Running {
 public:
  // Of the running agent; all outlive it.
  struct Around {
    const netns::Namespace& space;
    reconcile::Worker& storage;
    reconcile::Changes& changes;
    reconcile::Delivery& delivery;
    const reconcile::Findings& findings;
    const statistics::Statistics& statistics;
    control::Operator& machine;
    FlowLogger& flow_log;
    VrrpKeeper::Fitness fitness;                       // of this node
    std::function<void()> announce_again;              // NetworkKeeper's
    std::function<std::set<base::Uuid>()> by_haproxy;  // listeners that it serves
    std::function<void()> other_node;  // may be another one now, or have another key
  };
  static base::Result<std::unique_ptr<Amphora>> open(boost::asio::any_io_executor loop,
                                                     AmphoraEntry entry, const Config& config,
                                                     Around around);

  // Serves from when the loop runs until stop().
  base::Status start();
  void stop();

  base::Status examine_certificate(const std::string& pem) override;
  base::Status show_certificate(const std::string& pem) override;
  const VrrpKeeper& vrrp() const { return vrrp_; }
  const octavia::AmphoraConf& conf() const override { return entry_.conf; }
  void reconfigure(const octavia::AmphoraConf& conf) override;

 private:
  Amphora(boost::asio::any_io_executor loop, AmphoraEntry entry, const Config& config,
          Around around, keepalived::Process keepalived);
  void keep_vrrp();
  boost::asio::awaitable<void> resume_vrrp();
  octavia::Awaited<base::Status> carry_out(model::Model model);

  boost::asio::any_io_executor loop_;
  AmphoraEntry entry_;
  Around around_;
  RealDocuments documents_;
  RealChecker checker_;
  VrrpKeeper vrrp_;
  bool keeps_vrrp_ = false;  // its jobs run
  RealPlugNetwork plug_network_;
  reconcile::Worker plug_worker_;
  octavia::AmphoraPlugging plugging_;
  model::Model wanted_;  // as the uploads say, before rules of the VIP narrow it
  octavia::UploadsApplier applier_;
  octavia::Door door_;
  HeartbeatComposer composer_;
  HeartbeatSender sender_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace serve
