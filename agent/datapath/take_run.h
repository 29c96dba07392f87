// Runs of programs that put flows into a table (bpf/take.h). A bucket of it may be locked.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "base/result.h"

namespace datapath {

// Runs an XDP program of ours once, for this packet; `after`: what it made of it. `what`: for the
// error.
base::Status run_program(int program, const char* what, std::span<const uint8_t> packet,
                         std::span<uint8_t> after = {});

// Takes one flow, again and again as long as the answer is LB_TAKE_BUSY: a lock is held for less
// than a microsecond, but its holder's CPU may be taken away. The last answer.
base::Result<int32_t> take_unlocked(const std::function<base::Result<int32_t>()>& take);

}  // namespace datapath
