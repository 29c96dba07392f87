// Making, adopting, entering and removing namespaces (the topology is in lab.h).
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "tests/net/netns/lab.h"

namespace netns_test {
namespace {

using netns::Namespace;
using testing::HasSubstr;
using testing::Not;

class NamespaceTest : public Lab {};

ino_t inode(const std::string& path) {
  struct stat s {};
  return ::stat(path.c_str(), &s) == 0 ? s.st_ino : 0;
}

TEST_F(NamespaceTest, IsMadeAsIpNetnsAddMakesIt) {
  ino_t before = inode("/proc/thread-self/ns/net");
  auto space = Namespace::open("lb");
  ASSERT_TRUE(space) << space.error().message();
  EXPECT_EQ(inode("/proc/thread-self/ns/net"), before);
  EXPECT_FALSE(space->is_original());
  EXPECT_THAT(sh("ip netns list"), HasSubstr("lb"));
  sh("ip -n lb link show lo");
}

TEST_F(NamespaceTest, IsAdoptedWhenItIsThere) {
  auto first = Namespace::open("lb");
  ASSERT_TRUE(first);
  ino_t made = inode("/run/netns/lb");
  auto second = Namespace::open("lb");
  ASSERT_TRUE(second);
  EXPECT_EQ(inode("/run/netns/lb"), made);
}

TEST_F(NamespaceTest, EnterMovesTheThreadAndTheThreadsItStarts) {
  auto space = Namespace::open("lb");
  ASSERT_TRUE(space);
  std::thread([&] {
    ASSERT_TRUE(space->enter());
    EXPECT_EQ(inode("/proc/thread-self/ns/net"), inode("/run/netns/lb"));
    std::thread([] {
      EXPECT_EQ(inode("/proc/thread-self/ns/net"), inode("/run/netns/lb"));
    }).join();
  }).join();
  EXPECT_NE(inode("/proc/thread-self/ns/net"), inode("/run/netns/lb"));
}

TEST_F(NamespaceTest, RemovesWhatAnEarlierLifeMade) {
  ASSERT_TRUE(Namespace::open("lb"));
  auto later = Namespace::find("lb");
  ASSERT_TRUE(later);
  ASSERT_TRUE(*later);
  EXPECT_TRUE((*later)->remove());
  EXPECT_THAT(sh("ip netns list"), Not(HasSubstr("lb")));
  EXPECT_NE(::access("/run/netns/lb", F_OK), 0);
  auto gone = Namespace::find("lb");
  ASSERT_TRUE(gone);
  EXPECT_FALSE(*gone);
}

TEST_F(NamespaceTest, DoesNotRemoveWhatSomebodyElseMade) {
  sh("ip netns add lb");
  auto space = Namespace::open("lb");
  ASSERT_TRUE(space);
  EXPECT_TRUE(space->remove());
  EXPECT_THAT(sh("ip netns list"), HasSubstr("lb"));
}

TEST_F(NamespaceTest, TakesOverTheEmptyFileOfAMakerThatDied) {
  sh("touch /run/netns/lb");
  auto space = Namespace::open("lb");
  ASSERT_TRUE(space) << space.error().message();
  sh("ip -n lb link show lo");
}

TEST_F(NamespaceTest, NoNameIsTheNamespaceOfTheThread) {
  auto space = Namespace::open("");
  ASSERT_TRUE(space) << space.error().message();
  EXPECT_TRUE(space->is_original());
  EXPECT_TRUE(space->remove());
}

}  // namespace
}  // namespace netns_test
