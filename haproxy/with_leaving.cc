#include <set>

#include "haproxy/haproxy_spec.h"
#include "haproxy/uploaded.h"

namespace haproxy {

Spec with_leaving(const Spec& running, const Spec& wanted, const std::set<base::Uuid>& moving) {
  Spec both = wanted;
  if (wanted.uploaded) {
    if (running.uploaded)
      both.uploaded->text =
          with_leaving_frontends(running.uploaded->text, wanted.uploaded->text, moving);
    return both;
  }
  if (both.metrics_socket.empty()) both.metrics_socket = running.metrics_socket;
  std::set<base::Endpoint> taken;
  for (const auto& [listener, frontend] : wanted.frontends)
    taken.insert(frontend.binds.begin(), frontend.binds.end());
  for (const auto& [listener, frontend] : running.frontends) {
    if (both.frontends.contains(listener) || !moving.contains(listener)) continue;
    Frontend leaving = frontend;
    std::erase_if(leaving.binds, [&](const auto& place) { return taken.contains(place); });
    if (leaving.binds.empty()) continue;
    both.frontends.emplace(listener, std::move(leaving));
    for (const auto& [id, backend] : running.backends)
      if (id.listener == listener) both.backends.emplace(id, backend);
  }
  return both;
}

Specs with_leaving(const Specs& running, const Specs& wanted, const std::set<base::Uuid>& moving) {
  Specs both = wanted;
  for (const auto& [load_balancer, spec] : running) {
    const auto found = wanted.find(load_balancer);
    Spec stays = with_leaving(spec, found == wanted.end() ? Spec{} : found->second, moving);
    if (found != wanted.end() || serves_something(stays)) both[load_balancer] = std::move(stays);
  }
  return both;
}

bool serves_something(const Spec& spec) {
  return spec.uploaded ? !spec.uploaded->text.empty() : !spec.frontends.empty();
}

}  // namespace haproxy
