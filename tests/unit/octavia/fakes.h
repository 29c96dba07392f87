// A machine in memory for the door of Octavia: every effect can be told to fail, and what is done
// is written down in the order in which it was done.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/octavia/door.h"

namespace octavia::testing {

inline const std::string kAmphora = "3c1b0a9f-8e7d-4c6b-9a58-473625141302";
inline const std::string kLb = "6e0a3b1c-2f4d-4c56-8a7b-0f1e2d3c4b5a";
inline const std::string kUdp = "11111111-0000-4000-8000-000000000003";
inline const std::string kNobody = "99999999-0000-4000-8000-000000000009";

// Also lets others run: whoever is called here is not the only one.
class Script {
 public:
  // The n-th effect from now on fails; 0: none does.
  void fail(int n) { failing_ = n; }
  Awaited<base::Status> step(std::string what) {
    co_await boost::asio::post(boost::asio::use_awaitable);
    const bool fails = failing_ > 0 && --failing_ == 0;
    if (fails) co_return base::Error{EIO, what};
    done.push_back(std::move(what));
    co_return base::Unit{};
  }

  std::vector<std::string> done;

 private:
  int failing_ = 0;
};

class FakeDocuments final : public Documents {
 public:
  explicit FakeDocuments(Script& script) : script_(script) {}
  Awaited<base::Result<std::optional<std::string>>> read(Document document) override {
    co_await boost::asio::post(boost::asio::use_awaitable);
    const auto found = all.find(document);
    co_return found == all.end() ? std::optional<std::string>() : std::optional(found->second);
  }
  Awaited<base::Status> write(Document document, std::string bytes) override {
    auto done = co_await script_.step("write");
    if (done) all[document] = std::move(bytes);
    co_return done;
  }
  Awaited<base::Status> remove(Document document) override {
    auto done = co_await script_.step("remove");
    if (done) all.erase(document);
    co_return done;
  }
  Awaited<base::Status> forget(Uuid load_balancer) override {
    auto done = co_await script_.step("forget");
    if (done) std::erase_if(all, [&](const auto& one) { return one.first.id == load_balancer; });
    co_return done;
  }
  Awaited<base::Result<Uploads>> uploads() override {
    co_await boost::asio::post(boost::asio::use_awaitable);
    Uploads out;
    for (const auto& [document, bytes] : all) {
      if (document.kind == Document::Kind::haproxy) out.haproxy[document.id] = bytes;
      if (document.kind == Document::Kind::lvs) out.lvs[document.id] = bytes;
      if (document.kind == Document::Kind::vrrp) out.vrrp = bytes;
    }
    co_return out;
  }

  std::map<Document, std::string> all;

 private:
  Script& script_;
};

class FakeApplier final : public Applier {
 public:
  explicit FakeApplier(Script& script) : script_(script) {}
  Awaited<base::Status> examine(Uploads uploads, Document) override {
    co_await boost::asio::post(boost::asio::use_awaitable);
    for (const auto* texts : {&uploads.haproxy, &uploads.lvs})
      for (const auto& [id, text] : *texts)
        if (text.find("broken") != std::string::npos) co_return base::Error{0, "line 1: broken"};
    co_return base::Unit{};
  }
  Awaited<base::Status> apply(Uploads uploads, std::set<Uuid> left_out) override {
    ++applying;
    most_applying = std::max(most_applying, applying);
    auto done = co_await script_.step("apply");
    if (done) applied = std::move(uploads);
    if (done) stopped = std::move(left_out);
    --applying;
    co_return done;
  }
  std::vector<ShownListener> listeners(Uploads uploads) override {
    std::vector<ShownListener> out;
    for (const auto& [id, text] : uploads.haproxy)
      out.push_back({id.text(), ShownListener::Server::haproxy, "TCP", true});
    for (const auto& [id, text] : uploads.lvs)
      out.push_back({id.text(), ShownListener::Server::lvs, "UDP", true});
    return out;
  }
  int haproxy_count() override { return 1; }

  Uploads applied;
  std::set<Uuid> stopped;
  int applying = 0, most_applying = 0;

