// What is said about the log of a listener, in HAProxy's words.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/uuid.h"

namespace flow_log {

struct ConnectionLog {
  struct Receiver {
    std::string address, facility;  // "/run/rsyslog/octavia/log", "local0"

    friend bool operator==(const Receiver&, const Receiver&) = default;
  };
  std::vector<Receiver> receivers;
  std::string format;  // a log-format

  friend bool operator==(const ConnectionLog&, const ConnectionLog&) = default;
};

using ConnectionLogs = std::map<base::Uuid, ConnectionLog>;  // by listener; no entry: it has none

}  // namespace flow_log
