// Words of a request's path, checked before anything is done with them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/uuid.h"

namespace octavia {

// nullopt: not the text of a UUID as controllers write it (36 characters, with dashes).
std::optional<base::Uuid> id_of(std::string_view word);

// "start", "stop" or "reload" in any case, in lower case; "": something else.
std::string action_of(std::string_view word);

// Whether a certificate may be kept under this name (contract, 1.4, Notes): a word character, any
// character and "pem" somewhere in it; never anything that leads out of its folder.
bool is_certificate_name(std::string_view name);

}  // namespace octavia
