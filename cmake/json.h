// Precompiled after nlohmann/json.hpp: a source that includes that takes what json.cc has of it,
// instead of compiling it once more. No source includes this.
#pragma once

#include <nlohmann/json.hpp>

extern template class nlohmann::basic_json<>;
