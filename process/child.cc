#include "process/child.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <iterator>
#include <thread>
#include <utility>

#include "base/fd.h"
#include "base/file.h"
#include "base/socket_address.h"

namespace process {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using base::Error;
using base::Fd;
using base::Result;

constexpr auto kPause = 5ms;
constexpr char kSystemdRun[] = "/usr/bin/systemd-run";

// Its output and errors go to `output`.
Result<pid_t> spawn(std::vector<std::string> words, const Fd& output) {
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::array<char*, 1> environment{nullptr};
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&files);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&files, output.get(), 1);
  posix_spawn_file_actions_adddup2(&files, 1, 2);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
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

// systemd gives each of its units one, and what it answers root at, without a bus.
bool is_unit() {
  return std::getenv("INVOCATION_ID") != nullptr && ::access(kSystemdRun, X_OK) == 0 &&
         base::find_listener("/run/systemd/private");
}

int exit_status(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

std::vector<std::string> in_own_scope(std::vector<std::string> words) {
  const std::string name = words[0].substr(words[0].rfind('/') + 1);
  std::vector<std::string> all{
      kSystemdRun, "--scope", "--quiet", "--collect", "--description=" + name + " of amphora-xdp",
      "--"};
  all.insert(all.end(), std::make_move_iterator(words.begin()),
             std::make_move_iterator(words.end()));
  return all;
}

Result<Process> start(Command command) {
  const Fd log(::open(command.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!log.valid()) return Error{errno, "open " + command.log};
  if (is_unit()) command.words = in_own_scope(std::move(command.words));
  const Result<pid_t> pid = spawn(std::move(command.words), log);
  if (!pid) return pid.error();
  return Process::of(*pid);
}

Result<Ended> run(const std::vector<std::string>& words, std::chrono::milliseconds limit) {
  const Fd output(::memfd_create("output", MFD_CLOEXEC));
  if (!output.valid()) return Error{errno, "make a file for what " + words[0] + " says"};
  const auto end = Clock::now() + limit;
  const Result<pid_t> pid = spawn(words, output);
  if (!pid) return pid.error();
  int status = 0;
  bool in_time = true;
  while (::waitpid(*pid, &status, in_time ? WNOHANG : 0) == 0) {
    if (in_time = Clock::now() < end; !in_time) ::kill(*pid, SIGKILL);
    if (in_time) std::this_thread::sleep_for(kPause);
  }
  if (!in_time) return Error{ETIMEDOUT, "wait for " + words[0]};
  auto said = base::read_file("/proc/self/fd/" + std::to_string(output.get()));
  if (!said) return said.error();
  return Ended{exit_status(status), std::move(*said)};
}

}  // namespace process
