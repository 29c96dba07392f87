// What a cloud has besides load balancers, as far as clients ask for it, answered without a cloud:
// providers, amphorae, projects.
#pragma once

#include "agent/control/router.h"
#include "agent/http/http.h"

namespace control {

http::Response providers(const Call& call);
http::Response empty_list(const Call& call);  // of what is not here: `call.noun`
http::Response absent(const Call& call);      // 404 of one of them
http::Response refused(const Call& call);  // 403 of what only an administrator of a cloud could do

}  // namespace control
