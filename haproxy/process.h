// The HAProxy that serves: started, reloaded, watched and asked. It outlives the agent, and the
// next Process adopts it. All calls block (up to some seconds while HAProxy starts): one worker
// thread makes them.
//
// A worker that a reload replaces serves the connections that it has until they end. The open
// command line that we keep to each worker makes it wait for us, so that what it counted last is
// read before it goes.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "haproxy/cli.h"
#include "haproxy/processes.h"
#include "haproxy/render.h"
#include "haproxy/stats.h"
#include "haproxy/stick_tables.h"
#include "process/process.h"

namespace haproxy {

struct Paths {
  std::string run_dir;    // sockets, pid, log, the text; made if it is not there, mode 0700
  std::string state_dir;  // what survives a boot; the same
  std::string binary = "/usr/sbin/haproxy";
  // Of uploaded texts: [haproxy_amphora] base_path, which their sockets and files are below.
  std::string uploads_dir = "/var/lib/octavia";
  // The agent waits where an uploaded text has this node's own peer, and hands on who comes.
  bool hands_peers_on = false;
};

// What a text made for these paths says about the machine.
Surroundings look_around(const Paths& paths);

struct Counts {
  uint64_t starts = 0, reloads = 0;
  uint64_t restarts = 0;  // after the master or the worker had died

  friend bool operator==(const Counts&, const Counts&) = default;
};

class Process {
 public:
  // Adopts the HAProxy that an earlier Process of the same paths started, even one that it could
  // not tell any more whether it serves.
  static base::Result<Process> open(Paths paths);

  // Serves `spec`: starts, reloads, stops or does nothing, and tells HAProxy which servers the
  // agent found up or down. When it returns, new connections are served as `spec` says. Refused:
  // HAProxy's own words, and what was served before still is.
  base::Status apply(const Spec& spec);

  // The next start takes over what listens there already: the statistics socket of another HAProxy
  // that serves some of the same, and loses no connection that waits. "": nobody's.
  void take_sockets_of(std::string stats_socket) { donor_ = std::move(stats_socket); }

  // To be called several times a second. Whatever has died is started again from the text that was
  // last accepted. true: something had died, and serves again.
  base::Result<bool> revive();

  // Of all workers that are or were there since the last call. A worker of which nothing more will
  // come says so, and is not there the next time. One that hangs has what it said before.
  base::Result<std::vector<WorkerStats>> stats();

  // Whether nothing is served any more, nor runs to its end.
  bool is_gone() const;

  // Ends it at once, with all connections, and takes away what it made.
  void teardown();

  bool running() const { return master_.has_value(); }
  const Counts& counts() const { return counts_; }
  const std::string& text() const { return text_; }
  const Surroundings& surroundings() const { return around_; }

 private:
  struct Held {
    std::optional<Cli> cli;                // none: not reachable any more but through the master
    std::optional<WorkerStats> said = {};  // when it answered last
    bool is_silent = false;                // it did not answer in time when it was asked last
  };
  using ServerName = std::pair<BackendId, base::Uuid>;

  explicit Process(Paths paths);

  std::string run(const char* name) const { return paths_.run_dir + "/" + name; }
  std::string config() const { return run("haproxy.cfg"); }
  std::string log() const { return run("haproxy.log"); }
  std::string master_socket() const { return run("master.sock"); }
  // A word of the command line of every HAProxy of these paths, and of nobody else's.
  std::string master_option() const { return master_socket() + ",mode,600"; }
  std::string accepted() const { return paths_.state_dir + "/haproxy.accepted"; }

  void adopt();
  base::Status look_up_user();
  base::Status load(const std::string& text);
  base::Status start();
  base::Status reload();
  base::Status spawn();
  base::Result<Processes> processes() const;
  base::Result<Processes> await_start(size_t log_from);
  base::Result<Processes> await_reload(const Processes& before, size_t log_from);
  base::Status take_worker(const Processes& now);
  std::map<std::string, std::vector<StickEntry>> stick_tables();
  void fill_stick_tables(const std::map<std::string, std::vector<StickEntry>>& all) const;
  base::Result<bool> hold(const WorkerId& id);
  base::Status save_states(const std::string& file);
  base::Result<std::string> text_of(const Spec& spec) const;
  base::Status tell_health();
  base::Status restart();
  static void forget_states(const std::string& file);
  void stop();
  void let_go();
  void trim_log() const;
  size_t log_size() const;
  base::Error failure(const std::string& what, size_t log_from) const;
  std::optional<WorkerStats> stats_of(const WorkerId& id, Held& held);

  Paths paths_;
  Surroundings around_;
  std::string text_;  // as accepted last; empty: nothing is to run
  std::optional<process::Process> master_, worker_;
  std::optional<WorkerId> current_;
  std::map<WorkerId, Held> workers_;       // the current one and those that end
  std::vector<process::Process> leaving_;  // masters that end when their workers have
  std::map<ServerName, Health> wanted_, told_;
  std::chrono::steady_clock::time_point not_before_{};  // of the next restart
  std::string donor_;                                   // see take_sockets_of()
  Counts counts_;
};

}  // namespace haproxy
