#include "agent/octavia/uploads_applier.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/unit/octavia/fakes.h"

namespace octavia::testing {
namespace {

std::string sample(const std::string& name) {
  std::ifstream in(OCTAVIA_SAMPLES "/" + name);
  return {std::istreambuf_iterator<char>(in), {}};
}

Uuid id_in(const std::string& text, const std::string& before) {
  const size_t at = text.find(before);
  const auto id = Uuid::parse(text.substr(at + before.size(), 36));
  EXPECT_TRUE(id) << before;
  return id.value_or(Uuid());
}

class FakeChecker final : public Checker {
 public:
  Awaited<base::Status> check(std::string text, std::string) override {
    ++checks;
    last = std::move(text);
    if (refuse) co_return base::Error{0, "[ALERT] no"};
    co_return base::Unit{};
  }
  int checks = 0;
  bool refuse = false;
  std::string last;
};

class ApplierTest : public ::testing::Test {
 protected:
  base::Status run(Awaited<base::Status> wanted) {
    std::optional<base::Status> got;
    auto wait = [](Awaited<base::Status> one, std::optional<base::Status>& to) -> Awaited<void> {
      to.emplace(co_await std::move(one));
    };
    boost::asio::co_spawn(loop, wait(std::move(wanted), got), boost::asio::detached);
    loop.restart();
    loop.run();
    return *got;
  }
  Awaited<base::Status> carry_out(model::Model model) {
    carried.push_back(std::move(model));
    if (fails) co_return base::Error{EIO, "put"};
    co_return base::Unit{};
  }
  Uploads with(const std::string& name) const {
    Uploads uploads;
    const std::string text = sample(name);
    if (name.starts_with("lvs/")) {
      const bool is_off = text.find(" is disabled") != std::string::npos;
      uploads.lvs[id_in(text, is_off ? "# Listener " : "Configuration for Listener ")] = text;
    } else {
      uploads.haproxy[id_in(text, "Configuration for loadbalancer ")] = text;
    }
    return uploads;
  }

  // Of the only text of `uploads`.
  base::Status examine(const Uploads& uploads) {
    const Document document = uploads.haproxy.empty() ? lvs_of(uploads.lvs.begin()->first)
                                                      : haproxy_of(uploads.haproxy.begin()->first);
    return run(applier.examine(uploads, document));
  }

