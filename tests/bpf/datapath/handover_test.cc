// What an older version's maps had in a shape that this one does not have any more.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>

#include "agent/datapath/clients.h"
#include "agent/datapath/lb_maps.h"
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
  // The maps of an agent of that version, as it leaves them.
  void make_set(const std::vector<std::pair<ClientOfV2, MemberOfV2>>& clients) {
    auto ours = open();
    ASSERT_NE(ours, nullptr);
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

}  // namespace
}  // namespace datapath
