#include "netns/watch.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <span>
#include <utility>

#include "netns/netlink.h"
#include "netns/records.h"

namespace netns {

namespace {

using base::Error;
using base::Result;

constexpr unsigned kLinks[] = {RTNLGRP_LINK};
constexpr unsigned kEverything[] = {RTNLGRP_LINK,       RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
                                    RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,  RTNLGRP_IPV4_RULE,
                                    RTNLGRP_IPV6_RULE,  RTNLGRP_NEIGH};

void note(Changes& changes, const nlmsghdr& message) {
  switch (message.nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      changes.links = true;
      return;
    case RTM_NEWADDR:
    case RTM_DELADDR:
      changes.addresses = true;
      return;
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
      changes.routes = true;
      return;
    case RTM_NEWRULE:
    case RTM_DELRULE:
      changes.rules = true;
      return;
    default:
      if (auto neighbour = read_neighbour(message))
        changes.neighbours[neighbour->key] = neighbour->mac;
  }
}

}  // namespace

bool merge(Observed& observed, const Changes& changes) {
  bool different = false;
  for (const auto& [key, mac] : changes.neighbours) {
    auto it = observed.neighbours.find(key);
    if (it == observed.neighbours.end() ? !mac : mac == it->second) continue;
    different = true;
    if (mac)
      observed.neighbours[key] = *mac;
    else
      observed.neighbours.erase(it);
  }
  if (!different) return false;
  for (auto& [target, hop] : observed.hops) {
    auto it = changes.neighbours.find({hop.ifindex, hop.gateway.value_or(target)});
    if (it != changes.neighbours.end()) hop.neighbour = it->second;
  }
  return true;
}

Result<Watch> Watch::open(int namespace_fd, Scope scope) {
  auto groups = scope == Scope::links ? std::span<const unsigned>(kLinks)
                                      : std::span<const unsigned>(kEverything);
  Result<base::Fd> fd = open_watch(namespace_fd, groups);
  if (!fd) return std::move(fd).error();
  return Watch(*std::move(fd), namespace_fd, scope);
}

Result<base::Unit> Watch::watch_again() {
  Result<Watch> fresh = open(namespace_fd_, scope_);
  if (!fresh) return std::move(fresh).error();
  fd_ = std::move(fresh->fd_);
  return base::Unit{};
}

Result<Changes> Watch::read_events() {
  Changes changes;
  for (;;) {
    ssize_t size = ::recv(fd_.get(), buffer_.data(), buffer_.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return changes;
    if (size < 0 && errno == ENOBUFS) {
      changes.lost = true;
      continue;
    }
    if (size < 0) return Error{errno, "read network events"};
    for_each_message({buffer_.data(), static_cast<size_t>(size)},
                     [&](const nlmsghdr& m) { note(changes, m); });
  }
}

}  // namespace netns
