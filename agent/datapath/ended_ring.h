// EndedRing: what programs tell of flows that they have ended (lb_ended), read from mapped memory.
#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "bpf/lb_abi.h"

struct ring_buffer;  // of libbpf

namespace datapath {

class EndedRing {
 public:
  using Tell = std::function<void(const lb_ended&)>;

  // Of nothing.
  EndedRing() = default;
  // The descriptor stays the caller's, and may be closed afterwards.
  static base::Result<EndedRing> map(int descriptor);

  // What was told since the last time, in the order in which it was.
  void read(const Tell& tell);

 private:
  struct Free {
    void operator()(ring_buffer* ring) const;
  };
  // libbpf is told once whom to call.
  std::unique_ptr<const Tell*> tell_;
  std::unique_ptr<ring_buffer, Free> ring_;
};

}  // namespace datapath
