#include "agent/datapath/checksums.h"

#include <algorithm>

namespace datapath {
namespace {

constexpr uint64_t kEnough = 4, kMany = 2 * kEnough;

bool most_are_partial(const lb_checksums& counted) { return counted.partial * 2 > counted.asked; }

}  // namespace

Checksums judge(const lb_checksums& counted) {
  return counted.asked >= kEnough && most_are_partial(counted) ? Checksums::left_out
                                                               : Checksums::there;
}

lb_checksums faded(lb_checksums counted) {
  while (counted.asked >= kMany) {
    // An odd one is rounded to the side of the judgement.
    const uint64_t up = most_are_partial(counted) ? 1 : 0;
    counted.asked /= 2;
    counted.partial = std::min((counted.partial + up) / 2, counted.asked);
  }
  return counted;
}

}  // namespace datapath
