#include "process/process.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <climits>
#include <filesystem>
#include <sstream>
#include <string_view>
#include <system_error>

#include "base/file.h"
#include "base/number.h"

namespace process {

namespace {

using Clock = std::chrono::steady_clock;

// False: the time is over.
bool readable_within(int fd, std::chrono::milliseconds limit) {
  const auto end = Clock::now() + limit;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd wait{fd, POLLIN, 0};
    const int ready = ::poll(&wait, 1, left > 0 ? static_cast<int>(left) : 0);
    if (ready >= 0 || errno != EINTR) return ready > 0;
  }
}

// Words of the command line end with NUL.
bool has_word(const std::string& command_line, std::string_view word) {
  size_t from = 0;
  while (from < command_line.size()) {
    const size_t end = std::min(command_line.find('\0', from), command_line.size());
    if (std::string_view(command_line).substr(from, end - from) == word) return true;
    from = end + 1;
  }
  return false;
}

// nullopt: another one, or it has ended.
std::optional<Process> with_word(pid_t pid, const std::string& word) {
  Process found = Process::of(pid);  // before its words are read: they are of the one that we hold
  const auto words = base::read_file("/proc/" + std::to_string(pid) + "/cmdline");
  if (!words || !has_word(*words, word) || found.has_ended()) return std::nullopt;
  return found;
}

}  // namespace

Process Process::of(pid_t pid) {
  return {pid, base::Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)))};
}

std::optional<Process> Process::find(const std::string& pid_file, const std::string& word) {
  const std::optional<pid_t> pid = pid_in(pid_file);
  return pid ? with_word(*pid, word) : std::nullopt;
}

std::vector<Process> Process::find_all(const std::string& word) {
  std::vector<Process> all;
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator("/proc", error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const auto pid = base::parse_number(entry->path().filename().string(), 1, INT_MAX);
    if (!pid) continue;
    if (auto found = with_word(*pid, word)) all.push_back(std::move(*found));
  }
  return all;
}

bool Process::has_ended() const { return wait(std::chrono::milliseconds(0)); }

bool Process::wait(std::chrono::milliseconds limit) const {
  if (fd_.valid() && !readable_within(fd_.get(), limit)) return false;
  ::waitpid(pid_, nullptr, WNOHANG);
  return true;
}

void Process::send(int signal) const {
  if (fd_.valid()) ::syscall(SYS_pidfd_send_signal, fd_.get(), signal, nullptr, 0);
}

void Process::end(std::chrono::milliseconds grace) const {
  send(SIGTERM);
  if (wait(grace)) return;
  send(SIGKILL);
  wait(std::chrono::seconds(10));  // but for a process that the kernel itself holds, at once
}

std::optional<uint64_t> start_of(pid_t pid) {
  const auto text = base::read_file("/proc/" + std::to_string(pid) + "/stat");
  if (!text) return std::nullopt;
  // The name may hold anything; the last parenthesis ends it. Field 22 is 20 after it.
  const size_t name_end = text->rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream words(text->substr(name_end + 1));
  std::string word;
  for (int field = 3; field < 22; field++)
    if (!(words >> word)) return std::nullopt;
  uint64_t start = 0;
  if (!(words >> start)) return std::nullopt;
  return start;
}

std::optional<pid_t> pid_in(const std::string& pid_file) {
  const auto text = base::read_file(pid_file);
  if (!text) return std::nullopt;
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), pid);
  if (error != std::errc{} || pid <= 0) return std::nullopt;
  return pid;
}

}  // namespace process
