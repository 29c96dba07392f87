// HeldFragments: fragments that came before the first one of their packet, for as long as it is
// waited for. Pure: time, and what has come, are told.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <vector>

#include "agent/datapath/tables.h"
#include "bpf/lb_abi.h"

namespace datapath {

struct HeldFragment {
  lb_trace_key key{};
  std::chrono::nanoseconds at{};  // since the start of the system, as bpf_ktime_get_ns() says
  uint32_t ifindex = 0;           // by which it came
  std::vector<uint8_t> frame{};
};

class HeldFragments {
 public:
  static constexpr std::chrono::milliseconds kPatience{100};
  // Of a packet of 64 KiB, all but the first are 44 on a link of 1500 bytes.
  static constexpr size_t kMost = 512, kMostOfSource = 96, kMostBytes = size_t{512} * 1024;

  enum class Room { there, none };
  // none: it is not kept.
  Room keep(HeldFragment fragment);

  // Those whose wait is over, in the order in which they came; nobody keeps them any more.
  struct Due {
    std::vector<HeldFragment> go;    // the first one of their packet has come
    std::vector<HeldFragment> lost;  // it has not
  };
  // `has_come`: is asked once of each packet.
  Due take_due(std::chrono::nanoseconds now,
               const std::function<bool(const lb_trace_key&)>& has_come);

  bool empty() const { return waiting_.empty(); }

 private:
  void forget(const HeldFragment& fragment);

  std::deque<HeldFragment> waiting_;  // in the order in which they came
  size_t bytes_ = 0;
  std::map<lb_addr, size_t, BytesLess<lb_addr>> of_source_;
};

}  // namespace datapath
