#include "keepalived/check_scripts.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/file.h"

namespace keepalived {

namespace {

using base::Error;
using base::Status;
using base::Unit;

constexpr const char* kOurs = "amphora_xdp_check.sh";

// One word of a shell, whatever is in it.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

Status write_script(const std::string& folder, const std::string& name, const std::string& text) {
  constexpr mode_t kMode = 0755;
  const std::string path = folder + "/" + name;
  const auto before = base::read_file(path);
  if (!before || *before != text)
    if (auto done = base::replace_file(folder, name, text, kMode); !done) return done.error();
  // Of one that was there, too.
  if (::chmod(path.c_str(), kMode) != 0) return Error{errno, "chmod 0755 " + path};
  return Unit{};
}

}  // namespace

std::string check_script_path(const std::string& folder) { return folder + "/check_script.sh"; }

// 1 for any failure: a sum of exit codes could be 256, which is 0.
std::string render_check_script(const std::string& folder) {
  return "#!/bin/bash\n"
         "# Written by amphora-xdp-agent; changes are lost.\n"
         "failed=0\n"
         "for script in " +
         quoted(folder + "/check_scripts") +
         "/*; do\n"
         "  timeout 2 bash \"$script\" || failed=1\n"
         "done\n"
         "exit $failed\n";
}

std::string render_vouch_check(const std::string& vouch_file) {
  return "# Written by amphora-xdp-agent; changes are lost.\n"
         "# Fails unless the agent has said, within the last two seconds, that this node is fit.\n"
         "{ read -r until < " +
         quoted(vouch_file) +
         "; } 2>/dev/null || exit 1\n"
         "read -r now _ < /proc/uptime || exit 1\n"
         "[[ $until =~ ^[0-9]+$ ]] && ((10#${now/./} <= 10#$until))\n";
}

Status write_check_scripts(const std::string& folder, const std::string& vouch_file) {
  const std::string scripts = folder + "/check_scripts";
  std::error_code error;
  std::filesystem::create_directories(scripts, error);
  if (error) return Error{error.value(), "make folder " + scripts};
  if (auto done = write_script(scripts, kOurs, render_vouch_check(vouch_file)); !done)
    return done.error();
  return write_script(folder, "check_script.sh", render_check_script(folder));
}

std::vector<std::string> reasons_against(const Fitness& fitness) {
  std::vector<std::string> reasons;
  if (!fitness.serves) reasons.emplace_back("there is no load balancer with a listener");
  if (!fitness.program_is_attached) reasons.emplace_back("the XDP program is not attached");
  if (fitness.haproxy_is_needed && !fitness.haproxy_answers)
    reasons.emplace_back("HAProxy does not answer");
  if (fitness.flows_are_missing)
    reasons.emplace_back("the other node's connections have not all come yet");
  if (fitness.is_leaving) reasons.emplace_back("the VIPs are to go to the other node");
  return reasons;
}

// In hundredths, as /proc/uptime has them.
Status Vouch::renew() const {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  const long long until = now.tv_sec * 100LL + now.tv_nsec / 10000000 + kHolds.count() / 10;
  const std::filesystem::path path(file_);
  return base::replace_file(path.parent_path().string(), path.filename().string(),
                            std::to_string(until) + "\n", 0644);
}

Status Vouch::withdraw() const {
  if (::unlink(file_.c_str()) != 0 && errno != ENOENT) return Error{errno, "remove " + file_};
  return Unit{};
}

}  // namespace keepalived
