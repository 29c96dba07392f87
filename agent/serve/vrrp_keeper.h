// VrrpKeeper: keeps keepalived alive while it is wanted, and vouches for this node as long as it is
// fit to have the VIPs.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/octavia/parts.h"
#include "agent/reconcile/event.h"
#include "agent/reconcile/worker.h"
#include "keepalived/check_scripts.h"
#include "keepalived/process.h"

namespace serve {

class VrrpKeeper final : public octavia::Vrrp {
 public:
  // nullopt: nothing is known yet, and what an agent before this one has said holds as long as it
  // said.
  using Fitness = std::function<std::optional<keepalived::Fitness>()>;

  // `vrrp_folder` is <base_path>/vrrp; `vouch_file` is in a folder of a tmpfs, which is there.
  // `fitness` is asked on the loop, and must not wait.
  VrrpKeeper(boost::asio::any_io_executor loop, keepalived::Process keepalived,
             std::string vrrp_folder, std::string vouch_file, Fitness fitness);

  // Starts what was uploaded before the machine booted, as soon as it can: keepalived ends at once
  // where its interface is not there yet. Until it runs, or somebody asks for something else.
  boost::asio::awaitable<void> resume();
  // Two jobs, each until finish(): the second goes on while the first waits for keepalived.
  boost::asio::awaitable<void> revive();
  boost::asio::awaitable<void> vouch();
  // `fitness` has changed, and keepalived is to know at its next check.
  void look_again() { wake_vouch_.set(); }
  void finish();
  // Called whenever instance() is another one.
  void on_instance(std::function<void()> told) { told_ = std::move(told); }

  // Has keepalived run this text, of ours.
  octavia::Awaited<base::Status> load(std::string text);

  octavia::Awaited<base::Status> examine(std::string text) override;
  octavia::Awaited<base::Status> uploaded() override;
  octavia::Awaited<base::Status> start() override;
  octavia::Awaited<base::Status> stop() override;
  octavia::Awaited<base::Status> reload() override;
  // The scripts do not depend on what is uploaded: `fitness` does.
  octavia::Awaited<base::Status> refresh_checks(octavia::Uploads uploads) override;
  bool running() const override { return running_; }

  // What the text says that runs; nullopt: none does.
  const std::optional<keepalived::Instance>& instance() const { return instance_; }
  const keepalived::Counts& counts() const { return counts_; }
  // Why this node is not vouched for; empty: it is.
  const std::vector<std::string>& reasons_against() const { return reasons_; }

 private:
  // What keepalived is, on the loop, after a call on its worker.
  struct State {
    base::Status done = base::Unit{};
    bool running = false;
    std::optional<keepalived::Instance> instance;
    keepalived::Counts counts;
    pid_t pid = 0;
  };
  void watch(pid_t pid);
  octavia::Awaited<base::Status> launch();
  octavia::Awaited<base::Status> call(std::function<base::Status(keepalived::Process&)> what);

  keepalived::Process keepalived_;  // its worker's
  std::string folder_, vouch_file_;
  Fitness fitness_;
  std::function<void()> told_;  // may be empty
  keepalived::Vouch vouch_;
  reconcile::Event wake_, wake_vouch_, wake_resume_;
  boost::asio::posix::stream_descriptor end_;  // of the keepalived that runs: a pidfd
  pid_t watched_ = 0;
  bool finished_ = false, running_ = false;
  bool was_asked_ = false;  // to start or to stop
  std::optional<keepalived::Instance> instance_;
  keepalived::Counts counts_;
  std::vector<std::string> reasons_;
  reconcile::Worker worker_;  // last: it ends before what it works on
};

}  // namespace serve
