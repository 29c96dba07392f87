// Program: the XDP program and the maps it is loaded with.
#pragma once

#include <cstdint>

#include "agent/datapath/kernel_maps.h"
#include "base/fd.h"
#include "base/result.h"
#include "bpf/lb_abi.h"

namespace datapath {

struct Sizes {
  uint32_t lines4 = 0, lines6 = 0;  // powers of two

  friend bool operator==(const Sizes&, const Sizes&) = default;
};

struct Loaded {
  base::Fd program;
  KernelMaps maps;  // by name, as they are pinned
};

// Loads the program on `pinned` maps, or on new ones of these sizes if there are none. All of them
// must be there, and of the shape that the program was built for: an error names the one that is
// not. What the kernel refuses is explained: privilege, or the feature that is missing.
base::Result<Loaded> load_program(const Sizes& sizes, const lb_info& info,
                                  const KernelMaps& pinned);

}  // namespace datapath
