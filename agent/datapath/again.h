// Again: gives frames to the programs a second time, as if they came in by an interface just now
// (BPF_PROG_TEST_RUN). Interfaces are those of this thread's network namespace.
#pragma once

#include "agent/datapath/held_fragments.h"
#include "agent/datapath/links.h"
#include "base/fd.h"
#include "base/result.h"

namespace datapath {

class Again {
 public:
  // The descriptors stay the caller's. `program`: lb_xdp; `traces`, `passed`: maps of these names.
  static base::Result<Again> open(int program, int traces, int passed);

  // Whether a program has seen the first fragment of this packet.
  bool first_has_come(const lb_trace_key& packet) const;
  // It goes where it would go now; `mode`: where the program is on its interface. An error: it has
  // gone nowhere.
  base::Status run(const HeldFragment& fragment, AttachMode mode) const;
  // So many like this one go nowhere: the program counts them.
  void lose(const HeldFragment& fragment, size_t count) const;

 private:
  Again(int program, base::Fd pass, int traces, int passed)
      : program_(program), pass_(std::move(pass)), traces_(traces), passed_(passed) {}

  int program_;
  base::Fd pass_;
  int traces_, passed_;
};

}  // namespace datapath
