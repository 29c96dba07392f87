// What HAProxy loads of an uploaded haproxy.cfg.
#pragma once

#include <set>
#include <string>

#include "base/uuid.h"
#include "haproxy/document.h"

namespace octavia {

// Byte for byte the text, without
//   - the frontends of `taken` and those of their backends that nothing else names,
//   - "option http-use-htx", for which HAProxy 2.6 refuses the whole text (contract 5.10),
//   - "group" of the global section, which is the machine's to say (contract 1.4).
// "": no frontend is left that anybody could reach.
std::string remainder(const haproxy::Document& document, const std::set<base::Uuid>& taken);

}  // namespace octavia
