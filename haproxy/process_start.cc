// The half of Process that makes processes: check, start, reload, and waiting for what came of it.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <sstream>
#include <thread>

#include "haproxy/files.h"
#include "haproxy/process.h"

namespace haproxy {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using base::Error;
using base::Result;
using base::Unit;

constexpr auto kPause = 10ms;
constexpr auto kStartTime = 15s;  // the most that HAProxy may take for thousands of servers

// A child in a session of its own, without our descriptors, signals and environment; its standard
// output and error go to `log`.
Result<pid_t> spawn_child(std::vector<std::string> words, const std::string& log) {
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::array<char*, 1> environment{nullptr};
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&files);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&files, 1, 2);
  posix_spawn_file_actions_addclosefrom_np(&files, 3);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(
      &attributes,
      static_cast<short>(POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
  pid_t pid = 0;
  const int error = posix_spawn(&pid, words[0].c_str(), &files, &attributes, arguments.data(),
                                environment.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (error != 0) return Error{error, "start " + words[0]};
  return pid;
}

// HAProxy's alerts without their heads: "[ALERT]    (4711) : config : ...".
std::string alerts(const std::string& log) {
  std::istringstream lines(log);
  std::string words;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("[ALERT]")) continue;
    const size_t head = line.find(" : ");
    words +=
        (words.empty() ? "" : "; ") + (head == std::string::npos ? line : line.substr(head + 3));
  }
  return words.empty() ? "it did not say why" : words;
}

// The status that `pid` ended with; none: it took too long, and was killed.
std::optional<int> wait_for(pid_t pid, Clock::time_point end) {
  int status = 0;
  while (::waitpid(pid, &status, WNOHANG) == 0) {
    if (Clock::now() >= end) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, &status, 0);
      return std::nullopt;
    }
    std::this_thread::sleep_for(kPause);
  }
  return status;
}

}  // namespace

Process::Watched Process::watch(pid_t pid) {
  return {pid, base::Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)))};
}

// Takes the status of a child of ours, so that it does not stay about as a zombie.
bool Process::has_ended(const Watched& process) {
  pollfd wait{process.fd.get(), POLLIN, 0};
  if (process.fd.valid() && ::poll(&wait, 1, 0) == 0) return false;
  ::waitpid(process.pid, nullptr, WNOHANG);
  return true;
}

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

Result<Unit> Process::check(const std::string& text) {
  const std::string candidate = run("haproxy.cfg.new"), words = run("check.log");
  if (auto written = write_file(candidate, text); !written) return written;
  ::unlink(words.c_str());
  Result<pid_t> pid = spawn_child({paths_.binary, "-c", "-f", candidate}, words);
  if (!pid) return std::move(pid).error();
  const std::optional<int> status = wait_for(*pid, Clock::now() + kStartTime);
  const std::string said = read_file(words).value_or("");
  ::unlink(words.c_str());
  ::unlink(candidate.c_str());
  if (!status) return Error{ETIMEDOUT, "check the configuration of haproxy"};
  if (WIFEXITED(*status) && WEXITSTATUS(*status) == 0) return Unit{};
  return Error{0, "haproxy refuses its configuration: " + alerts(said)};
}

Result<Processes> Process::processes() const {
  Result<std::string> text = ask_once(master_socket(), "show proc");
  if (!text) return std::move(text).error();
  const std::optional<Processes> found = parse_processes(*text);
  if (!found) return Error{0, "haproxy's master tells no processes"};
  return *found;
}

Result<Unit> Process::spawn() {
  Result<pid_t> pid = spawn_child({paths_.binary, "-W", "-S", master_socket() + ",mode,600", "-p",
                                   run("haproxy.pid"), "-f", config()},
                                  log());
  if (!pid) return std::move(pid).error();
  master_ = watch(*pid);
  return Unit{};
}

Result<Unit> Process::start() {
  trim_log();
  forget_states();
  const size_t log_from = log_size();
  // What a dead master left: whoever answers from now on is the new one.
  ::unlink(master_socket().c_str());
  if (auto spawned = spawn(); !spawned) return spawned;
  Result<Processes> now = await_start(log_from);
  if (!now) {
    ::kill(master_->pid, SIGKILL);
    wait_for(master_->pid, Clock::now() + 1s);
    master_.reset();
    return std::move(now).error();
  }
  counts_.starts++;
  return take_worker(*now);
}

Result<Processes> Process::await_start(size_t log_from) {
  for (const auto end = Clock::now() + kStartTime; Clock::now() < end;) {
    if (has_ended(*master_)) return failure("haproxy does not start", log_from);
    const Result<Processes> now = processes();
    if (now && now->master == master_->pid && now->worker) return *now;
    std::this_thread::sleep_for(kPause);
  }
  return Error{ETIMEDOUT, "start haproxy"};
}

Result<Unit> Process::reload() {
  trim_log();
  Result<Processes> before = processes();
  if (!before) return std::move(before).error();
  const size_t log_from = log_size();
  // The master closes without an answer: it becomes itself anew.
  if (auto asked = ask_once(master_socket(), "reload"); !asked && asked.error().code != ECONNRESET)
    return std::move(asked).error();
  Result<Processes> now = await_reload(*before, log_from);
  if (!now) return std::move(now).error();
  counts_.reloads++;
  return take_worker(*now);
}

Result<Processes> Process::await_reload(const Processes& before, size_t log_from) {
  for (const auto end = Clock::now() + kStartTime; Clock::now() < end;) {
    if (has_ended(*master_)) return failure("haproxy ended instead of reloading", log_from);
    const Result<Processes> now = processes();
    if (now && now->reloads != before.reloads) {
      if (now->failed > 0) return failure("haproxy does not reload", log_from);
      if (now->worker && now->worker != before.worker) return *now;
    }
    std::this_thread::sleep_for(kPause);
  }
  return Error{ETIMEDOUT, "reload haproxy"};
}

Result<Unit> Process::take_worker(const Processes& now) {
  worker_ = watch(*now.worker);
  told_.clear();
  current_.reset();
  const std::optional<uint64_t> started = start_of(*now.worker);
  if (!started) return Error{ESRCH, "worker " + std::to_string(*now.worker) + " of haproxy"};
  current_ = WorkerId{*now.worker, *started};
  for (const auto end = Clock::now() + kStartTime; Clock::now() < end;) {
    if (has_ended(*worker_)) break;
    const Result<bool> holds = hold(*current_);
    if (holds && *holds) return Unit{};
    std::this_thread::sleep_for(kPause);
  }
  return Error{0, "worker " + std::to_string(*now.worker) + " of haproxy does not answer"};
}

// Right after a reload the worker before may still be the one that answers.
Result<bool> Process::hold(const WorkerId& id) {
  Result<Cli> cli = Cli::open(around_.stats_socket);
  if (!cli) return std::move(cli).error();
  Result<std::string> info = cli->ask("show info");
  if (!info) return std::move(info).error();
  if (info->find("\nPid: " + std::to_string(id.pid) + "\n") == std::string::npos) return false;
  workers_[id].cli = std::move(*cli);
  return true;
}

}  // namespace haproxy
