// Checksums: whether the packets that come in by an interface have theirs. Pure.
#pragma once

#include <cstdint>
#include <map>

#include "bpf/lb_abi.h"

namespace datapath {

enum class Checksums { there, left_out };  // of most packets that ask for a connection

class ChecksumJudge {
 public:
  // By those that came since it was judged last, once they are enough: who is at the other end, and
  // what they have switched on, changes. On tc ingress none are counted, and the judgement stays.
  Checksums judge(uint32_t ifindex, const lb_checksums& counted);

 private:
  struct Judged {
    lb_checksums until{};
    Checksums last = Checksums::there;
  };
  std::map<uint32_t, Judged> judged_;  // by ifindex
};

}  // namespace datapath
