#include "health/state.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace health {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::system_clock;

const Clock::time_point kStart{1000s};

Target target(int rise, int fall) {
  Target t;
  t.rise = rise;
  t.fall = fall;
  return t;
}

Probed probed(char letter) {
  switch (letter) {
    case '+':
      return {Probed::Kind::success, "connected"};
    case '-':
      return {Probed::Kind::failure, "connection refused"};
    default:
      return {Probed::Kind::own_error, "no descriptors left"};
  }
}

char letter(const Health& health) {
  if (health.state == State::unknown) return health.usable ? '?' : '!';
  return health.state == State::up ? 'U' : 'd';
}

// What the member is after each probe of `probes`: U up, d down, ? unknown (usable), ! unknown
// (not).
std::string run(const Target& t, const std::string& probes) {
  Rating rating = new_rating(t, kStart);
  std::string states;
  for (char c : probes) {
    count(rating, t, probed(c), 1ms, kStart);
    states += letter(rating.health);
  }
  return states;
}

struct Course {
  int rise, fall;
  const char* probes;
  const char* states;
};

TEST(State, RiseAndFallAsHaproxyCounts) {
  for (const Course& c : {
           Course{3, 3, "-", "d"},              // a new member: its first failure decides
           Course{3, 3, "+--", "UUU"},          // its first success brings it to the top
           Course{3, 3, "+---", "UUUd"},        //
           Course{3, 3, "+--+--", "UUUUUU"},    // a success makes good for all failures before it
           Course{3, 3, "-+++", "dddU"},        // `rise` successes
           Course{3, 3, "-++-+++", "ddddddU"},  // in a row
           Course{3, 3, "-+++--", "dddUUU"},    // and then `fall` failures again
           Course{3, 3, "-+++---", "dddUUUd"},  //
           Course{1, 1, "+-+-", "UdUd"},        //
           Course{1, 3, "+---+", "UUUdU"},      //
           Course{10, 1, "+-+++++++++", "Udddddddddd"},
           Course{10, 1, "+-++++++++++", "UddddddddddU"}, Course{0, 0, "+-+", "UdU"},  // taken as 1
       })
    EXPECT_EQ(run(target(c.rise, c.fall), c.probes), c.states)
        << "rise " << c.rise << " fall " << c.fall << " probes " << c.probes;
}

TEST(State, OwnErrorsAreNotTheMembers) {
  EXPECT_EQ(run(target(2, 2), "+?-?-"), "U?U?d");  // they do not count, and do not start anew
  EXPECT_EQ(run(target(2, 2), "-?++"), "d!dU");    // a down member stays unusable
  EXPECT_EQ(run(target(2, 2), "?????"), "?????");
}

TEST(State, WhoWasDownBeforeTakesRiseSuccesses) {
  const Target t = target(3, 2);
  Rating rating = down_rating(kStart);
  EXPECT_FALSE(rating.health.usable);
  EXPECT_EQ(rating.health.state, State::down);
  EXPECT_EQ(count(rating, t, probed('-'), 1ms, kStart), Change::none);
  EXPECT_EQ(count(rating, t, probed('+'), 1ms, kStart), Change::none);
  EXPECT_EQ(count(rating, t, probed('+'), 1ms, kStart), Change::none);
  EXPECT_EQ(count(rating, t, probed('+'), 1ms, kStart + 1s), Change::state);
  EXPECT_TRUE(rating.health.usable);
}

TEST(State, ChangesCarryTimeAndReason) {
  const Target t = target(1, 2);
  Rating rating = new_rating(t, kStart);
  EXPECT_EQ(rating.health.state, State::up);
  EXPECT_EQ(rating.health.reason, "not probed yet");
  EXPECT_EQ(rating.health.last_change, kStart);
  EXPECT_EQ(count(rating, t, probed('+'), 3ms, kStart + 1s), Change::none);
  EXPECT_EQ(count(rating, t, probed('-'), 1ms, kStart + 2s), Change::none);
  EXPECT_EQ(rating.health.last_change, kStart);
  EXPECT_EQ(rating.health.reason, "connection refused");
  EXPECT_EQ(count(rating, t, probed('-'), 7ms, kStart + 3s), Change::state);
  EXPECT_EQ(rating.health.last_change, kStart + 3s);
  EXPECT_EQ(rating.health.latency, 7ms);
  EXPECT_EQ(rating.health.probes, 3u);
  EXPECT_EQ(count(rating, t, probed('?'), 0ms, kStart + 4s), Change::state);
  EXPECT_EQ(count(rating, t, probed('?'), 0ms, kStart + 5s), Change::none);
  EXPECT_EQ(rating.health.last_change, kStart + 4s);
}

TEST(State, AChangedMonitorKeepsTheStateAndCountsAnew) {
  const Target before = target(1, 5), after = target(2, 5);
  Rating rating = new_rating(before, kStart);
  count(rating, before, probed('+'), 1ms, kStart);
  Rating up = renewed_rating(after, rating);
  EXPECT_EQ(up.health, rating.health);
  EXPECT_EQ(count(up, after, probed('-'), 1ms, kStart), Change::state);
  Rating down = renewed_rating(before, up);
  EXPECT_FALSE(down.health.usable);
  EXPECT_EQ(count(down, before, probed('+'), 1ms, kStart), Change::state);
  EXPECT_TRUE(down.health.usable);

  Rating halfway = new_rating(after, kStart);
  count(halfway, after, probed('-'), 1ms, kStart);
  count(halfway, after, probed('+'), 1ms, kStart);
  halfway = renewed_rating(after, halfway);
  EXPECT_EQ(count(halfway, after, probed('+'), 1ms, kStart), Change::none);
}

// The rule as one would say it: down after `fall` failures in a row (after one, while never
// succeeded), up after `rise` successes in a row.
RC_GTEST_PROP(StateProperty, SameAsCountingTheLastProbes, ()) {
  const int rise = *rc::gen::inRange(1, 11), fall = *rc::gen::inRange(1, 11);
  const auto probes = *rc::gen::container<std::string>(rc::gen::elementOf(std::string("++--?")));
  bool up = true, succeeded = false;
  int successes = 0, failures = 0;
  std::string states;
  for (char c : probes) {
    if (c == '+') succeeded = true, successes++, failures = 0;
    if (c == '-') failures++, successes = 0;
    if (up && failures >= (succeeded ? fall : 1)) up = false;
    if (!up && successes >= rise) up = true;
    states += c == '?' ? (up ? '?' : '!') : up ? 'U' : 'd';
  }
  RC_ASSERT(run(target(rise, fall), probes) == states);
}

}  // namespace
}  // namespace health
