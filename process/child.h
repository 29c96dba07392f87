// Starting programs. No shell is between: every word arrives as it is.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "process/process.h"

namespace process {

struct Command {
  std::vector<std::string> words;  // the first is the path of the program
  std::string log;                 // its output and errors are appended to this file, mode 0600
};

// A child in a session of its own, without our descriptors, signals and environment. It outlives
// us: where we are a unit of systemd's, in a scope of its own, else systemd would call it left over
// whenever we are restarted.
base::Result<Process> start(Command command);

// The words that start it there; the program that they begin with becomes the other in its place.
std::vector<std::string> in_own_scope(std::vector<std::string> words);

// How a program ended.
struct Ended {
  int status = 0;    // of exit; 128 + the signal's number if a signal ended it
  std::string said;  // output and errors
};

// Starts a program and waits until it has ended. What it says is in no file. Blocks.
// ETIMEDOUT: it took longer than `limit`, and was killed.
base::Result<Ended> run(const std::vector<std::string>& words, std::chrono::milliseconds limit);

}  // namespace process
