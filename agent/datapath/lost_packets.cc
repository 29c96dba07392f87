#include "agent/datapath/lost_packets.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "agent/datapath/skeleton.h"
#include "bpf/lost.h"
#include "lost.skel.h"

namespace datapath {
namespace {

using base::Error;
using base::Fd;
using base::Result;

std::string text(const Lost& lost, const std::string& interface, const char* when) {
  const std::string why =
      lost.error == 0 ? std::string("its driver had no room") : std::strerror(lost.error);
  return std::to_string(lost.packets) + " packets for interface " + interface + " were lost " +
         when + ", after XDP had sent them: " + why;
}

}  // namespace

Result<LostPackets> LostPackets::watch() {
  struct stat space {};
  if (::stat("/proc/thread-self/ns/net", &space) != 0)
    return Error{errno, "read the network namespace"};
  const Skeleton<lost> object(lost::open());
  if (!object) return Error{errno, "open the programs that watch redirects"};
  object->rodata->lb_namespace = static_cast<uint32_t>(space.st_ino);
  if (const int err = lost::load(object.get()); err != 0)
    return Error{-err, "load the programs that watch redirects"};
  LostPackets watched;
  watched.counts_ = Fd(fcntl(bpf_map__fd(object->maps.lb_lost), F_DUPFD_CLOEXEC, 3));
  watched.bulks_ =
      Fd(bpf_raw_tracepoint_open(nullptr, bpf_program__fd(object->progs.lb_bulk_sent)));
  watched.refusals_ =
      Fd(bpf_raw_tracepoint_open(nullptr, bpf_program__fd(object->progs.lb_redirect_err)));
  if (!watched.counts_.valid() || !watched.bulks_.valid() || !watched.refusals_.valid())
    return Error{errno, "attach the programs that watch redirects"};
  return watched;
}

Result<std::map<uint32_t, Lost>> LostPackets::read() const {
  std::map<uint32_t, Lost> all;
  uint32_t ifindex = 0;
  for (const uint32_t* from = nullptr; bpf_map_get_next_key(counts_.get(), from, &ifindex) == 0;
       from = &ifindex) {
    lb_lost count{};
    if (bpf_map_lookup_elem(counts_.get(), &ifindex, &count) != 0)
      return Error{errno, "read the packets that were lost"};
    all[ifindex] = {count.frames, -count.error};
  }
  return all;
}

std::string why_lost(const Lost& lost, const std::string& interface) {
  return text(lost, interface, "since the agent started");
}

std::string why_losing(const Lost& lost, const std::string& interface) {
  return text(lost, interface, "lately");
}

}  // namespace datapath
