// Maglev's consistent hashing: the lookup table of section 3.4 of "Maglev: A Fast and Reliable
// Software Network Load Balancer" (Eisenbud et al., NSDI 2016), with weights.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/ip.h"

namespace plan {

// Who a backend is, for its preferences: where it is, and not the number that it happens to have. A
// member that is made anew at the same place gets its old slots back, and the nodes of a pair have
// the same table.
struct MaglevBackend {
  base::Endpoint endpoint;
  uint32_t weight = 1;  // positive

  friend bool operator==(const MaglevBackend&, const MaglevBackend&) = default;
};

// Slot -> index in `backends`. `size` is a prime, and no fewer slots than backends. Turns are taken
// in the order of `backends`, each backend as many of them as its weight is of the highest;
// everyone takes one in the first round, so that none is left out. With equal weights the table is
// the paper's, and no two backends differ by more than one slot.
std::vector<uint16_t> maglev_table(std::span<const MaglevBackend> backends, uint32_t size);

// The paper's h1(name) mod M and h2(name) mod (M - 1) + 1: no seed, the same on every machine.
struct MaglevPermutation {
  uint32_t offset, skip;
};
MaglevPermutation maglev_permutation(const base::Endpoint& endpoint, uint32_t size);

}  // namespace plan
