// Lists as the API answers them: filtered, sorted, cut into pages, reduced to fields. Pure, over
// shown resources.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "agent/model/fault.h"
#include "agent/model/kinds.h"

namespace model {

// Decoded query parameters in the order of the request; names may repeat.
using QueryParameters = std::vector<std::pair<std::string, std::string>>;

// {"<plural>": [...], "<plural>_links": [...]}. `shown` are all resources of the kind that the path
// names (one pool's members), as show() makes them. `base_href` is the URL of the request without
// its query ("http://localhost/v2/lbaas/listeners").
// Takes limit, marker, page_reverse, sort or sort_key with sort_dir, fields, tags, tags-any,
// not-tags, not-tags-any, loadbalancer_id, and every attribute of the kind as an exact filter.
Outcome<nlohmann::json> list(Kind kind, std::vector<nlohmann::json> shown,
                             const QueryParameters& parameters, const std::string& base_href);

// What GET of one resource does with its query: `fields` may repeat, all else is ignored.
nlohmann::json select_fields(const nlohmann::json& shown, const QueryParameters& parameters);

}  // namespace model
