// How commands end, and what they say when it is not well.
#pragma once

#include <string>
#include <variant>

namespace cli {

// docs/cli.md lists them.
enum ExitCode : int {
  kDone = 0,
  kRefused = 1,      // the agent refused, or the load balancer went to ERROR
  kMisused = 2,      // the command line or the file is wrong
  kUnreachable = 3,  // no agent, or it did not answer
  kTimedOut = 4,     // accepted, but not ACTIVE in time
};

struct Failure {
  ExitCode code = kRefused;
  std::string what;  // a sentence that says what to do next, where that is known
};

template <class T>
using OrFailure = std::variant<T, Failure>;

}  // namespace cli
