#include "keepalived/process.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <thread>

#include "base/file.h"
#include "process/child.h"

namespace keepalived {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using base::Error;
using base::Result;
using base::Status;
using base::Unit;

constexpr auto kRestartPause = 500ms;  // what dies at once is not started in a loop
constexpr auto kStartTime = 10s;
constexpr auto kStopTime = 5s;
constexpr size_t kMostLog = 1 << 20;
constexpr size_t kMostSaid = 500;  // bytes of the log in an error

// keepalived takes such a path for a pattern, or for more than one word.
bool is_plain_path(const std::string& path) {
  return path.starts_with("/") &&
         path.find_first_of(" \t\n\"'\\*?[]{}~$!#@;()") == std::string::npos;
}

std::vector<base::IpAddress> all_vips(const Instance& instance) {
  std::vector<base::IpAddress> all = instance.vips;
  all.insert(all.end(), instance.excluded.begin(), instance.excluded.end());
  return all;
}

}  // namespace

Result<Process> Process::open(Paths paths, DropAddresses drop) {
  for (const std::string* path : {&paths.config, &paths.pid_file, &paths.run_dir})
    if (!is_plain_path(*path)) return Error{0, "keepalived cannot read a path like " + *path};
  std::error_code error;
  std::filesystem::create_directories(paths.run_dir, error);
  if (error) return Error{error.value(), "make folder " + paths.run_dir};
  if (::chmod(paths.run_dir.c_str(), 0700) != 0) return Error{errno, "chmod 0700 " + paths.run_dir};
  Process process(std::move(paths), std::move(drop));
  process.adopt();
  return process;
}

// Ours is the one that was started with our main file.
void Process::adopt() {
  process_ = process::Process::find(paths_.pid_file, run("keepalived.conf"));
  if (!process_) return;
  if (auto instance = read()) instance_ = std::move(*instance);
}

Result<Instance> Process::read() const {
  auto text = base::read_file(paths_.config);
  if (!text) return text.error();
  auto document = Document::parse(std::move(*text), paths_.check_script);
  if (!document) return Error{0, paths_.config + ": " + document.error().message()};
  return document->instance();
}

Status Process::start() {
  Result<Instance> instance = read();
  if (!instance) return instance.error();
  if (running()) {
    process_->send(SIGHUP);
    counts_.reloads++;
    instance_ = std::move(*instance);
    return Unit{};
  }
  // What an earlier one has left behind, perhaps of another text.
  if (auto done = drop(); !done) return done.error();
  instance_ = std::move(*instance);
  if (auto done = drop(); !done) return done.error();
  if (auto done = launch(); !done) return done.error();
  counts_.starts++;
  return Unit{};
}

// What was loaded is noted when it has been: killed before that, the next Process loads it again.
Status Process::load(const std::string& text) {
  constexpr const char* kLoaded = "loaded.conf";
  const auto loaded = base::read_file(run(kLoaded));
  if (running() && loaded.ok() && *loaded == text) return Unit{};
  const std::filesystem::path config(paths_.config);
  auto written =
      base::replace_file(config.parent_path().string(), config.filename().string(), text, 0600);
  if (!written) return written;
  if (auto started = start(); !started) return started;
  return base::replace_file(paths_.run_dir, kLoaded, text, 0600);
}

// keepalived forks a child that speaks VRRP; both are needed.
Status Process::launch() {
  end_child();
  if (auto done = write_main(); !done) return done.error();
  for (const std::string& file : {paths_.pid_file, run("vrrp.pid")}) ::unlink(file.c_str());
  const std::string log = run("keepalived.log");
  struct stat status {};
  if (::stat(log.c_str(), &status) == 0 && static_cast<size_t>(status.st_size) > kMostLog)
    ::unlink(log.c_str());
  const std::string to_syslog = paths_.log_facility
                                    ? "--log-facility=" + std::to_string(*paths_.log_facility)
                                    : "--no-syslog";
  auto started = process::start(
      {{paths_.binary, "--dont-fork", "--log-console", to_syslog, "--vrrp", "--use-file",
        run("keepalived.conf"), "--pid", paths_.pid_file, "--vrrp_pid", run("vrrp.pid")},
       log});
  if (!started) return started.error();
  if (auto awaited = await_start(*started); !awaited) return awaited.error();
  process_ = std::move(*started);
  return Unit{};
}

Status Process::await_start(const process::Process& started) {
  for (const auto end = Clock::now() + kStartTime; Clock::now() < end;) {
    if (started.has_ended()) break;
    if (process::pid_in(paths_.pid_file) == started.pid() && process::pid_in(run("vrrp.pid")))
      return Unit{};
    std::this_thread::sleep_for(10ms);
  }
  const bool has_ended = started.has_ended();
  started.end(1s);
  end_child();
  return Error{has_ended ? 0 : ETIMEDOUT, "start keepalived: " + last_words()};
}

Status Process::write_main() {
  // The scripts are ours; keepalived's own choice of user may not read what they read. Without a
  // router_id it asks a name server for this machine's name before it starts, for ten seconds where
  // none answers; mails, which say it, are never sent.
  const std::string text =
      "# Written by amphora-xdp-agent; changes are lost.\n"
      "global_defs {\n    script_user root\n    router_id amphora\n}\n"
      "include " +
      paths_.config + "\n";
  return base::replace_file(paths_.run_dir, "keepalived.conf", text, 0600);
}

// A child whose parent was killed is told to end; it is not waited for by anybody.
void Process::end_child() {
  const auto child = process::Process::find(run("vrrp.pid"), run("keepalived.conf"));
  if (child) child->end(2s);
}

Status Process::drop() {
  if (!instance_) return Unit{};
  Status dropped = drop_(instance_->interface, all_vips(*instance_));
  for (const Floating& one : instance_->floating)
    if (auto done = drop_(one.interface, {one.address}); !done) dropped = done;
  return dropped;
}

Status Process::stop() {
  if (process_) process_->end(kStopTime);
  end_child();
  process_.reset();
  auto dropped = drop();
  instance_.reset();
  return dropped;
}

Result<bool> Process::revive() {
  if (!process_ || !process_->has_ended()) return false;
  // First of all: the peer has begun to count.
  end_child();
  auto dropped = drop();
  if (Clock::now() < not_before_) return false;
  not_before_ = Clock::now() + kRestartPause;
  // Refused: process_ is the dead one still, and the next call tries again.
  if (auto launched = launch(); !launched) return launched.error();
  counts_.restarts++;
  if (!dropped) return dropped.error();
  return true;
}

std::string Process::last_words() const {
  const auto log = base::read_file(run("keepalived.log"));
  if (!log || log->empty()) return "it did not say why";
  return log->substr(log->size() - std::min(log->size(), kMostSaid));
}

}  // namespace keepalived
