// Ledger: what every listener has carried since it exists, whoever carried it: the datapath, and
// one HAProxy worker after another. Each of these counts from zero for itself; the ledger adds them
// up so that no total ever goes back, over reloads, restarts and changes of placement. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "agent/statistics/traffic.h"
#include "base/result.h"
#include "base/uuid.h"

namespace statistics {

class Ledger {
 public:
  // `now`: what the counters of a source say of a listener. A source is one life of its counters
  // ("haproxy/4711/1764091234"); a reading below an earlier one is incomplete and changes nothing.
  void count(const base::Uuid& listener, const std::string& source, const Traffic& now);
  // Sources of this kind ("haproxy": what their names begin with) that are not among `alive` are
  // gone: what they carried is kept, but none of that name is expected any more.
  void retire(const std::string& kind, const std::set<std::string>& alive);
  // Of other listeners nothing is kept.
  void keep(const std::set<base::Uuid>& listeners);
  Traffic total(const base::Uuid& listener) const;

  nlohmann::json save() const;
  static base::Result<Ledger> load(const nlohmann::json& saved);

  friend bool operator==(const Ledger&, const Ledger&) = default;

 private:
  struct Account {
    Traffic retired;                         // of sources that are gone
    std::map<std::string, Traffic> running;  // by source

    friend bool operator==(const Account&, const Account&) = default;
  };

  std::map<base::Uuid, Account> accounts_;
};

}  // namespace statistics