 private:
  Script& script_;
};

class FakePlugging final : public Plugging {
 public:
  explicit FakePlugging(Script& script) : script_(script) {}
  Awaited<Answer> plug_vip(std::string vip, std::string body) override {
    co_await script_.step("plug_vip " + vip + " " + body);
    if (body.empty()) co_return Answer{400, "", "", "400 Bad Request: Invalid subnet information"};
    co_return Answer{202, "OK", "VIPs plugged on interface eth1: " + vip};
  }
  Awaited<Answer> plug_network(std::string body) override {
    co_await script_.step("plug_network " + body);
    if (body.empty()) co_return Answer{404, "", "No suitable network interface found"};
    co_return Answer{202, "OK", "Plugged on interface eth2"};
  }
  Awaited<Answer> put_rules(std::string interface, std::string body) override {
    co_await script_.step("rules " + interface + " " + body);
    co_return Answer{200, "OK"};
  }
  Awaited<base::Result<std::optional<std::string>>> interface_of(base::IpAddress address) override {
    const auto found = addresses.find(address.text());
    co_return found == addresses.end() ? std::optional<std::string>()
                                       : std::optional(found->second);
  }
  Awaited<base::Result<std::vector<InterfaceTraffic>>> traffic() override {
    co_return std::vector<InterfaceTraffic>{{"eth1", 5, 7}, {"lo", 1, 1}};
  }

  std::map<std::string, std::string> addresses{{"192.0.2.10", "eth1"}, {"2001:db8::21", "eth1"}};

 private:
  Script& script_;
};

class FakeVrrp final : public Vrrp {
 public:
  explicit FakeVrrp(Script& script) : script_(script) {}
  Awaited<base::Status> examine(std::string text) override {
    if (text.empty()) co_return base::Error{0, "an empty text"};
    co_return base::Unit{};
  }
  Awaited<base::Status> uploaded() override { return script_.step("vrrp uploaded"); }
  Awaited<base::Status> start() override { return script_.step("vrrp start"); }
  Awaited<base::Status> stop() override { return script_.step("vrrp stop"); }
  Awaited<base::Status> reload() override { return script_.step("vrrp reload"); }
  Awaited<base::Status> refresh_checks(Uploads) override { co_return base::Unit{}; }
  bool running() const override { return true; }

 private:
  Script& script_;
};

class FakeRunning final : public Running {
 public:
  base::Status examine_certificate(const std::string& pem) override {
    if (pem.starts_with("pem")) return base::Unit{};
    return base::Error{0, "no certificate"};
  }
  base::Status show_certificate(const std::string& pem) override {
    shown = pem;
    return base::Unit{};
  }
  const AmphoraConf& conf() const override { return now; }
  void reconfigure(const AmphoraConf& conf) override { now = conf; }

  std::string shown;
  AmphoraConf now;
};

struct Amphora {
  http::Response ask(const std::string& method, const std::string& target,
                     const std::string& body = "") {
    std::optional<http::Response> answer;
    spawn(method, target, body, [&](http::Response got) { answer = std::move(got); });
    loop.restart();
    loop.run();
    return std::move(*answer);
  }
  // Answered when the loop runs.
  template <class F>
  void spawn(const std::string& method, const std::string& target, const std::string& body,
             F then) {
    auto one = [](Amphora& self, http::Request request, F done) -> Awaited<void> {
      auto response = co_await self.door.handle(std::move(request));
      done(std::move(response));
    };
    boost::asio::co_spawn(loop, one(*this, {method, target, "h", "https", "", body}, then),
                          boost::asio::detached);
  }

  boost::asio::io_context loop{1};
  Script script;
  FakeDocuments documents{script};
  FakeApplier applier{script};
  FakePlugging plugging{script};
  FakeVrrp vrrp{script};
  FakeRunning running;
  Door door{loop.get_executor(),
            {documents, applier, plugging, vrrp, running},
            {"amphora-1", {"2.6.12-1+deb12u4", "1:2.2.7-1+b2", "0.0"}}};
};

}  // namespace octavia::testing
