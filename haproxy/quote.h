// Words of HAProxy's configuration from any text: no value can end its word, line or expression.
#pragma once

#include <string>
#include <string_view>

namespace haproxy {

// One word of a line that means exactly `text`. Bytes that no line can hold (NUL) become U+FFFD,
// which no request holds either.
std::string as_word(std::string_view text);

// Text inside of a log-format string, where "%" starts an expression: quote the whole afterwards.
std::string literal(std::string_view text);

// An argument of a sample fetch, as in req.hdr(ARGUMENT): quote the whole afterwards.
std::string argument(std::string_view text);

}  // namespace haproxy
