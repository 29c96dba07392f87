// Resources of the model as the Octavia routes answer them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "agent/control/router.h"
#include "agent/http/http.h"
#include "agent/model/edit/edit.h"
#include "agent/model/show/status.h"

namespace control {

// What is shown: the resources, and what they are worth to clients.
struct View {
  const model::Model& model;
  const model::Statuses& statuses;
};

// GET of one; 404 where it, or the pool or policy that it is asked of, is not there.
http::Response show(const View& view, const Call& call);
// GET of a collection.
http::Response list(const View& view, const Call& call);
// GET /loadbalancers/{id}/status
http::Response status_tree(const View& view, const Call& call);

// The edit that a POST, PUT or DELETE asks for, carried out on `m`.
model::Outcome<model::Edited> edit(const model::Model& m, const Call& call,
                                   const model::Context& context);
// What is answered when it is done, about the resource `id` of the new model.
http::Response edited(const View& view, const base::Uuid& id, const Call& call);

}  // namespace control
