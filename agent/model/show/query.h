// Lists as the API answers them: filtered, sorted, cut into pages, reduced to fields. Pure, over
// shown resources.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "agent/model/fault.h"
#include "agent/model/fields/listable.h"
#include "agent/model/kinds.h"

namespace model {

// Decoded query parameters in the order of the request; names may repeat.
using QueryParameters = std::vector<std::pair<std::string, std::string>>;

const Listable& listable(Kind kind);

// {"<plural>": [...], "<plural>_links": [...]}. `shown` are all resources that the path names (one
// pool's members), as show() makes them, `parent` is what they are of. `base_href` is the URL of
// the request without its query ("http://localhost/v2/lbaas/listeners").
// Takes limit, marker, page_reverse, sort or sort_key with sort_dir, fields, tags, tags-any,
// not-tags, not-tags-any, and every attribute as an exact filter and as a sort key.
Outcome<nlohmann::json> list(const Listable& of, std::vector<nlohmann::json> shown,
                             const QueryParameters& parameters, const std::string& base_href,
                             const Uuid& parent = {});

// What GET of one resource does with its query: `fields` may repeat, all else is ignored.
nlohmann::json select_fields(const nlohmann::json& shown, const QueryParameters& parameters);

}  // namespace model
