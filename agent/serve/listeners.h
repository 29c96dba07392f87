// The listeners of a model, for those who keep something for each and nothing for others.
#pragma once

#include <set>

#include "agent/model/model.h"

namespace serve {

inline std::set<base::Uuid> listeners_of(const model::Model& model) {
  std::set<base::Uuid> ids;
  for (const auto& [id, listener] : model.listeners) ids.insert(id);
  return ids;
}

}  // namespace serve
