// The words of one line of a haproxy.cfg.
#pragma once

#include <string_view>

#include "base/result.h"
#include "haproxy/document.h"

namespace haproxy {

// `line` may have its newline. Error: what is wrong, without the number of the line.
base::Result<Words> split_words(std::string_view line);

}  // namespace haproxy
