#include "haproxy/process.h"

#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <thread>

#include "haproxy/check.h"
#include "haproxy/files.h"
#include "haproxy/uploaded.h"

namespace haproxy {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using base::Error;
using base::Result;
using base::Status;
using base::Unit;

constexpr const char* kUser = "haproxy";
constexpr unsigned kMostThreads = 4;
constexpr const char* kLogSocket = "/dev/log";
// A worker that hangs keeps nobody else waiting for long.
constexpr auto kTimeOfTheSilent = 100ms;
constexpr auto kRestartPause = 500ms;  // what dies at once is not started in a loop

uint64_t most_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  // What HAProxy would be given of no limit at all.
  constexpr rlim_t kEnough = 1 << 20;
  return std::min(limit.rlim_max, kEnough);
}

}  // namespace

Surroundings look_around(const Paths& paths) {
  Surroundings around;
  around.stats_socket = paths.run_dir + "/stats.sock";
  around.server_state_file = paths.state_dir + "/servers-state";
  around.descriptors = most_descriptors();
  around.threads = std::clamp(std::thread::hardware_concurrency(), 1U, kMostThreads);
  if (::getpwnam(kUser) != nullptr) around.user = kUser;
  if (::getgrnam(kUser) != nullptr) around.group = kUser;
  if (::access(kLogSocket, W_OK) == 0) around.log_socket = kLogSocket;
  for (const char* group : {"nogroup", "nobody"})
    if (around.group_of_uploads.empty() && ::getgrnam(group) != nullptr)
      around.group_of_uploads = group;
  return around;
}

Process::Process(Paths paths) : paths_(std::move(paths)), around_(look_around(paths_)) {}

Result<Process> Process::open(Paths paths) {
  if (auto made = make_private_folders({paths.run_dir, paths.state_dir}); !made)
    return made.error();
  Process process(std::move(paths));
  process.adopt();
  return process;
}

// Ours is the master that answers at our socket and whose pid is noted. Another one, or none: the
// next apply() starts anew. Without an accepted text somebody was killed who had just started it,
// and knew not yet whether it serves: the next apply() reloads it.
void Process::adopt() {
  const Result<Processes> found = processes();
  if (!found || found->master != process::pid_in(run("haproxy.pid"))) return;
  master_ = process::Process::of(found->master);
  text_ = read_file(accepted()).value_or("");
  for (const pid_t pid : found->old_workers)
    if (const auto started = process::start_of(pid)) workers_[{pid, *started}];
  // Without a worker, revive() sees to it.
  if (found->worker && !take_worker(*found)) current_.reset();
}

Status Process::apply(const Spec& spec) {
  wanted_.clear();
  for (const auto& [id, backend] : spec.backends)
    for (const Server& server : backend.servers)
      if (server.health) wanted_[{id, server.member}] = *server.health;
  if (serves_something(spec))
    if (auto found = look_up_user(); !found) return found;
  Result<std::string> text = text_of(spec);
  if (!text) return text.error();
  if (text->empty()) {
    stop();
    return Unit{};
  }
  if (*text != text_ || !master_ || !current_)
    if (auto loaded = load(*text); !loaded) return loaded;
  return tell_health();
}

// Each time: a worker that finds nobody to become would stay root.
Status Process::look_up_user() {
  around_.user = ::getpwnam(kUser) != nullptr ? kUser : "";
  around_.group = ::getgrnam(kUser) != nullptr ? kUser : "";
  if (!around_.user.empty() && !around_.group.empty()) return Unit{};
  return Error{0, std::string("there is no user and group ") + kUser +
                      " for HAProxy's workers to become: install the package haproxy"};
}

// "": nothing is to be served.
Result<std::string> Process::text_of(const Spec& spec) const {
  if (!spec.uploaded) return spec.frontends.empty() ? std::string() : render(spec, around_);
  if (spec.uploaded->text.empty()) return std::string();
  if (auto good = examine_upload(*spec.uploaded, paths_.uploads_dir); !good) return good.error();
  if (auto made = write_ping_wrapper(spec.uploaded->text); !made) return made.error();
  return own_section(*spec.uploaded, around_) +
         (paths_.hands_peers_on ? with_own_peer_here(*spec.uploaded) : spec.uploaded->text);
}

Status Process::load(const std::string& text) {
  if (auto checked = check(paths_.binary, paths_.run_dir, {text}); !checked) return checked;
  if (auto saved = save_states(server_state_file(text)); !saved) return saved;
  if (auto written = write_file(config(), text); !written) return written;
  const bool is_there = master_ && !master_->has_ended();
  Status loaded = is_there ? reload() : start();
  if (!loaded) {
    // What serves is the text before; and whatever starts it again must find that.
    if (!text_.empty())
      if (auto restored = write_file(config(), text_); !restored) return restored;
    return loaded;
  }
  text_ = text;
  return write_file(accepted(), text_);
}

// Before another worker starts: it begins with what this one knows.
Status Process::save_states(const std::string& file) {
  if (!current_ || file.empty()) return Unit{};
  const auto found = workers_.find(*current_);
  if (found == workers_.end() || !found->second.cli) return Unit{};
  const Result<std::string> states = found->second.cli->ask("show servers state");
  if (!states) return Unit{};  // it has died: all begin up, as at the first start
  std::error_code ignored;     // what cannot be made cannot be written to, which is told
  std::filesystem::create_directories(std::filesystem::path(file).parent_path(), ignored);
  return write_file(file, *states);
}

