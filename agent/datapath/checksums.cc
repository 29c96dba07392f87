#include "agent/datapath/checksums.h"

namespace datapath {
namespace {

constexpr uint64_t kEnough = 4;

}  // namespace

Checksums ChecksumJudge::judge(uint32_t ifindex, const lb_checksums& counted) {
  Judged& judged = judged_[ifindex];
  if (counted.asked < judged.until.asked) judged = {};  // another interface of this index
  const uint64_t asked = counted.asked - judged.until.asked;
  if (asked < kEnough) return judged.last;
  const uint64_t partial = counted.partial - judged.until.partial;
  judged = {counted, partial * 2 > asked ? Checksums::left_out : Checksums::there};
  return judged.last;
}

}  // namespace datapath
