// RingReader: what programs tell in a ring buffer (lb_ended, lb_changes, lb_held), read from mapped
// memory.
#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "bpf/lb_abi.h"

struct ring_buffer;  // of libbpf

namespace datapath {

template <class T>
class RingReader {
 public:
  using Tell = std::function<void(const T&)>;

  // Of nothing.
  RingReader() = default;
  // The descriptor stays the caller's, and may be closed afterwards. `name`: of the map.
  static base::Result<RingReader> map(int descriptor, const char* name);

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

using EndedRing = RingReader<lb_ended>;
using ChangeRing = RingReader<lb_change>;
using HeldRing = RingReader<lb_held>;

}  // namespace datapath
