#include "agent/model/limits.h"

namespace model {

size_t services_of(const Model& m) {
  size_t services = 0;
  for (const auto& [id, listener] : m.listeners) {
    auto lb = m.load_balancers.find(listener.load_balancer);
    if (lb != m.load_balancers.end()) services += 1 + lb->second.additional_vips.size();
  }
  return services;
}

}  // namespace model
