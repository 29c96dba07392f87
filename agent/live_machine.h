// The real machine: a network namespace and the pinned datapath.
#pragma once

#include "agent/datapath/datapath.h"
#include "agent/machine.h"
#include "netns/network.h"

namespace agent {

class LiveMachine final : public Machine {
 public:
  // Both outlive it; the threads that call are inside the namespace.
  LiveMachine(netns::Network& network, datapath::Datapath& datapath)
      : network_(network), datapath_(datapath) {}

  base::Result<netns::Observed> observe(const netns::LayoutSpec& layout) override;
  base::Result<Arranged> arrange(const netns::LayoutSpec& layout) override;
  Attached attach(const netns::Observed& observed) override;
  const datapath::Tables& tables() const override { return datapath_.tables(); }
  base::Result<base::Unit> apply(std::span<const datapath::Step> steps) override;
  plan::Resting resting() const override;
  base::Result<base::Unit> resolve(const netns::Observed& observed) override;

 private:
  netns::Network& network_;
  datapath::Datapath& datapath_;
};

}  // namespace agent
