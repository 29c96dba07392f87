// Datapath::open: made, adopted, recovered, refused.
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "agent/datapath/abi.h"
#include "agent/datapath/flow_table.h"
#include "agent/datapath/pins.h"
#include "tests/bpf/datapath/fixture.h"
#include "tests/unit/tables/random_tables.h"

namespace datapath {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Open = DatapathTest;

// Two services over three members, one of them IPv6, with a Maglev ring and a CIDR set.
Tables some_tables() {
  Tables t;
  for (uint16_t id = 1; id <= 3; ++id) {
    t.backends[id] = backend_at(id);
    t.destinations[member(id)].ifindex = 7;
  }
  t.rings[1] = ring_of({1, 2, 3, 2, 1});
  t.rings[1].pool = base::Uuid::random();
  std::vector<uint16_t> maglev(LB_MAX_RING_SLOTS);
  for (size_t slot = 0; slot < maglev.size(); ++slot)
    maglev[slot] = static_cast<uint16_t>(1 + slot % 3);
  t.rings[9] = ring_of(maglev);
  t.rings[9].family = base::Family::ipv6;
  t.services[service_key(80)] = service_of(4, 1);
  t.services[service_key(443)] = service_of(5, 9);
  t.services[service_key(443)].cidr_set = 3;
  const lb_cidr_key cidr{LB_CIDR_SET_BITS + 24, htonl(3), to_abi(member(0))};
  t.cidrs[cidr] = lb_cidr{3};
  return t;
}

TEST_F(Open, AdoptsWhatAKilledAgentLeft) {
  const Tables want = some_tables();
  uint64_t seed = 0;
  {
    auto first = open();
    ASSERT_NE(first, nullptr);
    EXPECT_EQ(first->about().origin, Datapath::Origin::created);
    EXPECT_EQ(first->about().lines4, 1024u);
    seed = first->about().info.seed;
    const auto applied = first->apply(diff(first->tables(), want));
    ASSERT_TRUE(applied.ok()) << applied.error().message();
    EXPECT_EQ(contents(first->tables()), contents(want));
  }
  auto second = open();
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(second->about().origin, Datapath::Origin::adopted);
  EXPECT_EQ(second->about().kept, "");
  EXPECT_EQ(second->about().info.seed, seed);
  EXPECT_EQ(contents(second->tables()), contents(want));
  EXPECT_EQ(second->tables().rings.at(1), want.rings.at(1));
  EXPECT_EQ(second->tables().rings.at(9), want.rings.at(9));

  ASSERT_TRUE(second->apply(diff(second->tables(), Tables{})).ok());
  for (int pass = 0; pass < 2; ++pass) ASSERT_TRUE(second->release_unused(Census{}).ok());
  second.reset();
  EXPECT_EQ(contents(open()->tables()), contents(Tables{}));
}

TEST_F(Open, KeepsTheSizesOfAdoptedMaps) {
  Options big = options();
  big.flows4 = 1000;
  {
    auto first = open(big);
    ASSERT_NE(first, nullptr);
    EXPECT_EQ(first->about().lines4, 4096u);
    EXPECT_EQ(first->flows().memory().lines(base::Family::ipv4).count(), 4096u);
  }
  const auto second = open();
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(second->about().lines4, 4096u);
  EXPECT_THAT(second->about().kept, HasSubstr("4096 lines (1024 wanted)"));
}

TEST_F(Open, RecoversAnUnfinishedFirstStart) {
  { ASSERT_NE(open(), nullptr); }
  // lb_info is pinned last: without it the others are not complete.
  ASSERT_EQ(unlink((folder() + "/lb_info").c_str()), 0);
  ASSERT_EQ(unlink((folder() + "/lb_rings").c_str()), 0);
  auto again = open();
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(again->about().origin, Datapath::Origin::created);
}

TEST_F(Open, RefusesAMissingMap) {
  { ASSERT_NE(open(), nullptr); }
  ASSERT_EQ(unlink((folder() + "/lb_backends").c_str()), 0);
  EXPECT_THAT(error_of(options()), AllOf(HasSubstr("lb_backends"), HasSubstr("--teardown")));
}

TEST_F(Open, RefusesAMapOfAnotherShape) {
  { ASSERT_NE(open(), nullptr); }
  const std::string path = folder() + "/lb_services";
  ASSERT_EQ(unlink(path.c_str()), 0);
  const base::Fd other(bpf_map_create(BPF_MAP_TYPE_HASH, "lb_services", 20, 64, 8, nullptr));
  ASSERT_EQ(bpf_obj_pin(other.get(), path.c_str()), 0);
  EXPECT_THAT(error_of(options()), HasSubstr("lb_services has value size 64, this agent needs " +
                                             std::to_string(sizeof(lb_service))));
}

TEST_F(Open, RefusesAnotherAbi) {
  ASSERT_TRUE(make_pin_folder(root_ + "/v99").ok());
  const base::Fd map(bpf_map_create(BPF_MAP_TYPE_ARRAY, "lb_info", 4, 8, 1, nullptr));
  ASSERT_EQ(bpf_obj_pin(map.get(), (root_ + "/v99/lb_info").c_str()), 0);
  const std::string error = error_of(options());
  EXPECT_THAT(error, AllOf(HasSubstr("version 99"), HasSubstr("--teardown"),
                           HasSubstr("version " + std::to_string(LB_ABI_VERSION))));
  ASSERT_TRUE(Datapath::teardown(root_).ok());
  EXPECT_FALSE(std::filesystem::exists(root_));
}

// A version before the first that can be read: not lost, and said what helps.
TEST_F(Open, RefusesAnAbiThatIsTooOldToBeTakenOver) {
  const std::string old = root_ + "/v" + std::to_string(LB_ABI_OLDEST - 1);
  ASSERT_TRUE(make_pin_folder(old).ok());
  const base::Fd map(bpf_map_create(BPF_MAP_TYPE_ARRAY, "lb_info", 4, 8, 1, nullptr));
  ASSERT_EQ(bpf_obj_pin(map.get(), (old + "/lb_info").c_str()), 0);
  EXPECT_THAT(error_of(options()),
              AllOf(HasSubstr("cannot take over"), HasSubstr("Run an agent that can first"),
                    HasSubstr("--teardown")));
  EXPECT_TRUE(std::filesystem::exists(old + "/lb_info"));
}

// What only adds a map needs no other ABI version: an older set gets it.
TEST_F(Open, AddsAMapThatAnOlderSetDoesNotHave) {
  const Tables want = some_tables();
  lb_info info{};
  {
    auto first = open();
    ASSERT_NE(first, nullptr);
    info = first->about().info;
    EXPECT_EQ(info.features, LB_FEATURES);
    ASSERT_TRUE(first->apply(diff({}, want)).ok());
    ASSERT_EQ(unlink((folder() + "/lb_before").c_str()), 0);
    const uint32_t only = 0;
    info.features = 1u << 31;  // of an agent that nobody knows any more
    ASSERT_EQ(bpf_map_update_elem(first->map_fd("lb_info"), &only, &info, BPF_ANY), 0);
  }
  for (int start = 0; start < 2; ++start) {
    const auto again = open();
    ASSERT_NE(again, nullptr);
    EXPECT_EQ(again->about().origin, Datapath::Origin::adopted);
    EXPECT_EQ(again->about().info.features, LB_FEATURES);
    EXPECT_EQ(again->about().info.seed, info.seed);
    EXPECT_EQ(contents(again->tables()), contents(want));
    EXPECT_TRUE(std::filesystem::exists(folder() + "/lb_before"));
  }
}

TEST_F(Open, RefusesASecondAgentAndNamesTheFirst) {
  const auto first = open();
  ASSERT_NE(first, nullptr);
  EXPECT_THAT(error_of(options()), HasSubstr("process " + std::to_string(getpid())));
  const auto torn = Datapath::teardown(root_);
  ASSERT_FALSE(torn.ok());
  EXPECT_THAT(torn.error().message(), HasSubstr("process " + std::to_string(getpid())));
}

TEST_F(Open, RefusesAFolderThatIsNotOnBpffs) {
  Options elsewhere = options();
  elsewhere.pin_root = "/tmp/lb-test-no-bpffs";
  EXPECT_THAT(error_of(elsewhere), HasSubstr("not on a bpf file system"));
}

// Not a timed test: that two thousand writes are not two thousand waits for RCU shows anyhow.
TEST_F(Open, ManyRingsGoInOneCall) {
  auto datapath = open();
  ASSERT_NE(datapath, nullptr);
  Tables want = some_tables();
  for (uint32_t id = 100; id < 2000; ++id) want.rings[id] = want.rings[1];
  ASSERT_TRUE(datapath->apply(diff({}, want)).ok());
  EXPECT_EQ(datapath->tables().rings, want.rings);
  datapath.reset();
  datapath = open();
  ASSERT_NE(datapath, nullptr);
  EXPECT_EQ(datapath->tables().rings, want.rings);
}

TEST_F(Open, TeardownLeavesNothing) {
  make_veth("v0");
  uint32_t map = 0;
  {
    auto datapath = open();
    ASSERT_NE(datapath, nullptr);
    ASSERT_TRUE(datapath->attach({{"v0", ifindex("v0")}}).ok());
    bpf_map_info info{};
    uint32_t size = sizeof(info);
    ASSERT_EQ(bpf_obj_get_info_by_fd(datapath->map_fd("lb_services"), &info, &size), 0);
    map = info.id;
  }
  EXPECT_NE(program_on("v0"), 0u);
  ASSERT_TRUE(Datapath::teardown(root_).ok());
  EXPECT_EQ(program_on("v0"), 0u);
  EXPECT_FALSE(std::filesystem::exists(root_));
  // The kernel frees maps a little after their last user.
  for (int wait = 0; wait < 100; ++wait) {
    const base::Fd fd(bpf_map_get_fd_by_id(map));
    if (!fd.valid()) break;
    usleep(20000);
  }
  EXPECT_FALSE(base::Fd(bpf_map_get_fd_by_id(map)).valid());
  EXPECT_TRUE(Datapath::teardown(root_).ok());
}

TEST_F(Open, CountersAreReadable) {
  auto datapath = open();
  ASSERT_NE(datapath, nullptr);
  std::vector<uint8_t> frame(64);  // EtherType 0: not IP
  LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame.data(),
              .data_size_in = static_cast<uint32_t>(frame.size()), .repeat = 5);
  ASSERT_EQ(bpf_prog_test_run_opts(datapath->program_fd(), &run), 0);
  EXPECT_EQ((*datapath->verdicts())[LB_NOT_IP], 5u);
  EXPECT_EQ(datapath->service_stats(4)->bytes_in, 0u);
}

}  // namespace
}  // namespace datapath
