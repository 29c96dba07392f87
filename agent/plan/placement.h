// Who serves a listener: the datapath, or HAProxy, and why. Not to offload is always safe.
#pragma once

#include <string>

#include "agent/model/model.h"

namespace plan {

enum class Place { xdp, haproxy };

struct Placement {
  Place where = Place::xdp;
  std::string reason;  // in words for people: "protocol HTTP", "pool p1 speaks PROXYV2"

  friend bool operator==(const Placement&, const Placement&) = default;
};

std::string_view word(Place place);  // "xdp", "haproxy"

// The pool that serves the listener: its default pool, unless that is switched off or on its way
// out. nullptr: none.
const model::Pool* serving_pool(const model::Model& model, const model::Listener& listener);

Placement placement_of(const model::Model& model, const model::Listener& listener);

}  // namespace plan
