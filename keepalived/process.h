// The keepalived that holds the VIPs of a pair: started, reloaded, watched. It outlives the agent,
// and the next Process adopts it. Runs in the network namespace of the thread that starts it. All
// calls block (up to some seconds while keepalived ends): one worker thread makes them.
//
// Whatever ends it, the VIPs do not stay here without it: the peer takes them, and two nodes would
// have them.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "keepalived/document.h"
#include "process/process.h"

namespace keepalived {

struct Paths {
  std::string config;    // the text, which others write: <base_path>/vrrp/octavia-keepalived.conf
  std::string pid_file;  // keepalived's: <base_path>/vrrp/octavia-keepalived.pid
  std::string check_script;  // that the text may run: check_script_path()
  std::string run_dir;       // our own files; made if it is not there, mode 0700
  std::string binary = "/usr/sbin/keepalived";
  std::optional<int> log_facility = {};  // n of LOG_LOCALn; none: only our own file is written
};

struct Counts {
  uint64_t starts = 0, reloads = 0;
  uint64_t restarts = 0;  // after it had died

  friend bool operator==(const Counts&, const Counts&) = default;
};

class Process {
 public:
  // Takes addresses off an interface; one that is not there is good.
  using DropAddresses = std::function<base::Status(const std::string& interface,
                                                   const std::vector<base::IpAddress>& addresses)>;

  // Adopts the keepalived that an earlier Process of the same paths started.
  static base::Result<Process> open(Paths paths, DropAddresses drop);

  // Runs the text as it is in the file now: starts, or reloads what runs. Refused: a text that is
  // none of ours (Document), and nothing is changed.
  base::Status start();
  // Writes the text, which is ours then, and runs it. Nothing, where it was given to the keepalived
  // that runs before, by whichever Process.
  base::Status load(const std::string& text);
  // As start(): a reload of what does not run starts it.
  base::Status reload() { return start(); }
  // Leaves in good order: the peer is told, the VIPs are taken off.
  base::Status stop();

  // To be called several times a second. keepalived that has died is started again, its VIPs taken
  // off first. true: it had died, and runs again.
  base::Result<bool> revive();

  // Whether it is to run and does.
  bool running() const { return process_ && !process_->has_ended(); }
  // Of what is to run; 0: nothing is.
  pid_t pid() const { return process_ ? process_->pid() : 0; }
  const Counts& counts() const { return counts_; }
  // Of the text that runs, or was to; nullopt: none.
  const std::optional<Instance>& instance() const { return instance_; }

 private:
  Process(Paths paths, DropAddresses drop) : paths_(std::move(paths)), drop_(std::move(drop)) {}

  std::string run(const char* name) const { return paths_.run_dir + "/" + name; }
  void adopt();
  base::Result<Instance> read() const;
  base::Status launch();
  base::Status await_start(const process::Process& started);
  base::Status write_main();
  void end_child();
  base::Status drop();
  std::string last_words() const;

  Paths paths_;
  DropAddresses drop_;
  std::optional<process::Process> process_;  // of which we want that it runs
  std::optional<Instance> instance_;
  std::chrono::steady_clock::time_point not_before_{};  // of the next restart
  Counts counts_;
};

}  // namespace keepalived
