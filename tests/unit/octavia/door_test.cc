// Requests as controllers send them, and what they are answered: status, body, and what is done.
#include "agent/octavia/door.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "agent/octavia/answers.h"
#include "tests/unit/octavia/fakes.h"

namespace octavia::testing {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

json body(const http::Response& response) { return json::parse(response.body, nullptr, false); }

std::string header(const http::Response& response, const std::string& name) {
  for (const auto& [key, value] : response.headers)
    if (key == name) return value;
  return "";
}

struct Exchange {
  const char *method, *target, *sent;
  int status;
  const char* answer;  // JSON
};

void expect(Amphora& amphora, const std::vector<Exchange>& exchanges) {
  for (const Exchange& one : exchanges) {
    const auto response = amphora.ask(one.method, one.target, one.sent);
    EXPECT_EQ(response.status, one.status) << one.method << " " << one.target;
    EXPECT_EQ(body(response), json::parse(one.answer)) << one.method << " " << one.target;
  }
}

const std::string kPutHaproxy = "/1.0/loadbalancer/" + kAmphora + "/" + kLb + "/haproxy";
const std::string kGetHaproxy = "/1.0/loadbalancer/" + kLb + "/haproxy";
const std::string kReload = "/1.0/loadbalancer/" + kLb + "/reload";
const std::string kPutUdp = "/1.0/listeners/" + kAmphora + "/" + kUdp + "/udp_listener";
const std::string kReloadUdp = "/1.0/loadbalancer/" + kUdp + "/reload";
const Document kHaproxy{Document::Kind::haproxy, *base::Uuid::parse(kLb)};
const Document kLvs{Document::Kind::lvs, *base::Uuid::parse(kUdp)};

TEST(Door, IsDiscoveredByOneSlashAndByTwo) {
  Amphora amphora;
  expect(amphora, {{"GET", "/", "", 200, R"({"api_version": "1.0"})"},
                   {"GET", "//", "", 200, R"({"api_version": "1.0"})"}});
}

TEST(Door, UnknownRoutesAreJsonObjects) {
  Amphora amphora;
  const auto lost = amphora.ask("GET", "/1.0/nothing");
  EXPECT_EQ(lost.status, 404);
  EXPECT_EQ(lost.content_type, "application/json");
  EXPECT_EQ(body(lost).at("http_code"), 404);
  EXPECT_TRUE(body(lost).at("error").get<std::string>().starts_with("404 Not Found: "));
  const auto wrong = amphora.ask("DELETE", "/1.0/info");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(body(wrong).at("http_code"), 405);
  EXPECT_EQ(header(wrong, "Allow"), "GET, HEAD");
  EXPECT_EQ(amphora.ask("GET", "/1.0/inf%").status, 400);
}

TEST(Door, SaysWhoItIs) {
  Amphora amphora;
  expect(amphora, {{"GET", "/1.0/info", "", 200,
                    R"({"hostname": "amphora-1", "haproxy_version": "2.6.12-1+deb12u4",
                        "api_version": "1.0", "keepalived_version": "1:2.2.7-1+b2",
                        "ipvsadm_version": "0.0"})"}});
}

TEST(Door, DetailsHaveTheTypesThatControllersRead) {
  Amphora amphora;
  amphora.documents.all[kHaproxy] = "text";
  amphora.documents.all[kLvs] = "text";
  const json details = body(amphora.ask("GET", "/1.0/details"));
  for (const char* name :
       {"hostname", "haproxy_version", "api_version", "keepalived_version", "ipvsadm_version",
        "active_tuned_profiles", "topology", "topology_status"})
    EXPECT_TRUE(details.at(name).is_string()) << name;
  EXPECT_EQ(details.at("networks"), json::parse(R"({"eth1": {"network_tx": 5, "network_rx": 7}})"));
  EXPECT_EQ(details.at("active"), true);
  EXPECT_EQ(details.at("haproxy_count"), 1);
  EXPECT_EQ(details.at("lvs_listener_process_count"), 1);
  EXPECT_GE(details.at("cpu_count").get<int>(), 1);
  for (const char* name : {"user", "system", "soft_irq"})
    EXPECT_TRUE(details.at("cpu").at(name).is_string()) << name;
  EXPECT_TRUE(details.at("cpu").at("total").is_number_unsigned());
  for (const char* name : {"total", "free", "buffers", "cached", "swap_used", "shared", "slab"})
    EXPECT_TRUE(details.at("memory").at(name).is_number_unsigned()) << name;
  EXPECT_GT(details.at("memory").at("total").get<uint64_t>(), 0u);
  EXPECT_GT(details.at("disk").at("available").get<uint64_t>(), 0u);
  EXPECT_EQ(details.at("load").size(), 3u);
  EXPECT_EQ(details.at("listeners"), (json::array({kLb, kUdp})));
  EXPECT_EQ(details.at("packages"), json::object());
}

TEST(Door, KeepsAnUploadAndAppliesItOnReload) {
  Amphora amphora;
  const auto put = amphora.ask("PUT", kPutHaproxy, "first\n");
  EXPECT_EQ(put.status, 202);
  EXPECT_EQ(body(put), json::parse(R"({"message": "OK"})"));
  EXPECT_EQ(header(put, "ETag"), "eb260e9ae827821beceeed4104f0ad89");
  EXPECT_THAT(amphora.script.done, ElementsAre("write"));
  EXPECT_THAT(amphora.applier.applied.haproxy, IsEmpty());
  EXPECT_EQ(amphora.ask("PUT", kReload).status, 202);
  EXPECT_EQ(amphora.applier.applied.haproxy.at(*base::Uuid::parse(kLb)), "first\n");
  const auto got = amphora.ask("GET", kGetHaproxy);
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "first\n");
  EXPECT_EQ(got.content_type, "text/plain; charset=UTF-8");
  EXPECT_EQ(header(got, "ETag"), "eb260e9ae827821beceeed4104f0ad89");
}

TEST(Door, AnUnchangedUploadWritesNothing) {
  Amphora amphora;
  amphora.documents.all[kHaproxy] = "same";
  amphora.documents.all[kLvs] = "same";
  EXPECT_EQ(amphora.ask("PUT", kPutHaproxy, "same").status, 202);
  EXPECT_EQ(amphora.ask("PUT", kPutUdp, "same").status, 200);
  EXPECT_THAT(amphora.script.done, IsEmpty());
}

TEST(Door, ABrokenUploadLeavesTheOldOne) {
  Amphora amphora;
  amphora.documents.all[kHaproxy] = "old";
  const auto refused = amphora.ask("PUT", kPutHaproxy, "broken");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(body(refused),
            json::parse(R"({"message": "Invalid request", "details": "line 1: broken"})"));
  EXPECT_EQ(amphora.documents.all.at(kHaproxy), "old");
  EXPECT_THAT(amphora.script.done, IsEmpty());
  const auto udp = amphora.ask("PUT", kPutUdp, "broken");
  EXPECT_EQ(udp.status, 500);
  EXPECT_EQ(body(udp).at("details"), "line 1: broken");
}

TEST(Door, WhatCannotBeWrittenIsAnError) {
  Amphora amphora;
  amphora.script.fail(1);
  EXPECT_EQ(amphora.ask("PUT", kPutHaproxy, "text").status, 500);
  EXPECT_EQ(amphora.ask("PUT", kPutHaproxy, "text").status, 202);
}

TEST(Door, AReloadThatFailsSaysSoAndMayBeAskedForAgain) {
  Amphora amphora;
  amphora.documents.all[kHaproxy] = "text";
  amphora.documents.all[kLvs] = "text";
  amphora.script.fail(1);
  const auto failed = amphora.ask("PUT", kReload);
  EXPECT_EQ(failed.status, 500);
  EXPECT_EQ(body(failed).at("message"), "Error reloading haproxy");
  EXPECT_EQ(amphora.ask("PUT", kReload).status, 202);
  amphora.script.fail(1);
  const auto udp = amphora.ask("PUT", kReloadUdp);
  EXPECT_EQ(udp.status, 500);
  EXPECT_EQ(body(udp).at("message"), "Failed to reload keepalivedlvs listener " + kUdp);
  EXPECT_EQ(amphora.ask("PUT", kReloadUdp).status, 202);
}

TEST(Door, StopsAndStartsOne) {
  Amphora amphora;
  amphora.documents.all[kHaproxy] = "text";
  amphora.documents.all[kLvs] = "text";
  EXPECT_EQ(amphora.ask("PUT", "/1.0/loadbalancer/" + kUdp + "/STOP").status, 202);
  EXPECT_THAT(amphora.applier.stopped, ElementsAre(*base::Uuid::parse(kUdp)));
  const json shown = {{{"uuid", kLb}, {"type", "TCP"}, {"status", "ACTIVE"}},
                      {{"uuid", kUdp}, {"type", "UDP"}, {"status", "OFFLINE"}}};
  EXPECT_EQ(body(amphora.ask("GET", "/1.0/listeners")), shown);
  EXPECT_EQ(amphora.ask("PUT", "/1.0/loadbalancer/" + kUdp + "/start").status, 202);
  EXPECT_THAT(amphora.applier.stopped, IsEmpty());
}

TEST(Door, UnknownOnesAndUnknownActions) {
  Amphora amphora;
  const std::string unknown =
      R"({"message": "Loadbalancer Not Found", "details": "No loadbalancer with UUID: )";
  expect(amphora,
         {{"PUT", ("/1.0/loadbalancer/" + kNobody + "/reload").c_str(), "", 404,
           (unknown + kNobody + "\"}").c_str()},
          {"GET", ("/1.0/loadbalancer/" + kNobody + "/haproxy").c_str(), "", 404,
           (unknown + kNobody + "\"}").c_str()},
          {"PUT", "/1.0/loadbalancer/x/reload", "", 404, (unknown + "x\"}").c_str()},
          {"PUT", kReload.substr(0, kReload.size() - 6).append("explode").c_str(), "", 400,
           R"({"message": "Invalid Request", "details": "Unknown action: explode"})"},
          {"GET", ("/1.0/listeners/" + kNobody + "/udp_listener").c_str(), "", 404,
           (R"({"message": "UDP Listener Not Found", "details": "No UDP listener with UUID: )" +
            kNobody + "\"}")
               .c_str()}});
}

