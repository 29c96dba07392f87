// What runs on interfaces of this thread's network namespace, and whose it is, as the kernel says.
#pragma once

#include <linux/bpf.h>

#include <cstdint>
#include <set>
#include <string>

#include "base/result.h"

namespace datapath {

// Of a descriptor; 0: the kernel does not say.
uint32_t program_id(int program);
std::string program_name(uint32_t id);  // "?": it has gone
// An older or a newer program of the same maps is ours, too.
bool works_on_maps_of(uint32_t id, int program);

// The interface of a link comes first in what is known of one, of XDP (`xdp.ifindex`) as of TCX.
base::Result<bpf_link_info> link_info(int link);

inline constexpr auto kTcxIngress = static_cast<bpf_attach_type>(46);  // newer than the headers

struct OnXdp {
  uint32_t program = 0;  // id; 0: none
  uint8_t mode = 0;      // XDP_ATTACHED_*
};
OnXdp on_xdp(uint32_t ifindex);
// Ids of the programs of TCX ingress; none: on a kernel that does not have it, too.
std::set<uint32_t> on_tcx(uint32_t ifindex);

}  // namespace datapath
