#include "agent/datapath/grace.h"

#include <bpf/bpf.h>

#include <cerrno>
#include <cstdint>

namespace datapath {

base::Result<Grace> Grace::open() {
  base::Fd inner(
      bpf_map_create(BPF_MAP_TYPE_ARRAY, "lb_grace_slot", sizeof(uint32_t), 4, 1, nullptr));
  if (!inner.valid()) return base::Error{errno, "make the inner map of the grace period"};
  LIBBPF_OPTS(bpf_map_create_opts, options, .inner_map_fd = static_cast<uint32_t>(inner.get()));
  base::Fd outer(bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "lb_grace", sizeof(uint32_t),
                                sizeof(uint32_t), 1, &options));
  if (!outer.valid()) return base::Error{errno, "make the map of the grace period"};
  return Grace(std::move(outer), std::move(inner));
}

base::Status Grace::wait() const {
  const uint32_t slot = 0;
  const int inner = inner_.get();
  if (bpf_map_update_elem(outer_.get(), &slot, &inner, BPF_ANY) != 0)
    return base::Error{errno, "wait for programs that run"};
  return base::Unit{};
}

}  // namespace datapath
