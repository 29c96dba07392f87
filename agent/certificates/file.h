// Files that somebody else may have put there.
#pragma once

#include <string>

#include "base/result.h"

namespace certificates {

// At most `most` bytes; a longer one is EFBIG. Only of a regular file.
base::Result<std::string> read_small_file(const std::string& path, size_t most);

}  // namespace certificates
