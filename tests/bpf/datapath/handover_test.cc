// What an older version's maps had in a shape that this one does not have any more.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>

#include "agent/datapath/clients.h"
#include "agent/datapath/lb_maps.h"
#include "agent/datapath/links.h"
#include "bpf/flow_layout.h"
#include "clients_v2.skel.h"
#include "tests/bpf/datapath/fixture.h"
#include "tests/unit/tables/random_tables.h"

namespace datapath {
namespace {

// As in clients_v2.bpf.c.
struct ClientOfV2 {
  lb_addr client;
  uint32_t service, zero;
};
struct MemberOfV2 {
  uint32_t backend, seen;
};

class FromVersion2 : public DatapathTest {
 protected:
  static constexpr uint32_t kService = 4, kBackend = 1;

  Tables remembering() const {
    Tables t;
    t.backends[kBackend] = backend_at(1);
    t.destinations[member(1)].ifindex = 7;
    t.rings[1] = ring_of({kBackend});
    t.services[service_key(80)] = service_of(kService, 1);
    t.services[service_key(80)].flags = LB_SERVICE_PERSISTENT;
    return t;
  }
  // The maps of an agent of that version, as it leaves them, and its interfaces on tc.
  void make_set(const std::vector<std::pair<ClientOfV2, MemberOfV2>>& clients,
                const std::vector<std::pair<std::string, uint32_t>>& on_tc = {}) {
    auto ours = open_on(Hook::tc);
    ASSERT_NE(ours, nullptr);
    ASSERT_TRUE(ours->attach(on_tc).ok());
    ASSERT_TRUE(ours->apply(diff({}, remembering())).ok());
    lb_info info = ours->about().info;
    info.abi = 2;
    const uint32_t only = 0;
    ASSERT_EQ(bpf_map_update_elem(ours->map_fd(kInfo.name), &only, &info, BPF_ANY), 0);
    ours.reset();
    const std::string theirs = root_ + "/v2";
    std::filesystem::rename(folder(), theirs);
    ASSERT_EQ(unlink((theirs + "/" + kClients.name).c_str()), 0);

    clients_v2* object = clients_v2::open_and_load();
    ASSERT_NE(object, nullptr);
    for (const auto& [client, member] : clients)
      EXPECT_EQ(bpf_map__update_elem(object->maps.lb_persist, &client, sizeof(client), &member,
                                     sizeof(member), BPF_ANY),
                0);
    EXPECT_EQ(bpf_map__pin(object->maps.lb_persist, (theirs + "/lb_persist").c_str()), 0);
    clients_v2::destroy(object);
  }
};

TEST_F(FromVersion2, ClientsKeepTheirMembers) {
  std::vector<std::pair<ClientOfV2, MemberOfV2>> clients;
  for (uint32_t i = 0; i < 5000; ++i)
    clients.push_back({{{{i, 0, 0, i % 7}}, kService, 0}, {kBackend, i + 1}});
  make_set(clients);
  if (HasFatalFailure()) return;

  const auto datapath = open();
  ASSERT_NE(datapath, nullptr);
  EXPECT_FALSE(std::filesystem::exists(root_ + "/v2"));
  auto mapped = Clients::map(datapath->map_fd(kClients.name));
  ASSERT_TRUE(mapped.ok());
  std::map<uint64_t, uint64_t> remembered;
  for (const lb_client& client : mapped->all()) remembered[client.who] = client.has;
  EXPECT_EQ(remembered.size(), clients.size());
  const uint64_t seed = datapath->about().info.seed;
  for (const auto& [client, member] : clients) {
    const auto it = remembered.find(lb_client_who(&client.client, kService, seed));
    ASSERT_NE(it, remembered.end()) << client.client.ip[0];
    EXPECT_EQ(it->second, lb_client_has(member.backend, member.seen));
  }
}

// Its interfaces on tc have this version's program, in place.
class TcOfVersion2 : public FromVersion2 {
 protected:
  void take_over() {
    make_veth("v0");
    make_veth("v1");
    make_set({}, {{"v0", ifindex("v0")}, {"v1", ifindex("v1")}});
    if (HasFatalFailure()) return;
    const uint32_t theirs = ingress_on("v0");
    EXPECT_NE(theirs, 0u);
    ASSERT_TRUE(shell("ip link del v1"));
    const auto datapath = open_on(Hook::tc);
    ASSERT_NE(datapath, nullptr);
    EXPECT_FALSE(std::filesystem::exists(root_ + "/v2"));
    EXPECT_FALSE(std::filesystem::exists(folder() + "/" + kBeforeTc.name));
    EXPECT_NE(ingress_on("v0"), 0u);
    EXPECT_NE(ingress_on("v0"), theirs);
    EXPECT_TRUE(Links(folder()).runs_on(ifindex("v0")));
    const auto attached = datapath->attach({{"v0", ifindex("v0")}});
    ASSERT_TRUE(attached.ok()) << attached.error().message();
    EXPECT_EQ(attached->front().mode, AttachMode::tc);
    EXPECT_EQ(Links(folder()).ingress().interfaces(), std::set<uint32_t>{ifindex("v0")});
  }
};

TEST_F(TcOfVersion2, LinksAreTakenOver) { take_over(); }

TEST_F(TcOfVersion2, FiltersAreTakenOver) {
  without_links([this] { take_over(); });
}

TEST_F(TcOfVersion2, PinsOfInterfacesThatHaveGoneDoNotMatter) {
  make_veth("v0");
  make_set({}, {{"v0", ifindex("v0")}});
  if (HasFatalFailure()) return;
  ASSERT_TRUE(shell("ip link del v0"));
  const auto datapath = open();
  ASSERT_NE(datapath, nullptr);
  ASSERT_TRUE(datapath->attach({}).ok());
  EXPECT_TRUE(Links(folder()).ingress().interfaces().empty());
}

}  // namespace
}  // namespace datapath
