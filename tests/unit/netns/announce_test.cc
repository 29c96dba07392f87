// What is announced, its bytes, and when.
#include "netns/announce.h"

#include <gmock/gmock.h>

#include "tests/unit/netns/fake_machine.h"

namespace netns_test {
namespace {

using netns::Announcement;
using netns::Announcer;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::IsEmpty;

constexpr char kMac[] = "02:00:00:00:00:07";

netns::Observed observed() {
  netns::Observed out;
  netns::Link link;
  link.ifindex = 7;
  link.name = "eth1";
  link.mac = mac(kMac);
  link.up = link.carrier = true;
  link.addresses = {prefix("192.0.2.5/24"), prefix("192.0.2.10/32"), prefix("2001:db8:2::10/128")};
  out.links[7] = link;
  return out;
}

netns::LayoutSpec layout() {
  return {.interfaces = {{.name = "eth1", .addresses = {prefix("192.0.2.5/24")}}},
          .vips = {{ip("192.0.2.10"), "eth1"}, {ip("2001:db8:2::10"), "eth1"}}};
}

TEST(Announcements, AddressesAndVipsThatAreThere) {
  netns::LayoutSpec want = layout();
  want.vips.insert({ip("192.0.2.11"), "eth1"});
  EXPECT_THAT(netns::announcements(want, observed()),
              ElementsAre(Announcement{7, mac(kMac), ip("192.0.2.5")},
                          Announcement{7, mac(kMac), ip("192.0.2.10")},
                          Announcement{7, mac(kMac), ip("2001:db8:2::10")}));
}

TEST(Announcements, NotWhatSomebodyElseKeeps) {
  netns::LayoutSpec want;
  want.vips = {{ip("192.0.2.10"), "eth1", netns::VipKeeper::keepalived}};
  EXPECT_THAT(netns::announcements(want, observed()), IsEmpty());
}

TEST(Announcements, NotOnALinkThatNobodyHears) {
  netns::Observed seen = observed();
  seen.links[7].carrier = false;
  EXPECT_THAT(netns::announcements(layout(), seen), IsEmpty());
  seen = observed();
  seen.links[7].up = false;
  EXPECT_THAT(netns::announcements(layout(), seen), IsEmpty());
}

TEST(AnnouncementFrame, GratuitousArp) {
  EXPECT_THAT(netns::announcement_frame({7, mac(kMac), ip("192.0.2.10")}),
              ElementsAreArray(std::vector<uint8_t>{
                  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2,    0,    0,    0,    0,   7, 8, 6,
                  0,    1,    8,    0,    6,    4,    0,    1,    2,    0,    0,   0, 0, 7,
                  192,  0,    2,    10,   0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 192, 0, 2, 10}));
}

TEST(AnnouncementFrame, UnsolicitedNeighbourAdvertisement) {
  EXPECT_THAT(netns::announcement_frame({7, mac(kMac), ip("2001:db8:2::10")}),
              ElementsAreArray(std::vector<uint8_t>{
                  0x33, 0x33, 0,    0,    0,    1,  2,  0,   0, 0, 0, 7, 0x86, 0xdd,           //
                  0x60, 0,    0,    0,    0,    32, 58, 255,                                   //
                  0x20, 1,    0x0d, 0xb8, 0,    2,  0,  0,   0, 0, 0, 0, 0,    0,    0, 0x10,  //
                  0xff, 2,    0,    0,    0,    0,  0,  0,   0, 0, 0, 0, 0,    0,    0, 1,     //
                  136,  0,    0x79, 0x02, 0xa0, 0,  0,  0,                                     //
                  0x20, 1,    0x0d, 0xb8, 0,    2,  0,  0,   0, 0, 0, 0, 0,    0,    0, 0x10,  //
                  2,    1,    2,    0,    0,    0,  0,  7}));
}

TEST(Announcer, SaysWhatIsNewThreeTimesASecondApart) {
  const Announcement a{7, mac(kMac), ip("192.0.2.10")}, b{7, mac(kMac), ip("192.0.2.11")};
  Announcer announcer;
  const Announcer::Time start{};
  EXPECT_EQ(announcer.next(), std::nullopt);
  announcer.update({a}, start);
  EXPECT_EQ(announcer.next(), start);
  EXPECT_THAT(announcer.take_due(start), ElementsAre(a));
  EXPECT_THAT(announcer.take_due(start + milliseconds(999)), IsEmpty());
  announcer.update({a, b}, start + milliseconds(500));
  EXPECT_THAT(announcer.take_due(start + milliseconds(500)), ElementsAre(b));
  EXPECT_THAT(announcer.take_due(start + seconds(2)), ElementsAre(a, b));
  EXPECT_THAT(announcer.take_due(start + seconds(4)), ElementsAre(a, b));
  EXPECT_EQ(announcer.next(), std::nullopt);
  EXPECT_THAT(announcer.take_due(start + seconds(9)), IsEmpty());
}

TEST(Announcer, SaysEverythingOnceMoreWhenAsked) {
  const Announcement a{7, mac(kMac), ip("192.0.2.10")};
  Announcer announcer;
  const Announcer::Time start{};
  announcer.update({a}, start);
  announcer.again(start);  // it is being said
  for (const int second : {0, 1, 2})
    EXPECT_THAT(announcer.take_due(start + seconds(second)), ElementsAre(a));
  EXPECT_EQ(announcer.next(), std::nullopt);
  announcer.again(start + seconds(9));
  EXPECT_THAT(announcer.take_due(start + seconds(9)), ElementsAre(a));
  EXPECT_EQ(announcer.next(), std::nullopt);
}

TEST(Announcer, WhatComesBackIsNew) {
  const Announcement a{7, mac(kMac), ip("192.0.2.10")};
  Announcer announcer;
  const Announcer::Time start{};
  announcer.update({a}, start);
  for (int i = 0; i < 3; ++i) announcer.take_due(start + seconds(i));
  announcer.update({a}, start + seconds(5));
  EXPECT_THAT(announcer.take_due(start + seconds(5)), IsEmpty());
  announcer.update({}, start + seconds(6));
  announcer.update({a}, start + seconds(7));
  EXPECT_THAT(announcer.take_due(start + seconds(7)), ElementsAre(a));
}

}  // namespace
}  // namespace netns_test
