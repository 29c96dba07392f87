// The versions that GET info reports, asked once.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "agent/octavia/details.h"
#include "base/fd.h"

extern char** environ;

namespace octavia {
namespace {

// What a program says on its standard output; "" when it cannot be run. No shell sees it.
std::string output_of(std::vector<std::string> command) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  base::Fd read_end(ends[0]), write_end(ends[1]);
  std::vector<char*> arguments;
  for (std::string& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, write_end.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int failed =
      ::posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  write_end.reset();
  if (failed != 0) return {};
  std::string out;
  std::array<char, 512> piece{};
  for (ssize_t size = 0; (size = ::read(read_end.get(), piece.data(), piece.size())) > 0;)
    out.append(piece.data(), static_cast<size_t>(size));
  ::waitpid(child, nullptr, 0);
  return out;
}

std::string version_of_package(const std::string& package) {
  const std::string version = output_of({"dpkg-query", "-W", "-f=${Version}", package});
  return version.empty() ? "0.0" : version;
}

}  // namespace

std::string version_of_haproxy(std::string_view output) {
  constexpr std::string_view kBefore = "version ";
  const size_t at = output.find(kBefore);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = output.substr(at + kBefore.size());
  const std::string_view version = rest.substr(0, rest.find_first_of(" \n"));
  const bool numbered = !version.empty() && version[0] >= '0' && version[0] <= '9' &&
                        version.find('.') != std::string_view::npos;
  return numbered ? std::string(version) : std::string();
}

Versions find_versions(const std::string& haproxy_cmd) {
  Versions found;
  const std::string haproxy = version_of_haproxy(output_of({haproxy_cmd, "-v"}));
  if (!haproxy.empty()) found.haproxy = haproxy;
  found.keepalived = version_of_package("keepalived");
  found.ipvsadm = version_of_package("ipvsadm");
  return found;
}

}  // namespace octavia
