// Rings as the kernel has them: each a map of its own, at its place in lb_rings. Many at once, in a
// time that is bounded on every kernel.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "agent/datapath/maps.h"
#include "base/result.h"

namespace datapath {

// Puts the rings, each complete before it is visible, at their places in the map of maps `outer`.
// `done`: the places of those that are there now; also after an error.
base::Status put_ring_maps(int outer, std::span<const Maps::RingCells> rings,
                           std::set<uint32_t>& done);
// What is not there is erased, too.
base::Status erase_ring_maps(int outer, std::span<const uint32_t> places, std::set<uint32_t>& done);

// By place; `places`: how many `outer` has.
base::Result<std::map<uint32_t, Cells>> read_ring_maps(int outer, uint32_t places);

// Ids of the maps at each place, 0: none. Without waiting for anybody; an error where this kernel
// does not load what it takes.
base::Result<std::vector<uint32_t>> ring_map_ids(int outer, uint32_t places);

}  // namespace datapath
