// What Octavia's API has and nothing here carries out yet. Setting it is refused by name (501), so
// that nobody believes in a setting that does nothing. The day something does, its line goes.
#pragma once

#include <string_view>

#include "agent/model/model.h"

namespace model {

struct NotYet {
  Kind kind;
  std::string_view field;  // every value but the default
};

inline constexpr NotYet kNotYet[] = {
    {Kind::load_balancer, "vip_qos_policy_id"},
};

}  // namespace model