TEST(Door, UdpTextsHaveTheirOwnPlace) {
  Amphora amphora;
  const auto put = amphora.ask("PUT", kPutUdp, "virtual");
  EXPECT_EQ(put.status, 200);
  EXPECT_EQ(header(put, "ETag"), md5_hex("virtual"));
  EXPECT_EQ(amphora.ask("GET", "/1.0/listeners/" + kUdp + "/udp_listener").body, "virtual");
  EXPECT_EQ(amphora.ask("PUT", kReloadUdp).status, 202);
  EXPECT_EQ(amphora.applier.applied.lvs.at(*base::Uuid::parse(kUdp)), "virtual");
}

TEST(Door, RemovesOneOrTheOther) {
  Amphora amphora;
  amphora.documents.all[kHaproxy] = "text";
  amphora.documents.all[kLvs] = "text";
  EXPECT_EQ(amphora.ask("DELETE", "/1.0/listeners/" + kUdp).status, 200);
  EXPECT_FALSE(amphora.documents.all.contains(kLvs));
  EXPECT_THAT(amphora.applier.applied.lvs, IsEmpty());
  EXPECT_EQ(amphora.applier.applied.haproxy.size(), 1u);
  EXPECT_EQ(amphora.ask("DELETE", "/1.0/listeners/" + kLb).status, 200);
  EXPECT_THAT(amphora.applier.applied.haproxy, IsEmpty());
  EXPECT_EQ(body(amphora.ask("DELETE", "/1.0/listeners/" + kNobody)).at("message"), "OK");
}

