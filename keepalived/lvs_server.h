// The block of one real_server.
#pragma once

#include "base/result.h"
#include "keepalived/lvs_document.h"
#include "keepalived/lvs_lines.h"

namespace keepalived {

// `title` is its first line, `lines` go on behind that and end behind the block. The member's id is
// the caller's to set.
base::Result<LvsServer> read_server(const LvsLine& title, LvsLines& lines);

}  // namespace keepalived