  boost::asio::io_context loop{1};
  FakeChecker checker;
  std::vector<model::Model> carried;
  bool fails = false;
  std::vector<Uploads> applied;
  UploadsApplier applier{
      *Uuid::parse(kAmphora),
      {checker, [this](model::Model m) { return carry_out(std::move(m)); }, [] { return 0; },
       [this](const Uploads& uploads) { applied.push_back(uploads); }}};
};

constexpr const char* kL4 = "haproxy/01-tcp-rr-nohm.cfg";
constexpr const char* kL7 = "haproxy/09-http-l7policies.cfg";
constexpr const char* kMixed = "haproxy/15-multi-listener-active-standby.cfg";
constexpr const char* kTls = "haproxy/10-terminated-https-sni-clientauth.cfg";

TEST_F(ApplierTest, ListenersOfTheKernelNeedNoHaproxy) {
  EXPECT_TRUE(examine(with(kL4)).ok());
  EXPECT_EQ(checker.checks, 0);
  EXPECT_TRUE(run(applier.apply(with(kL4), {})).ok());
  ASSERT_EQ(carried.size(), 1u);
  EXPECT_EQ(carried[0].listeners.size(), 1u);
}

TEST_F(ApplierTest, WhatIsLeftToHaproxyIsCheckedByItOnce) {
  EXPECT_TRUE(examine(with(kL7)).ok());
  EXPECT_TRUE(examine(with(kL7)).ok());
  EXPECT_EQ(checker.checks, 1);
  EXPECT_NE(checker.last.find("frontend "), std::string::npos);
  checker.refuse = true;
  const auto refused = examine(with(kTls));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message(), "[ALERT] no");
}

// A weight of the datapath's starts no HAProxy.
TEST_F(ApplierTest, WhatTheDatapathHasTakenOverIsNoMatterOfHaproxys) {
  Uploads uploads = with(kMixed);
  EXPECT_TRUE(examine(uploads).ok());
  EXPECT_EQ(checker.checks, 1);
  std::string& text = uploads.haproxy.begin()->second;
  text.replace(text.find("weight", text.find("mode tcp\n    balance")), 8, "weight 7");
  EXPECT_TRUE(examine(uploads).ok());
  EXPECT_EQ(checker.checks, 1);
}

TEST_F(ApplierTest, WhatIsCarriedOutIsNotTouchedAgain) {
  EXPECT_TRUE(run(applier.apply(with(kL7), {})).ok());
  EXPECT_TRUE(run(applier.apply(with(kL7), {})).ok());
  EXPECT_EQ(carried.size(), 1u);
}

// Of the model it is the text that HAProxy would have where XDP can forward nothing.
TEST_F(ApplierTest, TellsOfEveryTextThatIsApplied) {
  Uploads uploads = with(kL4);
  EXPECT_TRUE(run(applier.apply(uploads, {})).ok());
  std::string& text = uploads.haproxy.begin()->second;
  text.replace(text.find("local0"), 6, "local5");
  EXPECT_TRUE(run(applier.apply(uploads, {})).ok());
  ASSERT_EQ(carried.size(), 2u);
  EXPECT_EQ(carried[1].listeners, carried[0].listeners);
  ASSERT_EQ(applied.size(), 2u);
  EXPECT_EQ(applied[1], uploads);
  EXPECT_TRUE(run(applier.apply(uploads, {uploads.haproxy.begin()->first})).ok());
  EXPECT_TRUE(applied[2].haproxy.empty());
}

TEST_F(ApplierTest, AFailureIsTriedAgain) {
  EXPECT_TRUE(run(applier.apply(with(kL4), {})).ok());
  fails = true;
  EXPECT_FALSE(run(applier.apply(with(kL7), {})).ok());
  fails = false;
  EXPECT_TRUE(run(applier.apply(with(kL4), {})).ok());
  EXPECT_EQ(carried.size(), 3u);
}

TEST_F(ApplierTest, ANewCertificateIsANewTextForHaproxy) {
  Uploads uploads = with(kTls);
  const Uuid lb = uploads.haproxy.begin()->first;
  uploads.certificates[lb] = "1";
  EXPECT_TRUE(run(applier.apply(uploads, {})).ok());
  uploads.certificates[lb] = "2";
  EXPECT_TRUE(run(applier.apply(uploads, {})).ok());
  ASSERT_EQ(carried.size(), 2u);
  EXPECT_NE(carried[0].amphora->haproxy_text, carried[1].amphora->haproxy_text);
  uploads = with(kL4);
  uploads.certificates[uploads.haproxy.begin()->first] = "1";
  EXPECT_EQ(model_of(uploads, *Uuid::parse(kAmphora))->amphora->haproxy_text, "");
}

TEST_F(ApplierTest, WhatIsStoppedIsLeftOut) {
  const Uploads uploads = with("lvs/01-udp-rr-nohm.conf");
  EXPECT_TRUE(run(applier.apply(uploads, {})).ok());
  EXPECT_TRUE(run(applier.apply(uploads, {uploads.lvs.begin()->first})).ok());
  ASSERT_EQ(carried.size(), 2u);
  EXPECT_EQ(carried[0].listeners.size(), 1u);
  EXPECT_TRUE(carried[1].listeners.empty());
}

TEST_F(ApplierTest, ShowsListenersOfEveryKind) {
  const auto all = applier.listeners(with("haproxy/14-prometheus.cfg"));
  EXPECT_EQ(std::count_if(all.begin(), all.end(),
                          [](const ShownListener& one) {
                            return one.id == "prometheus-exporter-internal-endpoint";
                          }),
            1);
  const auto udp = applier.listeners(with("lvs/01-udp-rr-nohm.conf"));
  ASSERT_EQ(udp.size(), 1u);
  EXPECT_EQ(udp[0].type, "UDP");
  EXPECT_TRUE(udp[0].active);
  const auto off = applier.listeners(with("lvs/07-udp-listener-disabled.conf"));
  ASSERT_EQ(off.size(), 1u);
  EXPECT_FALSE(off[0].active);
  const auto tls = applier.listeners(with(kTls));
  ASSERT_EQ(tls.size(), 1u);
  EXPECT_EQ(tls[0].type, "TERMINATED_HTTPS");
}

TEST_F(ApplierTest, ATextThatIsNoneIsRefused) {
  Uploads uploads;
  uploads.lvs[*Uuid::parse(kUdp)] = "not a text of LVS {";
  EXPECT_FALSE(run(applier.examine(uploads, lvs_of(*Uuid::parse(kUdp)))).ok());
  EXPECT_TRUE(applier.listeners(uploads).empty());
  EXPECT_TRUE(carried.empty());
}

// Another version may have taken it; nobody could ever change anything else.
TEST_F(ApplierTest, AStoredTextThatIsNoneDoesNotRefuseOthers) {
  Uploads uploads = with(kL4);
  uploads.lvs[*Uuid::parse(kUdp)] = "not a text of LVS {";
  const Document other = haproxy_of(uploads.haproxy.begin()->first);
  EXPECT_TRUE(run(applier.examine(uploads, other)).ok());
  EXPECT_TRUE(run(applier.apply(uploads, {})).ok());
  ASSERT_EQ(carried.size(), 1u);
  EXPECT_EQ(carried[0].listeners.size(), 1u);
  EXPECT_EQ(applier.listeners(uploads).size(), 1u);

  uploads.haproxy.begin()->second = std::string("frontend x\0", 11);
  EXPECT_FALSE(run(applier.examine(uploads, other)).ok());
}

}  // namespace
}  // namespace octavia::testing
