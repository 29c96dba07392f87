// When a node of a pair may have the VIPs.
#include "agent/serve/fitness.h"

#include <gtest/gtest.h>

namespace serve {
namespace {

base::Uuid id(uint8_t number) {
  base::Uuid out;
  out.bytes[15] = number;
  return out;
}

// An amphora or a node of its own, with two interfaces that run the program, and a listener.
class FitnessOfNode : public testing::Test {
 protected:
  FitnessOfNode() {
    for (const uint32_t index : {1u, 2u, 3u}) {
      netns::Link link;
      link.ifindex = index;
      link.name = "if" + std::to_string(index);
      link.loopback = index == 1;
      observed_.links[index] = link;
      if (!link.loopback) attachments_.push_back({link.name, index});
    }
    model::LoadBalancer lb;
    lb.id = id(1);
    model_.load_balancers[lb.id] = lb;
    model::Listener listener;
    listener.id = id(2);
    listener.load_balancer = lb.id;
    model_.listeners[listener.id] = listener;
    progress_.runs = 1;
  }

  keepalived::Fitness fitness(bool haproxy_answers = false) const {
    return fitness_of({model_, progress_, observed_, attachments_, haproxy_answers});
  }
  std::vector<std::string> reasons(bool haproxy_answers = false) const {
    return keepalived::reasons_against(fitness(haproxy_answers));
  }
  void give_listener_to_haproxy() {
    progress_.placements[id(2)] = {plan::ServedBy::haproxy, "protocol HTTP"};
  }

  model::Model model_;
  reconcile::Progress progress_;
  netns::Observed observed_;
  std::vector<datapath::Attachment> attachments_;
};

using Reasons = std::vector<std::string>;

TEST_F(FitnessOfNode, IsFitWhenEveryInterfaceRunsTheProgram) {
  EXPECT_EQ(reasons(), Reasons());
  attachments_.pop_back();
  EXPECT_EQ(reasons(), Reasons{"the XDP program is not attached"});
}

TEST_F(FitnessOfNode, IsUnfitWhenSomebodyTookAProgramAway) {
  EXPECT_FALSE(
      fitness_of({model_, progress_, observed_, attachments_, false, true}).program_is_attached);
}

TEST_F(FitnessOfNode, IsUnfitAsLongAsTheOtherNodesFlowsHaveNotCome) {
  const auto fitness = fitness_of({model_, progress_, observed_, attachments_, false, false, true});
  EXPECT_EQ(keepalived::reasons_against(fitness),
            Reasons{"the other node's connections have not all come yet"});
}

TEST_F(FitnessOfNode, IsUnfitWhileTheVipsAreToGo) {
  const auto fitness =
      fitness_of({model_, progress_, observed_, attachments_, false, false, false, true});
  EXPECT_EQ(keepalived::reasons_against(fitness), Reasons{"the VIPs are to go to the other node"});
}

// The other node of the pair has the same route, and the same error.
TEST_F(FitnessOfNode, IsFitWhateverElseTheMachineRefuses) {
  model_.amphora.emplace();
  progress_.error = "add the route to 192.0.2.0/24 on eth1: Network is unreachable";
  EXPECT_EQ(reasons(), Reasons());
}

TEST_F(FitnessOfNode, NeedsTheHaproxyThatServesItsListener) {
  give_listener_to_haproxy();
  EXPECT_EQ(reasons(), Reasons{"HAProxy does not answer"});
  EXPECT_EQ(reasons(true), Reasons());
}

TEST_F(FitnessOfNode, NeedsNoHaproxyForAListenerThatIsOff) {
  give_listener_to_haproxy();
  model_.listeners[id(2)].admin_state_up = false;
  EXPECT_EQ(reasons(), Reasons());
  model_.listeners[id(2)].admin_state_up = true;
  model_.load_balancers[id(1)].admin_state_up = false;
  EXPECT_EQ(reasons(), Reasons());
}

TEST_F(FitnessOfNode, OfAnAmphoraNeedsHaproxyForItsText) {
  model_.amphora.emplace();
  EXPECT_EQ(reasons(), Reasons());
  model_.amphora->haproxy_text = "frontend f\n";
  EXPECT_EQ(reasons(), Reasons{"HAProxy does not answer"});
}

// The text of a load balancer that is switched off has no listener; one that was never uploaded is
// another thing.
TEST_F(FitnessOfNode, OfAnAmphoraNeedsATextButNoListener) {
  model_.listeners.clear();
  EXPECT_EQ(reasons(), Reasons{"there is no load balancer with a listener"});
  model_.amphora.emplace();
  EXPECT_EQ(reasons(), Reasons());
  model_.load_balancers.clear();
  EXPECT_EQ(reasons(), Reasons{"there is no load balancer with a listener"});
}

}  // namespace
}  // namespace serve
