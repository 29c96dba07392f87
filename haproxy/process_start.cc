// The half of Process that makes processes: check, start, reload, and waiting for what came of it.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <thread>
#include <vector>

#include "haproxy/check.h"
#include "haproxy/files.h"
#include "haproxy/process.h"
#include "haproxy/uploaded.h"
#include "process/child.h"

namespace haproxy {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using base::Error;
using base::Result;
using base::Status;
using base::Unit;

constexpr auto kPause = 10ms;
constexpr auto kStartTime = 15s;  // the most that HAProxy may take for thousands of servers

}  // namespace

size_t Process::log_size() const {
  struct stat status {};
  return ::stat(log().c_str(), &status) == 0 ? static_cast<size_t>(status.st_size) : 0;
}

// HAProxy appends: it goes on at the new end.
void Process::trim_log() const {
  constexpr size_t kMost = 1 << 20;
  if (log_size() > kMost && ::truncate(log().c_str(), 0) != 0) return;
}

Error Process::failure(const std::string& what, size_t log_from) const {
  return Error{0, what + ": " + alerts(read_file(log(), log_from).value_or(""))};
}

Result<Processes> Process::processes() const {
  Result<std::string> text = ask_once(master_socket(), "show proc");
  if (!text) return text.error();
  const std::optional<Processes> found = parse_processes(*text);
  if (!found) return Error{0, "haproxy's master does not list its processes"};
  return *found;
}

Status Process::spawn() {
  std::vector<std::string> words{paths_.binary,      "-W", "-db",   "-S", master_option(), "-p",
                                 run("haproxy.pid"), "-f", config()};
  if (!donor_.empty()) words.insert(words.end(), {"-x", donor_});
  auto started = process::start({std::move(words), log()});
  if (!started) return started.error();
  master_ = std::move(*started);
  return Unit{};
}

Status Process::start() {
  trim_log();
  forget_states(server_state_file(read_file(config()).value_or("")));
  const size_t log_from = log_size();
  // What a dead master left, and masters that an agent left which was killed while it started
  // them: they accept still, and serve what they have, until the new one does.
  const std::vector<process::Process> left = process::Process::find_all(master_option());
  // Whoever answers from now on is the new one.
  ::unlink(master_socket().c_str());
  if (auto spawned = spawn(); !spawned) return spawned;
  Result<Processes> now = await_start(log_from);
  if (!now) {
    master_->end(0ms);
    master_.reset();
    return now.error();
  }
  counts_.starts++;
  for (const process::Process& one : left) one.send(SIGUSR1);
  return take_worker(*now);
}

Result<Processes> Process::await_start(size_t log_from) {
  for (const auto end = Clock::now() + kStartTime; Clock::now() < end;) {
    if (master_->has_ended()) return failure("haproxy does not start", log_from);
    const Result<Processes> now = processes();
    if (now && now->master == master_->pid() && now->worker) return *now;
    std::this_thread::sleep_for(kPause);
  }
  return Error{ETIMEDOUT, "start haproxy"};
}

Status Process::reload() {
  trim_log();
  Result<Processes> before = processes();
  if (!before) return before.error();
  const size_t log_from = log_size();
  const auto sticks = stick_tables();
  // The master closes without an answer: it becomes itself anew.
  if (auto asked = ask_once(master_socket(), "reload"); !asked && asked.error().code != ECONNRESET)
    return asked.error();
  Result<Processes> now = await_reload(*before, log_from);
  if (!now) return now.error();
  counts_.reloads++;
  if (auto taken = take_worker(*now); !taken) return taken;
  fill_stick_tables(sticks);
  return Unit{};
}

// Before it is told to end: then it empties them.
std::map<std::string, std::vector<StickEntry>> Process::stick_tables() {
  std::map<std::string, std::vector<StickEntry>> all;
  const auto held = current_ ? workers_.find(*current_) : workers_.end();
  if (held == workers_.end() || !held->second.cli) return all;
  Cli& worker = *held->second.cli;
  const Result<std::string> list = worker.ask("show table");
  const std::vector<std::string> tables = list ? used_tables(*list) : std::vector<std::string>{};
  if (tables.empty()) return all;
  const Result<std::string> state = worker.ask("show servers state");
  if (!state) return all;
  const ServerNumbers numbers = server_numbers(*state);
  for (const std::string& table : tables)
    if (const Result<std::string> dump = worker.ask("show table " + table))
      all[table] = stick_entries(table, *dump, numbers);
  return all;
}

// What cannot be told is lost: clients get another server, and keep that.
void Process::fill_stick_tables(const std::map<std::string, std::vector<StickEntry>>& all) const {
  if (all.empty()) return;
  const Result<std::string> state = ask_once(around_.stats_socket, "show servers state");
  if (!state) return;
  const ServerNumbers numbers = server_numbers(*state);
  for (const auto& [table, entries] : all)
    for (const std::string& command : set_commands(table, entries, numbers))
      if (!ask_once(around_.stats_socket, command)) return;
}

Result<Processes> Process::await_reload(const Processes& before, size_t log_from) {
  for (const auto end = Clock::now() + kStartTime; Clock::now() < end;) {
    if (master_->has_ended()) return failure("haproxy ended instead of reloading", log_from);
    const Result<Processes> now = processes();
    if (now && now->reloads != before.reloads) {
      if (now->failed > 0) return failure("haproxy does not reload", log_from);
      if (now->worker && now->worker != before.worker) return *now;
    }
    std::this_thread::sleep_for(kPause);
  }
  return Error{ETIMEDOUT, "reload haproxy"};
}

Status Process::take_worker(const Processes& now) {
  worker_ = process::Process::of(*now.worker);
  told_.clear();
  current_.reset();
  const std::optional<uint64_t> started = process::start_of(*now.worker);
  if (!started) return Error{ESRCH, "worker " + std::to_string(*now.worker) + " of haproxy"};
  current_ = WorkerId{*now.worker, *started};
  for (const auto end = Clock::now() + kStartTime; Clock::now() < end;) {
    if (worker_->has_ended()) break;
    const Result<bool> holds = hold(*current_);
    if (holds && *holds) return Unit{};
    std::this_thread::sleep_for(kPause);
  }
  return Error{0, "worker " + std::to_string(*now.worker) + " of haproxy does not answer"};
}

// Right after a reload the worker before may still be the one that answers.
Result<bool> Process::hold(const WorkerId& id) {
  Result<Cli> cli = Cli::open(around_.stats_socket);
  if (!cli) return cli.error();
  Result<std::string> info = cli->ask("show info");
  if (!info) return info.error();
  if (info->find("\nPid: " + std::to_string(id.pid) + "\n") == std::string::npos) return false;
  workers_[id].cli = std::move(*cli);
  return true;
}

}  // namespace haproxy
