#include <gtest/gtest.h>

#include "tests/unit/haproxy/specs.h"

namespace haproxy {
namespace {

using haproxy_test::id;
using haproxy_test::Made;
using haproxy_test::pool;

TEST(WithLeaving, KeepsWhatMoves) {
  Made running, wanted;
  Frontend leaving = running.frontend();
  leaving.listener = id(7);
  leaving.binds[0].port = 81;
  running.spec.frontends[id(7)] = leaving;
  Backend backend = running.backend();
  backend.id = pool(2, 7);
  running.spec.backends[backend.id] = backend;
  running.server().weight = 9;
  const Spec both = with_leaving(running.spec, wanted.spec, {id(7)});
  EXPECT_EQ(both.frontends.at(id(1)), wanted.frontend());
  EXPECT_EQ(both.frontends.at(id(7)), leaving);
  EXPECT_EQ(both.backends.at(pool(2)), wanted.backend());
  EXPECT_EQ(both.backends.at(pool(2, 7)), backend);
  EXPECT_EQ(with_leaving(wanted.spec, wanted.spec, {id(7)}), wanted.spec);
  EXPECT_EQ(with_leaving(running.spec, wanted.spec, {}), wanted.spec) << "it was deleted";
}

TEST(WithLeaving, APlaceHasOneOwner) {
  Made running, wanted;
  Frontend leaving = running.frontend();
  leaving.listener = id(7);
  running.spec.frontends = {{id(7), leaving}};
  EXPECT_EQ(with_leaving(running.spec, wanted.spec, {id(7)}), wanted.spec);
}

TEST(WithLeaving, GoesByLoadBalancer) {
  Made running, wanted;
  const Specs before{{id(8), running.spec}, {id(9), running.spec}};
  EXPECT_EQ(with_leaving(before, Specs{{id(9), wanted.spec}}, {}), (Specs{{id(9), wanted.spec}}));
  EXPECT_EQ(with_leaving(before, Specs{}, {id(1)}), before) << "all of it moves";
  const Specs text{{id(8), Spec{Uploaded{"", ""}, {}, {}, ""}}};
  EXPECT_EQ(with_leaving(text, Specs{}, {}), Specs{});
}

}  // namespace
}  // namespace haproxy
