// LostPackets: what the kernel could not send of what the program redirected. By its tracepoints,
// for as long as this object lives; of one network namespace.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace datapath {

struct Lost {
  uint64_t packets = 0;
  int error = 0;  // errno of the last ones; 0: the driver had no room
};

class LostPackets {
 public:
  // In this thread's network namespace. An error: this kernel has no such tracepoints.
  static base::Result<LostPackets> watch();

  // By ifindex; interfaces that lost none are not among them.
  base::Result<std::map<uint32_t, Lost>> read() const;

 private:
  base::Fd counts_, bulks_, refusals_;  // the map, and a link to each tracepoint
};

std::string why_lost(const Lost& lost, const std::string& interface);
// The same, of a few seconds.
std::string why_losing(const Lost& lost, const std::string& interface);

}  // namespace datapath
