// The kinds of resources as data: how each is called, and where a model keeps it. A new kind has
// its row here, its functions in edit/editors.h, its table in fields/, and show_one() in show/.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "agent/model/fault.h"
#include "agent/model/model.h"

namespace model {

struct KindNames {
  Kind kind;
  std::string_view singular;  // the key of one in a body: "listener"
  std::string_view plural;    // the key of a list of them: "listeners"
  std::string_view title;     // in Octavia's errors: "Listener"
};

inline constexpr std::array kKinds{
    KindNames{Kind::load_balancer, "loadbalancer", "loadbalancers", "Load Balancer"},
    KindNames{Kind::listener, "listener", "listeners", "Listener"},
    KindNames{Kind::pool, "pool", "pools", "Pool"},
    KindNames{Kind::member, "member", "members", "Member"},
    KindNames{Kind::health_monitor, "healthmonitor", "healthmonitors", "Health Monitor"},
    KindNames{Kind::l7policy, "l7policy", "l7policies", "L7 Policy"},
    KindNames{Kind::l7rule, "rule", "rules", "L7 Rule"},
};

const KindNames& names_of(Kind kind);
inline std::string singular(Kind kind) { return std::string(names_of(kind).singular); }
inline std::string plural(Kind kind) { return std::string(names_of(kind).plural); }

// 404 "Listener <id> not found."
Fault not_found(Kind kind, std::string_view id);

// use(all): the model's map of the kind. Answers what `use` does, which is of one type for all.
template <class M, class Use>
decltype(auto) with_all(M& m, Kind kind, Use&& use) {
  switch (kind) {
    case Kind::load_balancer:
      return use(m.load_balancers);
    case Kind::listener:
      return use(m.listeners);
    case Kind::pool:
      return use(m.pools);
    case Kind::member:
      return use(m.members);
    case Kind::health_monitor:
      return use(m.health_monitors);
    case Kind::l7policy:
      return use(m.l7policies);
    case Kind::l7rule:
      return use(m.l7rules);
  }
  __builtin_unreachable();
}

}  // namespace model
