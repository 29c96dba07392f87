// What a real Octavia said to the stock agent (transcripts.json), said to ours over mutual TLS: the
// same statuses and the same keys of JSON. Files and translation are the real ones; the network,
// keepalived, HAProxy and forwarding are stood in for.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "agent/http/response.h"
#include "agent/octavia/answers.h"
#include "agent/octavia/files.h"
#include "agent/octavia/uploads_applier.h"
#include "tests/unit/http/tls_client.h"
#include "tests/unit/octavia/fakes.h"

namespace octavia::testing {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

class FileDocuments final : public Documents {
 public:
  explicit FileDocuments(const std::string& top)
      : files_({top + "/base", top + "/certs", top + "/server.pem", top + "/agent.conf"}) {}
  Awaited<base::Result<std::optional<std::string>>> read(Document document) override {
    co_return files_.read(document);
  }
  Awaited<base::Status> write(Document document, std::string bytes) override {
    co_return files_.write(document, bytes);
  }
  Awaited<base::Status> remove(Document document) override { co_return files_.remove(document); }
  Awaited<base::Status> forget(Uuid load_balancer) override {
    co_return files_.forget(load_balancer);
  }
  Awaited<base::Result<Uploads>> uploads() override { co_return files_.uploads(); }

 private:
  Files files_;
};

class AgreeableChecker final : public Checker {
 public:
  Awaited<base::Status> check(std::string, std::string) override { co_return base::Unit{}; }
};

class CertificateRunning final : public Running {
 public:
  explicit CertificateRunning(std::string ca) : ca_(std::move(ca)) {}
  base::Status examine_certificate(const std::string& pem) override {
    const auto made = http::mutual_tls(pem, ca_);
    return made.ok() ? base::Status(base::Unit{}) : base::Status(made.error());
  }
  base::Status show_certificate(const std::string&) override { return base::Unit{}; }
  const AmphoraConf& conf() const override { return conf_; }
  void reconfigure(const AmphoraConf& conf) override { conf_ = conf; }

 private:
  std::string ca_;
  AmphoraConf conf_;
};

// One amphora; it lives on the loop of its server's thread.
struct Machine {
  Machine(const http::testing::Authorities& all, const std::string& folder)
      : documents(folder), running(all.ca_file) {
    for (const char* address : {"198.51.100.21", "198.51.100.22", "198.51.100.23"})
      plugging.addresses[address] = "eth1";
  }
  Awaited<http::Response> handle(http::Request request) {
    if (!door) {
      const auto loop = co_await boost::asio::this_coro::executor;
      door =
          std::make_unique<Door>(loop, Door::Parts{documents, applier, plugging, vrrp, running},
                                 Identity{"amphora", {"2.6.12-1+deb12u4", "1:2.2.7-1+b2", "0.0"}});
    }
    co_return co_await door->handle(std::move(request));
  }

  Script script;
  FileDocuments documents;
  AgreeableChecker checker;
  UploadsApplier applier{
      *Uuid::parse(kAmphora),
      {checker, [](model::Model) -> Awaited<base::Status> { co_return base::Unit{}; },
       [] { return 1; }}};
  FakePlugging plugging{script};
  FakeVrrp vrrp{script};
  CertificateRunning running;
  std::unique_ptr<Door> door;
};

struct Amphorae {
  http::testing::Answer ask(int number, const json& exchange, const std::string& body) {
    auto& client = clients[number];
    if (!client) {
      const std::string folder = all.folder.path(std::to_string(number));
      machines[number] = std::make_unique<Machine>(all, folder);
      http::TcpOptions options;
      options.tls = *http::mutual_tls(server_pem, all.ca_file);
      options.words = refusal;
      servers[number] = std::make_unique<http::testing::RunningTcp>(
          [machine = machines[number].get()](http::Request request) {
            return machine->handle(std::move(request));
          },
          std::move(options));
      client = std::make_unique<http::testing::TlsClient>(servers[number]->connect(), &controller);
      EXPECT_TRUE(client->handshake());
    }
    std::string headers = "Accept: */*\r\nConnection: keep-alive\r\n";
    if (exchange.contains("content_type"))
      headers += "Content-Type: " + exchange["content_type"].get<std::string>() + "\r\n";
    return client->ask(exchange.at("method"), exchange.at("path"), body, headers);
  }

  http::testing::Authorities all;
  certificates::testing::Pair controller = all.signed_for("controller", all.ca);
  std::string server_pem = http::testing::Authorities::pem_of(all.signed_for("amphora", all.ca));
  std::map<int, std::unique_ptr<Machine>> machines;
  std::map<int, std::unique_ptr<http::testing::RunningTcp>> servers;
  std::map<int, std::unique_ptr<http::testing::TlsClient>> clients;
};

std::vector<std::string> keys_of(const std::string& body) {
  std::vector<std::string> keys;
  const json parsed = json::parse(body, nullptr, false);
  if (parsed.is_object())
    for (const auto& [key, value] : parsed.items()) keys.push_back(key);
  return keys;
}

TEST(Transcripts, AreAnsweredAsByTheStockAgent) {
  std::ifstream in(OCTAVIA_TRANSCRIPTS);
  const json recorded = json::parse(in);
  Amphorae amphorae;
  size_t asked = 0;
  for (const json& exchange : recorded.at("exchanges")) {
    std::string body;
    if (exchange.contains("body"))
      body = recorded.at("bodies").at(exchange["body"].get<size_t>()).get<std::string>();
    if (body == "@server certificate@") body = amphorae.server_pem;
    SCOPED_TRACE(exchange.at("method").get<std::string>() + " " +
                 exchange.at("path").get<std::string>() + ", exchange " + std::to_string(asked));
    const auto answer = amphorae.ask(exchange.at("agent"), exchange, body);
    EXPECT_EQ(answer.status, exchange.at("status").get<int>()) << answer.body;
    EXPECT_EQ(keys_of(answer.body), exchange.at("keys").get<std::vector<std::string>>());
    if (exchange.contains("etag")) {
      EXPECT_EQ(answer.header("ETag"), exchange["etag"].get<std::string>());
    }
    ++asked;
  }
  EXPECT_GT(asked, 150u);
}

}  // namespace
}  // namespace octavia::testing
