// What resources are called.
#include "agent/model/title.h"

#include "tests/unit/model/house.h"

namespace model {
namespace {

TEST(Titles, HaveTypeNameAndId) {
  House h;
  h.model.members.at(h.member).name = "m1";
  EXPECT_EQ(titled(h.model, h.member), "member m1 (" + h.member.text() + ")");
  h.model.members.at(h.member).name = "";
  EXPECT_EQ(titled(h.model, h.member), "member " + h.member.text());
  h.model.load_balancers.at(h.lb).name = "web";
  EXPECT_EQ(titled(h.model, h.lb), "loadbalancer web (" + h.lb.text() + ")");
  const Uuid nobody = Uuid::random();
  EXPECT_EQ(titled(h.model, nobody), nobody.text());
}

TEST(Titles, OfEveryKind) {
  const Model m = House().watched().with_policy().model;
  std::set<std::string> types;
  const auto add = [&](const auto& resources) {
    for (const auto& [id, resource] : resources) types.insert(title_of(m, id).value().type);
  };
  add(m.load_balancers);
  add(m.listeners);
  add(m.pools);
  add(m.members);
  add(m.health_monitors);
  add(m.l7policies);
  add(m.l7rules);
  EXPECT_EQ(types, (std::set<std::string>{"loadbalancer", "listener", "pool", "member",
                                          "healthmonitor", "l7policy", "rule"}));
}

}  // namespace
}  // namespace model
