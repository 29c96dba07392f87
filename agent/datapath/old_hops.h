// OldHops: which id a next hop of an older version has in these maps. Next hops that somebody can
// be told by get the id of their key, which programs here may have given already; those that only
// flows still name get one of their own, which rests until they are gone.
#pragma once

#include <cstdint>
#include <map>

#include "agent/datapath/old_maps.h"
#include "base/result.h"

namespace datapath {

class OldHops {
 public:
  // Both must outlive it.
  OldHops(OldMaps& old, Maps& ours) : old_(&old), ours_(&ours) {}

  // Reads who the next hops are; again after programs there have made new ones.
  base::Status learn();
  // 0, which the kernel forwards, if there is no id left.
  base::Result<uint16_t> ours(uint16_t old);

 private:
  base::Result<uint32_t> make(uint32_t old, const lb_nexthop_key* key);

  OldMaps* old_;
  Maps* ours_;
  std::map<uint32_t, lb_nexthop_key> keys_;  // by id there
  std::map<uint32_t, uint32_t> ids_;         // there, here
};

}  // namespace datapath
