// Small files with secrets in them.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace certificates {

// At most `most` bytes; a longer one is EFBIG. Only of a regular file.
base::Result<std::string> read_small_file(const std::string& path, size_t most);

// 0600. Written beside, flushed, renamed, the folder flushed: durable, and there whole or not at
// all.
base::Result<base::Unit> replace_file(const std::string& folder, const std::string& name,
                                      std::string_view bytes);

}  // namespace certificates
