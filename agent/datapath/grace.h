// Grace: waits until every run of an XDP or tc program that had begun is over.
#pragma once

#include "base/fd.h"
#include "base/result.h"

namespace datapath {

// The kernel returns from a write to a map of maps only when no program run can still use the old
// entry (maybe_wait_bpf_programs): that is the whole of it. SEC("syscall") programs are not waited
// for: none may touch the flow table.
class Grace {
 public:
  static base::Result<Grace> open();
  // Blocks, for 5 to 30 ms mostly: for a thread that may.
  base::Status wait() const;

 private:
  Grace(base::Fd outer, base::Fd inner) : outer_(std::move(outer)), inner_(std::move(inner)) {}

  base::Fd outer_;  // ARRAY_OF_MAPS with one slot
  base::Fd inner_;
};

}  // namespace datapath
