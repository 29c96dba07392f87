// What a listener's own attributes must be together: TLS, inserted headers.
#pragma once

#include <nlohmann/json.hpp>

#include "agent/model/edit/edit.h"
#include "agent/model/edit/rules.h"

namespace model {

// `listener` is as it is to be, `values` what the request sets. Fills in the TLS defaults.
Refusal complete_listener(const Context& context, Listener& listener, const nlohmann::json& values,
                          Request request);

// Whether the protocol takes requests apart, so that policies can look at them.
bool has_requests(ListenerProtocol protocol);
// 400 on those that have no children, 501 on those without requests.
Refusal check_takes_policies(const Listener& listener);
Fault no_children(ListenerProtocol protocol);

}  // namespace model
