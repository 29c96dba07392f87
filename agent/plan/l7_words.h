// Octavia's enumerations in HAProxy's terms.
#pragma once

#include "agent/model/model.h"
#include "haproxy/haproxy_spec.h"

namespace plan {

haproxy::Fetch fetch_of(model::RuleType type);
haproxy::Match match_of(model::CompareType type);
haproxy::Action action_of(model::PolicyAction action);
// SOURCE_IP_PORT, which no pool of HAProxy's has, counts as SOURCE_IP.
haproxy::Balance balance_of(model::Algorithm algorithm);
haproxy::Persistence persistence_of(const model::SessionPersistence& persistence);
haproxy::ClientAuthentication authentication_of(model::ClientAuthentication authentication);

}  // namespace plan
