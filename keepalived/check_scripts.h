// What keepalived asks whether this node may be master (contract, 7.4): check_script.sh, which runs
// every script of check_scripts/, among them ours. Ours passes only as long as the agent has
// vouched for the node: a hung agent does not, and no program has to be started or reached.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"

namespace keepalived {

// `folder` is <base_path>/vrrp.
std::string check_script_path(const std::string& folder);

// Both scripts; pure. `vouch_file` is Vouch's.
std::string render_check_script(const std::string& folder);
std::string render_vouch_check(const std::string& vouch_file);

// Writes both, mode 0755, where they are missing or differ; makes the folders.
base::Status write_check_scripts(const std::string& folder, const std::string& vouch_file);

// What decides whether this node may be master.
struct Fitness {
  bool serves = false;              // there is a load balancer with a listener
  bool program_is_attached = true;  // to every interface that it is wanted on
  bool haproxy_is_needed = false, haproxy_answers = false;
  bool flows_are_missing = false;  // that the other node has, which is there
  bool is_leaving = false;         // the other node is to have the VIPs, by somebody's word

  friend bool operator==(const Fitness&, const Fitness&) = default;
};

// Why not; empty: it may.
std::vector<std::string> reasons_against(const Fitness& fitness);

// The agent's word, in a file of a tmpfs, that the node is fit until a time: the seconds since
// boot, as in /proc/uptime, which no change of the clock moves.
class Vouch {
 public:
  // How long a word holds; renew it at least four times as often.
  static constexpr std::chrono::milliseconds kHolds{2000};

  explicit Vouch(std::string file) : file_(std::move(file)) {}

  // To be called on the loop that must not hang, every 500 ms.
  base::Status renew() const;
  // The next check fails.
  base::Status withdraw() const;

 private:
  std::string file_;
};

}  // namespace keepalived
