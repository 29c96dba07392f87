// Checksums: whether the packets that come in by an interface have theirs. Pure. What is judged by
// is in the map, which outlives the agent: every agent, and whoever asks, judges the same.
#pragma once

#include "bpf/lb_abi.h"

namespace datapath {

enum class Checksums { there, left_out };  // of most packets that ask for a connection or grant one

// Of few, that they are there. On tc ingress none are counted, and the judgement stays.
Checksums judge(const lb_checksums& counted);

// The same judgement by fewer packets, once they are many: who is at the other end, and what they
// have switched on, changes, and those that come next must weigh as much.
lb_checksums faded(lb_checksums counted);

}  // namespace datapath
