#include "agent/model/title.h"

namespace model {

std::optional<Title> title_of(const Model& m, const Uuid& id) {
  std::optional<Title> title;
  const auto look = [&](const char* type, const auto& resources) {
    const auto found = resources.find(id);
    if (found != resources.end()) title = Title{type, found->second.name};
  };
  look("loadbalancer", m.load_balancers);
  look("listener", m.listeners);
  look("pool", m.pools);
  look("member", m.members);
  look("healthmonitor", m.health_monitors);
  look("l7policy", m.l7policies);
  look("rule", m.l7rules);
  return title;
}

std::string titled(const Model& m, const Uuid& id) {
  const auto title = title_of(m, id);
  if (!title) return id.text();
  const std::string type = title->type;
  return title->name.empty() ? type + " " + id.text()
                             : type + " " + title->name + " (" + id.text() + ")";
}

}  // namespace model
