#include <gtest/gtest.h>

#include "keepalived/keepalived_spec.h"
#include "tests/support/addresses.h"

namespace keepalived_test {
namespace {

using keepalived::Role;
using keepalived::Seen;
using test::ip;

TEST(RoleOfANode, FollowsTheKernelsAddresses) {
  keepalived::Instance instance;
  instance.vips = {ip("203.0.113.10"), ip("203.0.113.11")};
  const auto own = ip("203.0.113.21");
  const std::vector<std::pair<Seen, Role>> table{
      {{true, true, true, {own}}, Role::backup},
      {{true, true, true, {own, ip("203.0.113.11")}}, Role::master},
      {{true, true, true, {}}, Role::backup},
      {{false, true, true, {own}}, Role::fault},
      {{true, false, true, {own}}, Role::fault},
      {{true, true, false, {own}}, Role::fault},
      // keepalived has not given it up yet: clients still come here.
      {{true, true, false, {ip("203.0.113.10")}}, Role::master},
      {{false, true, true, {ip("203.0.113.10")}}, Role::master},
  };
  for (const auto& [seen, role] : table) EXPECT_EQ(role_of(instance, seen), role);
}

TEST(RoleOfANode, HasAWord) {
  EXPECT_STREQ(to_text(Role::master), "MASTER");
  EXPECT_STREQ(to_text(Role::backup), "BACKUP");
  EXPECT_STREQ(to_text(Role::fault), "FAULT");
}

}  // namespace
}  // namespace keepalived_test
