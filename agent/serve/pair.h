// Pair: one of two nodes without a controller. Renders keepalived's text from the configuration and
// the VIPs of the load balancers, and has keepalived run it (docs/vrrp.md).
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>

#include "agent/pair/key.h"
#include "agent/reconcile/event.h"
#include "agent/serve/config.h"
#include "agent/serve/vrrp_keeper.h"
#include "base/result.h"
#include "keepalived/keepalived_spec.h"
#include "keepalived/process.h"
#include "netns/netns_spec.h"

namespace serve {

// Of a pair's node; the agent of the same configuration finds its keepalived again.
keepalived::Paths pair_paths(const Config& config);

// The key that the configuration names. Errors name the field.
base::Result<pair::Key> key_of(const PairConfig& pair);
// If it names one, it is there and good.
base::Status check_pair(const Config& config);

// What keepalived is to do with its addresses of this layout: the VIPs, and those that go along on
// other interfaces. Pure: the same values, the same instance.
keepalived::Instance pair_instance(const PairConfig& pair, const netns::LayoutSpec& layout,
                                   const std::string& check_script);

class Pair {
 public:
  static base::Result<std::unique_ptr<Pair>> open(boost::asio::any_io_executor loop,
                                                  const Config& config,
                                                  keepalived::Process::DropAddresses drop,
                                                  VrrpKeeper::Fitness fitness);

  // The namespace has been brought to this layout: its VIPs are keepalived's.
  void arranged(const netns::LayoutSpec& layout);
  // Three jobs, each until finish(). keepalived stays: the next agent adopts it.
  void start();
  void finish();

  // This node's fitness has changed, and keepalived is to know at its next check.
  void look_again() { keeper_.look_again(); }
  const VrrpKeeper& keeper() const { return keeper_; }

 private:
  Pair(boost::asio::any_io_executor loop, const Config& config, keepalived::Paths paths,
       keepalived::Process keepalived, VrrpKeeper::Fitness fitness);
  boost::asio::awaitable<void> follow();
  boost::asio::awaitable<bool> carry_out(std::string text);

  boost::asio::any_io_executor loop_;
  PairConfig pair_;
  keepalived::Paths paths_;
  VrrpKeeper keeper_;
  reconcile::Event wake_;
  std::string wanted_;  // text; "": there is no VIP, and no keepalived
  bool knows_ = false;  // what is wanted
  bool finished_ = false;
};

}  // namespace serve
