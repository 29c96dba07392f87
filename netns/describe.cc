// Steps as sentences: for logs, errors and dry runs.
#include "netns/layout.h"

namespace netns {

namespace {

std::string text(const std::string& link, const RouteSpec& route) {
  std::string out = route.destination.length == 0 ? "default" : route.destination.text();
  if (route.destination.length == 0 && route.destination.address.family() == base::Family::ipv6)
    out = "::/0";
  if (route.gateway) out += " via " + route.gateway->text();
  out += " dev " + link;
  if (route.prefsrc) out += " src " + route.prefsrc->text();
  if (route.table != 254) out += " table " + std::to_string(route.table);
  return out;
}

std::string text(const RuleSpec& rule) {
  return "from " + rule.source.text() + " lookup " + std::to_string(rule.table) + " priority " +
         std::to_string(rule.priority);
}

struct Describe {
  std::string operator()(const MoveLink& s) const {
    return "move " + s.from + " into the namespace as " + s.to;
  }
  std::string operator()(const RenameLink& s) const { return "rename " + s.from + " to " + s.to; }
  std::string operator()(const SetMtu& s) const {
    return "set the MTU of " + s.link + " to " + std::to_string(s.mtu);
  }
  std::string operator()(const SetUp& s) const { return "set " + s.link + " up"; }
  std::string operator()(const SetSysctl& s) const {
    return "write " + s.value + " to /proc/sys/" + s.key;
  }
  std::string operator()(const AddAddress& s) const {
    return "add address " + s.prefix.text() + " to " + s.link;
  }
  std::string operator()(const RemoveAddress& s) const {
    return "remove address " + s.prefix.text() + " from " + s.link;
  }
  std::string operator()(const AddRoute& s) const { return "add route " + text(s.link, s.route); }
  std::string operator()(const ReplaceRoute& s) const {
    return "replace route " + text(s.old_link, s.old_route) + " by " + text(s.link, s.route);
  }
  std::string operator()(const RemoveRoute& s) const {
    return "remove route " + text(s.link, s.route);
  }
  std::string operator()(const AddRule& s) const { return "add rule " + text(s.rule); }
  std::string operator()(const RemoveRule& s) const { return "remove rule " + text(s.rule); }
  std::string operator()(const ManageNeighbour& s) const {
    return "keep neighbour " + s.key.address.text() + " on " + s.link + " resolved";
  }
  std::string operator()(const ReleaseNeighbour& s) const {
    return "release neighbour " + s.key.address.text() + " on " + s.link;
  }
};

}  // namespace

std::string describe(const Step& step) { return std::visit(Describe{}, step); }

}  // namespace netns
