// A backend of a haproxy.cfg of Octavia's as a pool with its members and its monitor (contract 5.5
// to 5.7).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/model/model.h"
#include "agent/octavia/translate_words.h"
#include "haproxy/document.h"

namespace octavia {

// What one backend says of its pool; the backends of other listeners say the same.
struct PoolText {
  model::Pool pool;  // without its load balancer
  std::vector<model::Member> members;
  std::optional<model::HealthMonitor> monitor;

  friend bool operator==(const PoolText&, const PoolText&) = default;
};

struct BackendText {
  haproxy::Section section;
  PoolText pool;
  int64_t timeout_connect = 5000, timeout_server = 50000;  // ms; the listener's
  // Why the datapath cannot take it over; "": nothing here is against it.
  std::string reason;
};

BackendText read_backend(const haproxy::Document& document, const haproxy::Section& section,
                         const BackendName& name);

}  // namespace octavia
