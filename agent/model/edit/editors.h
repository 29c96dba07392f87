// The edits of each kind of resource behind edit.h. Each works on a draft; a refused draft is
// thrown away.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "agent/model/edit/draft.h"

namespace model {

using Body = nlohmann::json;

// What is made or changed, by id.
using Done = Outcome<Uuid>;

Done create_load_balancer(Draft& draft, const Body& body);  // with all that is nested in it
Done update_load_balancer(Draft& draft, const Uuid& id, const Body& body);
Done renew_load_balancer(Draft& draft, const Uuid& id);
Done remove_load_balancer(Draft& draft, const Uuid& id, Cascade cascade);

Done create_listener(Draft& draft, const Body& body);
Done update_listener(Draft& draft, const Uuid& id, const Body& body);
Done remove_listener(Draft& draft, const Uuid& id);

Done create_pool(Draft& draft, const Body& body);
Done update_pool(Draft& draft, const Uuid& id, const Body& body);
Done remove_pool(Draft& draft, const Uuid& id);

Done create_member(Draft& draft, const Uuid& pool, const Body& body);
Done update_member(Draft& draft, const Uuid& pool, const Uuid& id, const Body& body);
Done remove_member(Draft& draft, const Uuid& pool, const Uuid& id);
Done replace_all_members(Draft& draft, const Uuid& pool, const Body& body, Additive additive);

Done create_health_monitor(Draft& draft, const Body& body);
Done update_health_monitor(Draft& draft, const Uuid& id, const Body& body);
Done remove_health_monitor(Draft& draft, const Uuid& id);
// Of a nested create: `values` are read_fields' of the monitor of this new pool.
Refusal add_health_monitor(Draft& draft, const Pool& pool, const Body& values);

Done create_l7policy(Draft& draft, const Body& body);
Done update_l7policy(Draft& draft, const Uuid& id, const Body& body);
Done remove_l7policy(Draft& draft, const Uuid& id);
// Of a nested create: `values` are read_fields' of a policy of this new listener.
Done add_l7policy(Draft& draft, const Listener& listener, const Body& values,
                  std::optional<Uuid> redirect_pool);

Done create_l7rule(Draft& draft, const Uuid& policy, const Body& body);
Done update_l7rule(Draft& draft, const Uuid& policy, const Uuid& id, const Body& body);
Done remove_l7rule(Draft& draft, const Uuid& policy, const Uuid& id);
Refusal add_l7rule(Draft& draft, const L7Policy& policy, const Body& values);  // of a nested create
Refusal check_rule_count(const Uuid& policy, size_t rules);

}  // namespace model