TEST(Door, KeysOfALoadBalancerGoWithItAndAfterIt) {
  Amphora amphora;
  const Document key{Document::Kind::certificate, *base::Uuid::parse(kLb), "aaaa1111.pem"};
  amphora.documents.all[kHaproxy] = "text";
  amphora.documents.all[kLvs] = "text";
  amphora.documents.all[key] = "key";
  EXPECT_EQ(amphora.ask("DELETE", "/1.0/listeners/" + kUdp).status, 200);
  EXPECT_TRUE(amphora.documents.all.contains(key));
  amphora.script.done.clear();
  amphora.script.fail(3);
  EXPECT_EQ(amphora.ask("DELETE", "/1.0/listeners/" + kLb).status, 500);
  EXPECT_EQ(amphora.script.done, (std::vector<std::string>{"remove", "apply"}));
  EXPECT_EQ(amphora.ask("DELETE", "/1.0/listeners/" + kLb).status, 200);
  EXPECT_FALSE(amphora.documents.all.contains(key));
}

TEST(Door, ARemovalThatStoppedHalfwayArrivesWhenAskedForAgain) {
  Amphora amphora;
  amphora.documents.all[kLvs] = "text";
  amphora.ask("PUT", kReloadUdp);
  amphora.script.fail(2);
  const auto failed = amphora.ask("DELETE", "/1.0/listeners/" + kUdp);
  EXPECT_EQ(failed.status, 500);
  EXPECT_EQ(body(failed).at("message"), "Error stopping keepalivedlvs");
  EXPECT_EQ(amphora.applier.applied.lvs.size(), 1u);
  EXPECT_EQ(amphora.ask("DELETE", "/1.0/listeners/" + kUdp).status, 200);
  EXPECT_THAT(amphora.applier.applied.lvs, IsEmpty());
}

