// The messages that Octavia's own code made (vectors.json) are what ours say, and ours can be read
// by the same rules.
#include "health/heartbeat.h"

#include <gtest/gtest.h>
#include <openssl/hmac.h>
#include <zlib.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

namespace health {
namespace {

using base::Uuid;
using nlohmann::json;

json vectors() {
  std::ifstream in(HEARTBEAT_VECTORS);
  return json::parse(in).at("vectors");
}

std::string from_hex(const std::string& hex) {
  std::string out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    out.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return out;
}

std::string inflated(std::string_view bytes) {
  std::string out(1 << 20, '\0');
  uLongf size = out.size();
  EXPECT_EQ(::uncompress(reinterpret_cast<Bytef*>(out.data()), &size,
                         reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()),
            Z_OK);
  out.resize(size);
  return out;
}

std::string hex_hmac(const std::string& key, std::string_view bytes) {
  unsigned char digest[32];
  unsigned size = 0;
  ::HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest, &size);
  std::string out;
  char two[3];
  for (const unsigned char byte : digest) {
    std::snprintf(two, sizeof(two), "%02x", byte);
    out += two;
  }
  return out;
}

// What the health manager does: cut, verify, inflate.
json opened(const std::string& bytes, const std::string& key) {
  const std::string body = bytes.substr(0, bytes.size() - 64);
  EXPECT_EQ(bytes.substr(bytes.size() - 64), hex_hmac(key, body));
  return json::parse(inflated(body));
}

Heartbeat heartbeat_of(const json& decoded) {
  Heartbeat out;
  out.amphora = decoded.at("id");
  out.seq = decoded.at("seq");
  for (const auto& [id, listener] : decoded.at("listeners").items()) {
    const json& stats = listener.at("stats");
    out.listeners[*Uuid::parse(id)] = {listener.at("status"),
                                       {stats.at("tx"), stats.at("rx"), stats.at("conns"),
                                        stats.at("totconns"), stats.at("ereq")}};
  }
  for (const auto& [key, pool] : decoded.at("pools").items()) {
    PoolReport report{pool.at("status"), {}};
    for (const auto& [id, status] : pool.at("members").items())
      report.members[*Uuid::parse(id)] = status;
    out.pools[key] = report;
  }
  return out;
}

TEST(Heartbeat, SaysWhatOctaviasVectorsSay) {
  int seen = 0;
  for (const json& vector : vectors()) {
    const json& decoded = vector.at("decoded");
    const std::string key = vector.at("key");
    SCOPED_TRACE(vector.at("name").get<std::string>());
    EXPECT_EQ(opened(from_hex(vector.at("datagram_hex")), key), decoded);  // the reader is right
    if (decoded.at("ver") != 3) continue;
    ++seen;
    const Heartbeat heartbeat = heartbeat_of(decoded);
    EXPECT_EQ(json::parse(to_json(heartbeat)), decoded);
    const auto made = datagram(to_json(heartbeat), key);
    ASSERT_TRUE(made.ok());
    EXPECT_EQ(opened(*made, key), decoded);
    const auto same_text = datagram(vector.at("json_text").get<std::string>(), key);
    ASSERT_TRUE(same_text.ok());
    EXPECT_EQ(*same_text, from_hex(vector.at("datagram_hex")));
  }
  EXPECT_EQ(seen, 6);
}

TEST(Heartbeat, AMessageThatNoDatagramCarriesIsAnError) {
  Heartbeat heartbeat;
  for (int i = 0; i < 4000; ++i) heartbeat.listeners[Uuid::random()] = {"OPEN", {}};
  EXPECT_FALSE(datagram(to_json(heartbeat), "key").ok());
}

const Uuid kOne = *Uuid::parse("11111111-0000-4000-8000-000000000001");
const Uuid kTwo = *Uuid::parse("11111111-0000-4000-8000-000000000002");
using Counted = std::map<Uuid, Counters>;

TEST(Told, TheFirstTimeEverythingIsNew) {
  Told told;
  EXPECT_EQ(told.advance({{kOne, {10, 20, 1, 2}}}), (Counted{{kOne, {10, 20, 1, 2}}}));
}

TEST(Told, ThenOnlyWhatWasAdded) {
  Told told;
  told.advance({{kOne, {10, 20, 1, 2}}});
  EXPECT_EQ(told.advance({{kOne, {15, 20, 1, 3}}, {kTwo, {1, 1, 1, 1}}}),
            (Counted{{kOne, {5, 0, 0, 1}}, {kTwo, {1, 1, 1, 1}}}));
}

TEST(Told, ACounterThatGoesBackWasReset) {
  Told told;
  told.advance({{kOne, {10, 20, 5, 8}}});
  EXPECT_EQ(told.advance({{kOne, {4, 25, 5, 1}}}), (Counted{{kOne, {4, 5, 0, 1}}}));
}

TEST(Told, AListenerThatWasAwayBeginsAnew) {
  Told told;
  told.advance({{kOne, {10, 20, 5, 8}}});
  told.advance({});
  EXPECT_EQ(told.advance({{kOne, {12, 21, 5, 9}}}), (Counted{{kOne, {12, 21, 5, 9}}}));
}

TEST(Told, WhatWaitsIsToldLater) {
  Told told;
  told.advance({{kOne, {10, 20, 5, 8}}});
  told.advance({}, {kOne, kTwo});
  EXPECT_EQ(told.advance({{kOne, {12, 21, 5, 9}}}), (Counted{{kOne, {2, 1, 0, 1}}}));
}

TEST(Told, SurvivesARestart) {
  Told told;
  told.advance({{kOne, {10, 20, 5, 8}}, {kTwo, {1, 2, 3, 4}}});
  auto again = Told::parse(told.text());
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*again, told);
  EXPECT_EQ(again->advance({{kOne, {11, 20, 5, 8}}}), (Counted{{kOne, {1, 0, 0, 0}}}));
}

TEST(Told, ReadsTheFileOfOctaviasAgent) {
  auto told = Told::parse(
      R"({"11111111-0000-4000-8000-000000000001": {"bin": 1, "bout": 2, "ereq": 0, "stot": 3}})");
  ASSERT_TRUE(told.ok());
  EXPECT_EQ(told->advance({{kOne, {2, 4, 0, 3}}}), (Counted{{kOne, {1, 2, 0, 0}}}));
}

TEST(Told, ADamagedFileIsAnError) {
  EXPECT_FALSE(Told::parse("{").ok());
  EXPECT_FALSE(Told::parse("[]").ok());
  EXPECT_EQ(*Told::parse(R"({"x": 1, "11111111-0000-4000-8000-000000000001": 7})"), Told());
}

}  // namespace
}  // namespace health
