// Process: one of the machine, a child of ours or not, that is never mistaken for a later one that
// got its number.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace process {

class Process {
 public:
  // Holds on to `pid`, which must not have been waited for if it is a child of ours.
  static Process of(pid_t pid);

  // The process that noted its number in `pid_file`, if it lives and one of the words of its
  // command line is `word`: whatever else got that number meanwhile is nobody of ours.
  static std::optional<Process> find(const std::string& pid_file, const std::string& word);

  // All that live and have `word` among the words of their command lines: what others started, too.
  static std::vector<Process> find_all(const std::string& word);

  pid_t pid() const { return pid_; }

  // Takes the status of a child of ours, so that it does not stay about as a zombie.
  bool has_ended() const;
  // Whether it has ended before the time was over. Blocks.
  bool wait(std::chrono::milliseconds limit) const;
  // Nothing happens if it has ended.
  void send(int signal) const;
  // SIGTERM, and SIGKILL to what has not ended after `grace`. Blocks until it is gone.
  void end(std::chrono::milliseconds grace) const;

 private:
  Process(pid_t pid, base::Fd fd) : pid_(pid), fd_(std::move(fd)) {}

  pid_t pid_ = 0;
  base::Fd fd_;  // pidfd: readable when it has ended; invalid: it had ended when we came
};

// When the process started, in clock ticks since boot; with the number it is unique. nullopt: gone.
std::optional<uint64_t> start_of(pid_t pid);

// The number in a pid file; nullopt: no such file, or no number.
std::optional<pid_t> pid_in(const std::string& pid_file);

}  // namespace process
