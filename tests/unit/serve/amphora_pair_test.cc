// Whom an amphora shares its connections with, by the texts of its controller.
#include "agent/serve/amphora_pair.h"

#include <gmock/gmock.h>

#include "base/file.h"
#include "keepalived/document.h"
#include "tests/support/addresses.h"

namespace serve {
namespace {

using test::ip;

keepalived::Instance instance_of(const std::string& file) {
  const auto document = keepalived::Document::parse(*base::read_file(VRRP_SAMPLES "/" + file),
                                                    "/var/lib/octavia/vrrp/check_script.sh");
  return document.ok() ? document->instance() : keepalived::Instance{};
}

TEST(OtherAmphora, IsTheOneThatOctaviasTextNames) {
  const auto master = target_of(instance_of("keepalived-master.conf"), "key");
  const auto backup = target_of(instance_of("keepalived-backup.conf"), "key");
  ASSERT_TRUE(master.ok() && *master && backup.ok() && *backup);
  EXPECT_EQ((*master)->own, ip("203.0.113.21"));
  EXPECT_EQ((*master)->peer, ip("203.0.113.22"));
  EXPECT_EQ((*master)->port, 1025);
  EXPECT_EQ((*master)->haproxy->text(), "127.0.0.1:1025");
  EXPECT_EQ((*backup)->own, (*master)->peer);
  EXPECT_EQ((*backup)->peer, (*master)->own);
  EXPECT_EQ((*backup)->key, (*master)->key);
  EXPECT_EQ((*master)->key, *pair::derive_key(pair::Shared{
                                "key", "6e0a3b1c-2f4d-4c56-8a7b-0f1e2d3c4b5a", "4d6e2f1"}));
  EXPECT_NE(*target_of(instance_of("keepalived-master.conf"), "another"), *master);
}

TEST(OtherAmphora, IsNobodyWithoutAllThatItTakes) {
  const keepalived::Instance good = instance_of("keepalived-master.conf");
  const auto is_nobody = [](const keepalived::Instance& instance, const std::string& key) {
    const auto target = target_of(instance, key);
    return target.ok() && !*target;
  };
  EXPECT_FALSE(is_nobody(good, "key"));
  EXPECT_TRUE(is_nobody(good, ""));
  for (const auto& spoil : std::initializer_list<void (*)(keepalived::Instance&)>{
           [](keepalived::Instance& one) { one.peers.clear(); },
           [](keepalived::Instance& one) { one.peers.push_back(ip("203.0.113.23")); },
           [](keepalived::Instance& one) { one.peers[0] = *one.source; },
           [](keepalived::Instance& one) { one.source.reset(); },
           [](keepalived::Instance& one) { one.name = "pair"; }}) {
    keepalived::Instance spoilt = good;
    spoil(spoilt);
    EXPECT_TRUE(is_nobody(spoilt, "key"));
  }
}

}  // namespace
}  // namespace serve
