// A connection to one of HAProxy's command lines (the master's or a worker's). Blocking, with a
// time limit for each answer.
#pragma once

#include <chrono>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace haproxy {

inline constexpr std::chrono::milliseconds kAnswerTime{2000};

class Cli {
 public:
  // Stays open from command to command. A worker that is to end waits for it.
  static base::Result<Cli> open(const std::string& socket);

  // ETIMEDOUT: no answer yet. It is skipped when it comes, and the next question may be asked.
  base::Result<std::string> ask(const std::string& command,
                                std::chrono::milliseconds limit = kAnswerTime);

 private:
  Cli(base::Fd fd, std::string socket) : fd_(std::move(fd)), socket_(std::move(socket)) {}

  base::Fd fd_;
  std::string socket_;
  std::string come_;  // and not taken yet
  int late_ = 0;      // answers that nobody waits for any more
};

// Connects, asks, and reads until the other end closes.
base::Result<std::string> ask_once(const std::string& socket, const std::string& command,
                                   std::chrono::milliseconds limit = kAnswerTime);

}  // namespace haproxy
