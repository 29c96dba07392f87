// What a pool's own attributes must be together: session persistence, TLS towards the members.
#pragma once

#include <nlohmann/json.hpp>

#include "agent/model/datagrams.h"
#include "agent/model/edit/edit.h"
#include "agent/model/edit/rules.h"

namespace model {

// `pool` is as it is to be, `values` what the request sets. Fills in the TLS defaults.
Refusal complete_pool(const Context& context, Pool& pool, const nlohmann::json& values,
                      Request request);
// Of the pool as it is to be.
Refusal check_persistence(const Pool& pool, const nlohmann::json& values, Request request);
// A change that does not say its type leaves it as it was, where there was one.
Refusal keep_persistence_type(const Pool& former, Pool& pool, const nlohmann::json& values);

}  // namespace model
