// What surrounds the resources in an OpenStack, as far as its clients ask for it: providers,
// flavors, availability zones, quotas, projects.
#pragma once

#include "agent/control/router.h"
#include "agent/http/http.h"

namespace control {

// Answers Action::providers .. Action::project, but for failover of what is not there.
http::Response surroundings(const Call& call);

}  // namespace control
