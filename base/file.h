// Files that are there whole or not at all.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/result.h"

namespace base {

// The whole file. Error::code is ENOENT where there is none.
Result<std::string> read_file(const std::string& path);

// Writes a file and flushes it to the disk; what was there is overwritten in place. It has `mode`
// then, whatever the umask is and whatever it had.
Result<Unit> write_file(const std::string& path, std::string_view bytes, mode_t mode);
// Makes what was created, renamed or removed in a directory durable.
Result<Unit> flush_directory(const std::string& directory);

// Puts `bytes` in the place of `directory`/`name`: written beside it, flushed, renamed. Durable
// when it returns; whoever reads meanwhile sees the old file or the new one.
Result<Unit> replace_file(const std::string& directory, const std::string& name,
                          std::string_view bytes, mode_t mode);

}  // namespace base
