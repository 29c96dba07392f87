// Network: reads a namespace and changes it. Blocking calls of milliseconds; they work from any
// thread, one at a time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "netns/layout.h"
#include "netns/namespace.h"
#include "netns/netlink.h"
#include "netns/watch.h"

namespace netns {

class Network {
 public:
  // `space` must outlive it.
  static base::Result<Network> open(const Namespace& space);

  const Namespace& space() const { return *space_; }

  // The namespace as it is, with hops for the targets of `want`. VIPs of `want` are not taken for a
  // source.
  base::Result<State> observe(const LayoutSpec& want);
  // Somebody else having done it already is not an error. Errors name the step.
  base::Result<base::Unit> apply(const Step& step);

  struct Arranged {
    State state;                       // as it is afterwards
    std::vector<std::string> done;     // descriptions of the steps that were carried out
    std::vector<base::Error> errors;   // of the last round; the other steps were carried out
    std::vector<std::string> missing;  // wanted interfaces that are nowhere yet
  };
  // observe, diff, apply until nothing is left that could be done. An error here: cannot even look.
  base::Result<Arranged> arrange(const LayoutSpec& want);

  // Removes everything of ours and gives links back to the original namespace under the names they
  // had. Sysctls stay.
  base::Result<base::Unit> withdraw();

  // Everything inside; and links that appear outside (nullopt: there is no outside).
  base::Result<Watch> watch() const;
  base::Result<std::optional<Watch>> watch_outside() const;

 private:
  Network(const Namespace& space, Socket inside, std::optional<Socket> outside)
      : space_(&space), inside_(std::move(inside)), outside_(std::move(outside)) {}

  base::Result<base::Unit> observe_links(State& state);
  base::Result<base::Unit> observe_addresses(State& state, const std::set<VipSpec>& vips);
  base::Result<base::Unit> observe_routes(State& state);
  base::Result<base::Unit> observe_neighbours(State& state);
  base::Result<base::Unit> observe_hops(State& state, const LayoutSpec& want);
  base::Result<base::Unit> observe_sysctls(State& state, const LayoutSpec& want);
  base::Result<base::Unit> give_back_links();

  friend struct Apply;
  const Namespace* space_;
  Socket inside_;
  std::optional<Socket> outside_;  // none: the namespace is the original one
};

}  // namespace netns
