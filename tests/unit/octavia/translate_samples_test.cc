// Every text of Octavia's that we have, of both dialects, against what it means: placement, reason,
// model and what HAProxy loads, in a file each for people to read.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "tests/unit/octavia/written.h"

namespace {

using octavia_test::sample;

std::vector<std::string> samples() {
  std::vector<std::string> names;
  for (const char* folder : {"haproxy", "haproxy-2026", "lvs"})
    for (const auto& entry :
         std::filesystem::directory_iterator(std::string(OCTAVIA_SAMPLES) + "/" + folder))
      names.push_back(std::string(folder) + "/" + entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

base::Result<model::Model> translated(const std::string& name) {
  const std::string text = sample(name);
  return octavia_test::translated(name.starts_with("lvs/") ? octavia_test::lvs_upload(text)
                                                           : octavia_test::haproxy_upload(text));
}

std::string meaning_of(const std::string& name) {
  const auto model = translated(name);
  if (!model) return "refused: " + model.error().what + "\n";
  return octavia_test::written(*model, name.starts_with("lvs/") ? "" : sample(name));
}

std::string expected(const std::string& name) {
  std::ifstream file(std::string(OCTAVIA_EXPECTED) + "/" + name + ".expected");
  return {std::istreambuf_iterator<char>(file), {}};
}

class Samples : public testing::TestWithParam<std::string> {};

TEST_P(Samples, MeanWhatIsExpected) { EXPECT_EQ(meaning_of(GetParam()), expected(GetParam())); }

INSTANTIATE_TEST_SUITE_P(All, Samples, testing::ValuesIn(samples()), [](const auto& made) {
  std::string name = made.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(c); }, '_');
  return name;
});

TEST(SamplesOfBothDialects, AreThere) { EXPECT_EQ(samples().size(), 52U); }

// The same input rendered by Octavia 11 and by the newest.
TEST(SamplesOfBothDialects, MeanTheSame) {
  for (const std::string& name : samples()) {
    if (!name.starts_with("haproxy/")) continue;
    auto old = translated(name), now = translated("haproxy-2026" + name.substr(7));
    ASSERT_TRUE(old.ok() && now.ok()) << name;
    // What HAProxy is left with is in the dialect.
    for (model::Model* model : {&*old, &*now})
      model->amphora->haproxy_text = model->amphora->whole_text = "";
    // Since 14 a monitor of TLS-HELLO is written as one of TCP (contract 5.5).
    if (name.starts_with("haproxy/06-"))
      for (auto& [id, monitor] : now->health_monitors) monitor.type = model::MonitorType::tls_hello;
    EXPECT_EQ(*old, *now) << name;
  }
  const auto old = translated("lvs/06-udp-dualstack.conf");
  const auto now = translated("lvs/06-udp-dualstack.2026.conf");
  EXPECT_EQ(*old, *now);
}

}  // namespace
