// Losses: by which interfaces packets that XDP has sent do not leave, from one look at what was
// lost to the next. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <set>

#include "agent/datapath/lost_packets.h"

namespace datapath {

class Losses {
 public:
  // What was lost until now, by ifindex. Two looks in a row with frames that a driver does not take
  // at all, and nothing is to be sent by it any more. Returns the interfaces that this is new of.
  std::set<uint32_t> look(const std::map<uint32_t, Lost>& now);
  // Of interfaces that are not among them nothing is known any more.
  void forget_others(const std::set<uint32_t>& interfaces);

  bool refuses(uint32_t ifindex) const { return refusing_.contains(ifindex); }
  // Lost between the last two looks, but for want of room, which passes.
  const std::map<uint32_t, Lost>& losing() const { return losing_; }

 private:
  std::map<uint32_t, Lost> before_, losing_;
  std::set<uint32_t> refused_before_, refusing_;
};

}  // namespace datapath