void Process::forget_states(const std::string& file) {
  if (file.empty()) return;
  // An old file would say what was long ago; none at all is a warning of HAProxy's.
  if (auto written = write_file(file, "1\n"); !written) ::unlink(file.c_str());
}

Status Process::tell_health() {
  const auto held = current_ ? workers_.find(*current_) : workers_.end();
  if (held == workers_.end() || !held->second.cli)
    return wanted_.empty() ? Status(Unit{}) : Error{0, "haproxy has no worker to tell"};
  std::erase_if(told_, [this](const auto& entry) { return !wanted_.contains(entry.first); });
  for (const auto& [name, health] : wanted_) {
    if (const auto known = told_.find(name); known != told_.end() && known->second == health)
      continue;
    const std::string server = name.first.text() + "/" + name.second.text();
    const std::string word = health == Health::up ? "up" : "down";
    Result<std::string> answer = held->second.cli->ask("set server " + server + " health " + word);
    if (!answer) return answer.error();
    if (answer->find_first_not_of(" \n") != std::string::npos)
      return Error{0, "set health of server " + server + " to " + word + ": " + *answer};
    told_[name] = health;
  }
  return Unit{};
}

bool Process::is_gone() const {
  return !master_ && workers_.empty() &&
         std::ranges::all_of(leaving_, [](const auto& master) { return master.has_ended(); });
}

Result<bool> Process::revive() {
  trim_log();
  std::erase_if(leaving_, [](const auto& master) { return master.has_ended(); });
  if (text_.empty() || !master_) return false;
  const bool master_died = master_->has_ended();
  if (!master_died && worker_ && !worker_->has_ended()) return false;
  if (Clock::now() < not_before_) return false;
  not_before_ = Clock::now() + kRestartPause;
  if (auto restarted = restart(); !restarted) return restarted.error();
  counts_.restarts++;
  return true;
}

Status Process::restart() {
  const bool master_died = master_->has_ended();
  if (auto written = write_file(config(), text_); !written) return written;
  if (master_died) {
    if (auto started = start(); !started) return started;
  } else {
    forget_states(server_state_file(text_));
    if (auto reloaded = reload(); !reloaded) return reloaded;
  }
  return tell_health();
}

// With those that an earlier agent could not note.
void Process::stop() {
  let_go();
  for (process::Process& one : process::Process::find_all(master_option())) {
    if (std::ranges::find(leaving_, one.pid(), &process::Process::pid) != leaving_.end()) continue;
    one.send(SIGUSR1);
    leaving_.push_back(std::move(one));
  }
}

// Connections live on; the master ends with the last of them.
void Process::let_go() {
  if (master_ && !master_->has_ended()) {
    master_->send(SIGUSR1);
    leaving_.push_back(std::move(*master_));
  }
  master_.reset();
  worker_.reset();
  current_.reset();
  text_.clear();
  told_.clear();
  // First: a master that leaves is nobody's to adopt.
  ::unlink(run("haproxy.pid").c_str());
  ::unlink(accepted().c_str());
}

Result<std::vector<WorkerStats>> Process::stats() {
  std::vector<WorkerStats> all;
  for (auto it = workers_.begin(); it != workers_.end();) {
    std::optional<WorkerStats> stats = stats_of(it->first, it->second);
    // One that is slow, or cannot be reached now, is asked again until it is gone.
    const bool stays = stats ? !stats->last : process::start_of(it->first.pid) == it->first.start;
    if (stats) it->second.said = stats;
    if (!stats && stays && it->second.said) {
      stats = it->second.said;
      stats->answers = false;
    }
    if (stats) all.push_back(std::move(*stats));
    it = stays ? std::next(it) : workers_.erase(it);
  }
  return all;
}

// nullopt: it does not answer.
std::optional<WorkerStats> Process::stats_of(const WorkerId& id, Held& held) {
  WorkerStats stats;
  stats.worker = id;
  stats.current = current_ == id;
  if (!held.cli) {
    const auto csv = ask_once(master_socket(), "@!" + std::to_string(id.pid) + " show stat");
    if (!csv || !parse_stats(*csv, stats)) return std::nullopt;
    return stats;
  }
  // In this order: what is counted after it had nothing left to do is complete.
  const auto limit = held.is_silent ? kTimeOfTheSilent : kAnswerTime;
  const Result<std::string> info = held.cli->ask("show info", limit);
  const Result<std::string> csv =
      info ? held.cli->ask("show stat", limit) : Result<std::string>(info.error());
  held.is_silent = !csv && csv.error().code == ETIMEDOUT;
  if (!csv) {
    if (!held.is_silent) held.cli.reset();
    return std::nullopt;
  }
  if (!parse_stats(*csv, stats)) return std::nullopt;
  constexpr uint64_t kOurOwn = 1;
  stats.last = !stats.current && is_drained(*info, kOurOwn);
  return stats;
}

void Process::teardown() {
  if (master_) leaving_.push_back(std::move(*master_));
  for (const process::Process& master : leaving_) master.send(SIGTERM);
  const auto end = Clock::now() + 2s;
  for (const process::Process& master : leaving_)
    master.wait(std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()));
  for (const process::Process& master : leaving_) master.end(0ms);
  for (const auto& [id, held] : workers_)
    if (process::start_of(id.pid) == id.start) ::kill(id.pid, SIGKILL);
  leaving_.clear();
  workers_.clear();
  let_go();
  for (const char* name :
       {"haproxy.cfg", "haproxy.log", "haproxy.pid", "master.sock", "stats.sock"})
    ::unlink(run(name).c_str());
  ::unlink(around_.server_state_file.c_str());
}

}  // namespace haproxy