TEST(Door, CertificatesGoByTheirMd5) {
  Amphora amphora;
  const std::string at = "/1.0/loadbalancer/" + kLb + "/certificates/aaaa1111.pem";
  expect(amphora,
         {{"GET", at.c_str(), "", 404,
           R"({"message": "Certificate Not Found",
                        "details": "No certificate with filename: aaaa1111.pem"})"},
          {"PUT", at.c_str(), "first\n", 200, R"({"message": "OK"})"},
          {"GET", at.c_str(), "", 200, R"({"md5sum": "eb260e9ae827821beceeed4104f0ad89"})"},
          {"DELETE", at.c_str(), "", 200, R"({"message": "OK"})"},
          {"DELETE", at.c_str(), "", 200, R"({"message": "OK"})"}});
}

TEST(Door, HostileNamesAreRefused) {
  Amphora amphora;
  const std::string folder = "/1.0/loadbalancer/" + kLb + "/certificates/";
  for (const std::string name : {"..%2f..%2fetc%2fx.pem", "%2fetc%2fa.pem", ".a.pem", "pem",
                                 "a%0a.pem", "a%20.pem", "plain.txt"})
    for (const char* method : {"PUT", "GET", "DELETE"}) {
      const auto response = amphora.ask(method, folder + name, "x");
      EXPECT_EQ(response.status, 400) << method << " " << name;
      EXPECT_EQ(body(response), json::parse(R"({"message": "Filename has wrong format"})"));
    }
  EXPECT_EQ(amphora.ask("PUT", folder + std::string(300, 'a') + ".pem", "x").status, 400);
  for (const std::string id : {"..", "%2e%2e%2f%2e%2e", "6e0a3b1c2f4d4c568a7b0f1e2d3c4b5a",
                               "00000000-0000-0000-0000-000000000000"}) {
    EXPECT_GE(
        amphora.ask("PUT", "/1.0/loadbalancer/" + kAmphora + "/" + id + "/haproxy", "x").status,
        400)
        << id;
    EXPECT_GE(
        amphora.ask("PUT", "/1.0/listeners/" + kAmphora + "/" + id + "/udp_listener", "x").status,
        400)
        << id;
    EXPECT_GE(amphora.ask("DELETE", "/1.0/listeners/" + id).status, 400) << id;
    EXPECT_GE(amphora.ask("PUT", "/1.0/loadbalancer/" + id + "/certificates/aa.pem", "x").status,
              400)
        << id;
  }
  EXPECT_THAT(amphora.documents.all, IsEmpty());
}

TEST(Door, TwoUploadsAtOnceAreOrdered) {
  Amphora amphora;
  std::vector<int> statuses;
  for (int i = 0; i < 20; ++i) {
    const auto note = [&](http::Response response) { statuses.push_back(response.status); };
    amphora.spawn("PUT", kPutHaproxy, "text " + std::to_string(i), note);
    amphora.spawn("PUT", kReload, "", note);
  }
  amphora.loop.run();
  EXPECT_EQ(statuses, std::vector<int>(40, 202));
  EXPECT_EQ(amphora.applier.most_applying, 1);
  EXPECT_EQ(amphora.documents.all.at(kHaproxy), "text 19");
  EXPECT_EQ(amphora.applier.applied.haproxy.at(*base::Uuid::parse(kLb)), "text 19");
}

TEST(Door, PlugsWhatItIsTold) {
  Amphora amphora;
  expect(amphora,
         {{"POST", "/1.0/plug/vip/2001:db8::10", "{}", 202,
           R"({"message": "OK", "details": "VIPs plugged on interface eth1: 2001:db8::10"})"},
          {"POST", "/1.0/plug/vip/192.0.2.1", "", 400,
           R"({"error": "400 Bad Request: Invalid subnet information", "http_code": 400})"},
          {"POST", "/1.0/plug/network", "{}", 202,
           R"({"message": "OK", "details": "Plugged on interface eth2"})"},
          {"POST", "/1.0/plug/network", "", 404,
           R"({"details": "No suitable network interface found"})"}});
}

