// Time stamps as Octavia writes them: "2026-11-22T11:09:19.823284", UTC without saying so.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agent/model/model.h"

namespace model {

std::string text(Time time);
std::optional<Time> parse_time(std::string_view text);

}  // namespace model
