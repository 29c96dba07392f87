// Flavors, availability zones, their profiles, and quotas, as the Octavia routes answer them.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "agent/control/router.h"
#include "agent/http/http.h"
#include "agent/reconcile/changes.h"

namespace control {

// GET of a list or of one of them.
http::Response show_catalog(const model::Model& m, const Call& call);
// POST, PUT and DELETE. What they change is nothing of the machine's.
boost::asio::awaitable<http::Response> change_catalog(reconcile::Changes& changes, Call call);

// Of projects: `call.name`.
http::Response show_quotas(const model::Model& m, const Call& call);
http::Response show_quota(const model::Model& m, const Call& call);
boost::asio::awaitable<http::Response> change_quota(reconcile::Changes& changes, Call call);

// What profiles of the provider `call.name` may say.
http::Response capabilities(const Call& call);

}  // namespace control
