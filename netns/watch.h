// Hearing of changes in a namespace, by a descriptor that an event loop can wait on.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "base/fd.h"
#include "base/ip.h"
#include "base/result.h"
#include "netns/netns_spec.h"

namespace netns {

// What has changed since the last time. Links, addresses, routes and rules call for a new
// observation; neighbours, which change all the time, are told one by one (the last state of each).
struct Changes {
  bool links = false;
  bool addresses = false;
  bool routes = false;
  bool rules = false;
  bool lost = false;  // events were lost: anything may have changed, neighbours too
  std::map<NeighbourKey, std::optional<base::MacAddress>> neighbours{};  // nullopt: not usable

  bool layout() const { return links || addresses || routes || rules || lost; }
  bool any() const { return layout() || !neighbours.empty(); }

  friend bool operator==(const Changes&, const Changes&) = default;
};

// Brings neighbours and the hops that use them up to date. True: something is different.
bool merge(Observed& observed, const Changes& changes);

class Watch {
 public:
  enum class Scope { everything, links };
  // `namespace_fd` stays the caller's, and outlives the watch.
  static base::Result<Watch> open(int namespace_fd, Scope scope);

  int fd() const { return fd_.get(); }  // readable: read_events() has something; non-blocking
  // Everything that has come; nothing: no change is set.
  base::Result<Changes> read_events();
  // After an error: a new descriptor; what was to be heard meanwhile is lost.
  base::Result<base::Unit> watch_again();

 private:
  Watch(base::Fd fd, int namespace_fd, Scope scope)
      : fd_(std::move(fd)), namespace_fd_(namespace_fd), scope_(scope) {}

  base::Fd fd_;
  int namespace_fd_;
  Scope scope_;
  std::vector<uint8_t> buffer_ = std::vector<uint8_t>(size_t{1} << 16);
};

}  // namespace netns