TEST(Door, FindsInterfacesByAddress) {
  Amphora amphora;
  expect(
      amphora,
      {{"GET", "/1.0/interface/192.0.2.10", "", 200, R"({"message": "OK", "interface": "eth1"})"},
       {"GET", "/1.0/interface/2001:db8:0::21", "", 200,
        R"({"message": "OK", "interface": "eth1"})"},
       {"GET", "/1.0/interface/192.0.2.11", "", 404,
        R"({"message": "Error interface not found for IP address"})"},
       {"GET", "/1.0/interface/eth1", "", 400, R"({"message": "Invalid IP address"})"},
       {"PUT", "/1.0/interface/192.0.2.10/rules", "[]", 200, R"({"message": "OK"})"},
       {"PUT", "/1.0/interface/192.0.2.11/rules", "[]", 404,
        R"({"message": "Error interface not found for IP address"})"},
       {"PUT", "/1.0/interface/x/rules", "[]", 400, R"({"message": "Invalid IP address"})"}});
  EXPECT_THAT(amphora.script.done, ElementsAre("rules eth1 []"));
}

TEST(Door, Vrrp) {
  Amphora amphora;
  const auto put = amphora.ask("PUT", "/1.0/vrrp/upload", "vrrp_instance");
  EXPECT_EQ(put.status, 200);
  EXPECT_EQ(header(put, "ETag"), md5_hex("vrrp_instance"));
  expect(amphora, {{"PUT", "/1.0/vrrp/start", "", 202,
                    R"({"message": "OK", "details": "keepalived started"})"},
                   {"PUT", "/1.0/vrrp/reload", "", 202,
                    R"({"message": "OK", "details": "keepalived reloaded"})"},
                   {"PUT", "/1.0/vrrp/explode", "", 400,
                    R"({"message": "Invalid Request", "details": "Unknown action: explode"})"}});
  EXPECT_THAT(amphora.script.done,
              ElementsAre("write", "vrrp uploaded", "vrrp start", "vrrp reload"));
  EXPECT_EQ(amphora.ask("PUT", "/1.0/vrrp/upload", "").status, 400);
  amphora.script.fail(1);
  const auto failed = amphora.ask("PUT", "/1.0/vrrp/start");
  EXPECT_EQ(failed.status, 500);
  EXPECT_EQ(body(failed).at("message"), "Failed to start octavia-keepalived service");
}

TEST(Door, ANewCertificateIsKeptAndShown) {
  Amphora amphora;
  EXPECT_EQ(amphora.ask("PUT", "/1.0/certificate", "pem 2").status, 202);
  EXPECT_EQ(amphora.running.shown, "pem 2");
  EXPECT_EQ(amphora.documents.all.at({Document::Kind::server_certificate}), "pem 2");
  EXPECT_EQ(amphora.ask("PUT", "/1.0/certificate", "rubbish").status, 400);
  EXPECT_EQ(amphora.documents.all.at({Document::Kind::server_certificate}), "pem 2");
}

TEST(Door, ABrokenConfigurationCannotDestroyAGoodOne) {
  Amphora amphora;
  const std::string good = "[health_manager]\nheartbeat_interval = 3\n[DEFAULT]\nnew = 1\n";
  EXPECT_EQ(amphora.ask("PUT", "/1.0/config", good).status, 202);
  EXPECT_EQ(amphora.running.now.heartbeat_interval, std::chrono::seconds(3));
  const auto refused =
      amphora.ask("PUT", "/1.0/config", "[health_manager]\nheartbeat_interval = x");
  EXPECT_EQ(refused.status, 500);
  EXPECT_EQ(body(refused).at("message"), "Unable to update amphora-agent configuration.");
  EXPECT_EQ(body(refused).at("details"),
            "amphora-agent.conf:2: heartbeat_interval must be a number from 1 to 86400");
  EXPECT_EQ(amphora.documents.all.at({Document::Kind::config}), good);
}

TEST(Refusal, NoErrorLooksLikeSuccessToAController) {
  for (const int status : {400, 401, 403, 404, 405, 409, 500, 503})
    EXPECT_EQ(refusal(status, "x").status, status);
  for (const int status : {408, 411, 413, 417, 431}) EXPECT_EQ(refusal(status, "x").status, 400);
  for (const int status : {501, 505}) EXPECT_EQ(refusal(status, "x").status, 500);
}

}  // namespace
}  // namespace octavia::testing
