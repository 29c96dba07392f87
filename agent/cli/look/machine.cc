// Programs, clock, disk and certificates.
#include <dirent.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <filesystem>

#include "agent/certificates/bundle.h"
#include "agent/cli/look/parts.h"
#include "base/file.h"
#include "process/child.h"

namespace look {
namespace {

using base::Error;
using base::Result;

constexpr std::chrono::seconds kLimit{5};
constexpr char kHaproxy[] = "/usr/sbin/haproxy";
constexpr char kKeepalived[] = "/usr/sbin/keepalived";

doctor::Seen<std::string> version_of(const std::string& path, const char* option) {
  if (::access(path.c_str(), X_OK) != 0)
    return Error{errno == EACCES ? EACCES : 0, path + " is not there"};
  const auto ended = process::run({path, option}, kLimit);
  if (!ended) return ended.error();
  const std::string version = version_in(ended->said);
  if (version.empty()) return Error{0, path + " does not say its version"};
  return version;
}

doctor::Certificate look_at(const std::string& file) {
  const auto bytes = base::read_file(file);
  if (!bytes) return {file, bytes.error()};
  auto bundle = certificates::read_bundle(*bytes);
  if (!bundle) return {file, Error{0, bundle.error().message()}};
  return {file, bundle->about};
}

// Files of a folder and those below it that Octavia and HAProxy would read as certificates, sorted;
// what begins with a dot is ours. None if it cannot be read.
std::vector<std::string> files_below(const std::string& folder, std::string_view ending) {
  std::vector<std::string> out;
  std::error_code error;
  std::filesystem::recursive_directory_iterator entry(
      folder, std::filesystem::directory_options::skip_permission_denied, error);
  for (; !error && entry != std::filesystem::end(entry); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with('.')) {
      entry.disable_recursion_pending();
      continue;
    }
    std::error_code unknown;
    if (entry->is_regular_file(unknown) && name.ends_with(ending))
      out.push_back(entry->path().string());
  }
  std::ranges::sort(out);
  return out;
}

}  // namespace

std::string version_in(std::string_view said) {
  // "HAProxy version 2.6.12-1+deb12u3 2025/10/03", "Keepalived v2.2.7 (01/16,2022)"
  for (size_t at = 0; at < said.size() && said[at] != '\n'; ++at) {
    const bool begins = at == 0 || said[at - 1] == ' ' || said[at - 1] == 'v';
    if (!begins || std::isdigit(static_cast<unsigned char>(said[at])) == 0) continue;
    return std::string(said.substr(at, said.find_first_of(" \n,", at) - at));
  }
  return "";
}

std::vector<doctor::Program> look_at_programs(const Read& read) {
  const std::string& haproxy = read.config.haproxy_binary;
  return {{"HAProxy", "haproxy", version_of(haproxy.empty() ? kHaproxy : haproxy, "-v")},
          {"keepalived", "keepalived", version_of(kKeepalived, "--version")}};
}

bool is_clock_synchronised() {
  timex clock{};
  return ::adjtimex(&clock) != TIME_ERROR && (clock.status & STA_UNSYNC) == 0;
}

doctor::Seen<doctor::Disk> look_at_disk(const std::string& folder) {
  std::filesystem::path there = folder;
  struct statvfs status {};
  while (::statvfs(there.c_str(), &status) != 0) {
    if (errno != ENOENT || !there.has_relative_path())
      return Error{errno, "look at the disk of " + folder};
    there = there.parent_path();
  }
  const uint64_t block = status.f_frsize;
  return doctor::Disk{folder, block * status.f_blocks, block * status.f_bavail, status.f_files,
                      status.f_favail};
}

std::vector<doctor::Certificate> look_at_certificates(const Read& read) {
  std::vector<std::string> files;
  if (read.conf) {
    files = {read.conf->agent_server_cert, read.conf->agent_server_ca};
    std::ranges::copy(files_below(read.conf->base_cert_dir, ".pem"), std::back_inserter(files));
  } else {
    if (read.config.api && !read.config.api->certificate.empty())
      files.push_back(read.config.api->certificate);
    std::ranges::copy(files_below(read.config.state_dir + "/certificates", ""),
                      std::back_inserter(files));
  }
  std::vector<doctor::Certificate> out;
  for (const std::string& file : files) out.push_back(look_at(file));
  return out;
}

}  // namespace look
