// Statistics: the ledger of all listeners, fed with readings and kept in
// <state_dir>/statistics.json. Losing that file loses no traffic, only its count: it never keeps
// the agent from starting. Lives on the loop's thread but for store(), which blocks.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "agent/statistics/ledger.h"
#include "base/result.h"
#include "base/uuid.h"

namespace statistics {

class Statistics {
 public:
  // No file: all zero. A damaged one: the same, said in the log; it is kept as `.damaged`.
  static Statistics open(const std::string& state_dir);

  struct Reading {
    base::Uuid listener;
    std::string source;  // as in ledger.h
    Traffic traffic;
  };
  // What all sources of this kind (as in ledger.h) have now; `listeners` are those that are wanted.
  void read(const std::string& kind, const std::vector<Reading>& readings,
            const std::set<base::Uuid>& listeners);
  Traffic total(const base::Uuid& listener) const { return ledger_.total(listener); }

  // What is to be stored, for another thread; the same text as last time: nothing has changed.
  std::string text() const { return ledger_.save().dump(); }
  static base::Status store(const std::string& state_dir, const std::string& text);

 private:
  Ledger ledger_;
};

}  // namespace statistics
