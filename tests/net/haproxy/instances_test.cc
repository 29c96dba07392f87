// One HAProxy for each load balancer: what happens to one is nobody else's matter.
#include "haproxy/instances.h"

#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/digest.h"
#include "base/file.h"
#include "haproxy/check.h"
#include "tests/net/haproxy/lab.h"

namespace haproxy_test {
namespace {

using haproxy::Instances;
using testing::HasSubstr;
using testing::IsEmpty;

const base::Uuid kA = id(0xa), kB = id(0xb);

class Apart : public Lab {
 protected:
  void SetUp() override {
    Lab::SetUp();
    open();
  }
  void TearDown() override {
    if (instances_) instances_->teardown();
    instances_.reset();
    Lab::TearDown();
  }
  // As a restarted agent would.
  void open() {
    instances_.reset();
    auto opened = Instances::open(paths());
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    instances_.emplace(std::move(*opened));
  }
  // With one listener at `port`, and the members 1 .. count.
  static haproxy::Spec spec_of(const base::Uuid& load_balancer, int port, int count = 1) {
    haproxy::Spec spec = http(count);
    haproxy::Frontend changed = frontend(spec);
    changed.listener = id(port);
    changed.load_balancer = load_balancer;
    changed.binds[0].port = static_cast<uint16_t>(port);
    haproxy::Backend pool = backend(spec);
    pool.id.listener = id(port);
    changed.default_backend = pool.id;
    haproxy::Spec out;
    out.frontends[changed.listener] = changed;
    out.backends[pool.id] = pool;
    return out;
  }
  static haproxy::Specs both() { return {{kA, spec_of(kA, 80)}, {kB, spec_of(kB, 81)}}; }
  // A rule whose expression HAProxy does not take.
  static haproxy::Spec refused_at(const base::Uuid& load_balancer, int port) {
    haproxy::Spec bad = spec_of(load_balancer, port);
    frontend(bad).policies.push_back({id(50), haproxy::Action::deny, "", 302, {}, {}});
    frontend(bad).policies[0].rules.push_back(
        {id(51), haproxy::Fetch::path, haproxy::Match::regex, "", "a(b", false});
    return bad;
  }

  static std::string name_of(const base::Uuid& load_balancer) {
    std::string name = load_balancer.text();
    std::erase(name, '-');
    return name;
  }
  std::string run_of(const base::Uuid& load_balancer) const {
    return path("run/" + name_of(load_balancer));
  }
  std::string state_of(const base::Uuid& load_balancer) const {
    return path("state/" + name_of(load_balancer));
  }
  pid_t pid_of(const base::Uuid& load_balancer, bool worker) {
    const auto answer = haproxy::ask_once(run_of(load_balancer) + "/master.sock", "show proc");
    if (!answer) return 0;
    const auto found = haproxy::parse_processes(*answer);
    return worker ? found->worker.value_or(0) : found->master;
  }
  pid_t worker_of(const base::Uuid& load_balancer) { return pid_of(load_balancer, true); }
  pid_t master_of(const base::Uuid& load_balancer) { return pid_of(load_balancer, false); }
  std::string status_at(int port) {
    return try_sh("curl -s -m 5 -o /dev/null -w '%{http_code}' http://" + std::string(kVip) + ":" +
                  std::to_string(port) + "/");
  }
  // Nothing of `load_balancer` is left on the disk.
  bool is_forgotten(const base::Uuid& load_balancer) {
    for (const base::Uuid& name : instances_->names()) (void)instances_->stats(name);
    return !std::filesystem::exists(run_of(load_balancer)) &&
           !std::filesystem::exists(state_of(load_balancer));
  }

  std::optional<Instances> instances_;
};

TEST_F(Apart, EachHasItsOwnAndIsReloadedForItsOwnChange) {
  member(1);
  member(2);
  EXPECT_THAT(instances_->apply(both()), IsEmpty());
  EXPECT_EQ(status_at(80), "200");
  EXPECT_EQ(status_at(81), "200");
  const pid_t worker_a = worker_of(kA), worker_b = worker_of(kB);
  EXPECT_NE(master_of(kA), master_of(kB));
  haproxy::Specs changed = both();
  backend(changed.at(kB)).servers[0].weight = 7;
  EXPECT_THAT(instances_->apply(changed), IsEmpty());
  EXPECT_EQ(worker_of(kA), worker_a);
  EXPECT_NE(worker_of(kB), worker_b);
  changed.at(kA).renewals++;
  EXPECT_THAT(instances_->apply(changed), IsEmpty());
  EXPECT_NE(worker_of(kA), worker_a) << "made anew";
  EXPECT_EQ(status_at(80), "200");
  changed.erase(kB);
  EXPECT_THAT(instances_->apply(changed), IsEmpty());
  EXPECT_TRUE(until([&] { return is_forgotten(kB); }));
  EXPECT_EQ(status_at(80), "200");
  EXPECT_EQ(status_at(81), "000");
}

TEST_F(Apart, WhatIsRefusedIsOnesOwn) {
  member(1);
  haproxy::Specs specs = both();
  EXPECT_THAT(instances_->apply(specs), IsEmpty());
  specs[kB] = refused_at(kB, 81);
  backend(specs.at(kA)).servers[0].weight = 2;
  const pid_t before = worker_of(kA);
  const auto failures = instances_->apply(specs);
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_THAT(failures.at(kB).message(), HasSubstr("a(b"));
  EXPECT_NE(worker_of(kA), before) << "its change was made";
  EXPECT_EQ(status_at(80), "200");
  EXPECT_EQ(status_at(81), "200") << "as it was before";
  EXPECT_EQ(instances_->status().at(kA).error, "");
  EXPECT_THAT(instances_->status().at(kB).error, HasSubstr("a(b"));
  // One that comes into the world so is not there, and takes nobody along.
  const base::Uuid born = id(0xc);
  specs[born] = refused_at(born, 82);
  EXPECT_EQ(instances_->apply(specs).size(), 2u);
  EXPECT_EQ(status_at(80), "200");
  specs = both();
  specs[born] = spec_of(born, 82);
  EXPECT_THAT(instances_->apply(specs), IsEmpty());
  EXPECT_EQ(status_at(82), "200");
}

TEST_F(Apart, AFolderThatCannotBeMadeIsOnesOwn) {
  member(1);
  std::ofstream(run_of(kB)) << "in the way\n";
  open();
  const auto failures = instances_->apply(both());
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_TRUE(failures.contains(kB));
  EXPECT_EQ(status_at(80), "200");
  std::filesystem::remove(run_of(kB));
  EXPECT_TRUE(until([&] { return instances_->apply(both()).empty(); }));
  EXPECT_EQ(status_at(81), "200");
}

TEST_F(Apart, AreAdoptedByTheNextAgentAndRevivedEachForItself) {
  member(1);
  EXPECT_THAT(instances_->apply(both()), IsEmpty());
  const pid_t master_a = master_of(kA), worker_a = worker_of(kA), worker_b = worker_of(kB);
  open();
  EXPECT_THAT(instances_->apply(both()), IsEmpty());
  EXPECT_EQ(master_of(kA), master_a);
  EXPECT_EQ(worker_of(kA), worker_a);
  EXPECT_EQ(worker_of(kB), worker_b);
  ASSERT_EQ(::kill(master_of(kB), SIGKILL), 0);
  EXPECT_TRUE(until([&] {
    for (const auto& one : instances_->revive())
      if (one.load_balancer == kB && one.done) return true;
    return false;
  }));
  EXPECT_EQ(status_at(81), "200");
  EXPECT_EQ(worker_of(kA), worker_a);
}

TEST_F(Apart, OneThatIsWantedNoMoreAfterARestartEnds) {
  member(1);
  EXPECT_THAT(instances_->apply(both()), IsEmpty());
  open();
  EXPECT_THAT(instances_->apply({{kA, spec_of(kA, 80)}}), IsEmpty());
  EXPECT_TRUE(until([&] { return is_forgotten(kB); }));
  EXPECT_EQ(status_at(81), "000");
  EXPECT_EQ(status_at(80), "200");
}

// Agents of before had a single HAProxy for all load balancers, right in the folders.
TEST_F(Apart, TheOneForAllOfAnEarlierAgentGivesWayWithoutALostRequest) {
  member(1);
  member(2);
  haproxy::Spec all = spec_of(kA, 80);
  all.frontends.merge(spec_of(kB, 81).frontends);
  all.backends.merge(spec_of(kB, 81).backends);
  apply(all);
  const process::Process before = process::Process::of(master_pid());
  Child load({"python3", TEST_DIR "/load.py", kVip, "80", "6"});
  ASSERT_EQ(load.read_line(), "started");
  std::this_thread::sleep_for(300ms);
  open();
  EXPECT_THAT(instances_->apply(both()), IsEmpty());
  EXPECT_EQ(status_at(81), "200");
  std::this_thread::sleep_for(300ms);
  const auto report = nlohmann::json::parse(load.finish());
  EXPECT_GT(report["requests"], 50);
  EXPECT_EQ(report["failed"], 0) << report;
  reopen();  // the statistics' connection of the first process object kept it
  EXPECT_TRUE(until([&] {
    for (const base::Uuid& name : instances_->names()) (void)instances_->stats(name);
    return before.has_ended();
  }));
  EXPECT_EQ(status_at(80), "200");
  EXPECT_TRUE(until([&] {
    for (const base::Uuid& name : instances_->names()) (void)instances_->stats(name);
    return !std::filesystem::exists(path("run/haproxy.cfg")) &&
           !std::filesystem::exists(path("state/haproxy.accepted"));
  }));
}

class WithCertificates : public Apart {
 protected:
  // A new key and certificate at `name`, as the agent's store has it.
  haproxy::PemFile certificate(const std::string& name, const std::string& key) {
    sh("(openssl req -x509 -newkey " + key + " -nodes -days 30 -subj /CN=" + name + " -keyout " +
       path("key.pem") + " -out " + path("crt.pem") + "; cat " + path("crt.pem") + " " +
       path("key.pem") + " > " + path("next.pem") + "; mv " + path("next.pem") + " " +
       path(name + ".pem") + ") 2>/dev/null");
    return {path(name + ".pem"), base::sha256(*base::read_file(path(name + ".pem")))};
  }
  static haproxy::Specs with(const haproxy::PemFile& file) {
    haproxy::Specs specs{{kA, spec_of(kA, 443)}};
    haproxy::FrontendTls tls;
    tls.certificates = {file};
    frontend(specs.at(kA)).tls = tls;
    return specs;
  }
  std::string subject() {
    return try_sh("openssl s_client -connect " + std::string(kVip) +
                  ":443 </dev/null 2>/dev/null | openssl x509 -noout -subject");
  }
};

TEST_F(WithCertificates, WhatWasAcceptedLastCanAlwaysBeStartedAgain) {
  member(1);
  const auto good = certificate("site", "rsa:2048");
  EXPECT_THAT(instances_->apply(with(good)), IsEmpty());
  EXPECT_THAT(subject(), HasSubstr("CN = site"));
  // OpenSSL takes no such key at this level of security; and then even the file is gone.
  const auto weak = certificate("site", "rsa:512");
  EXPECT_EQ(instances_->apply(with(weak)).size(), 1u);
  std::filesystem::remove(path("site.pem"));
  ASSERT_EQ(::kill(master_of(kA), SIGKILL), 0);
  // It may need a second try: the killed one's workers hold its sockets for a moment.
  std::string trouble = "it was not tried";
  EXPECT_TRUE(until([&] {
    for (const auto& revived : instances_->revive())
      trouble = revived.done ? "" : revived.done.error().message();
    return trouble.empty();
  })) << trouble;
  EXPECT_THAT(subject(), HasSubstr("CN = site"));
  EXPECT_EQ(instances_->status().at(kA).counts.restarts, 1u);
}

TEST_F(WithCertificates, WhatItWouldNotTakeIsKnownBefore) {
  const auto said = [this](const haproxy::Specs& specs) {
    const auto words = haproxy::objection(paths(), specs.at(kA), 15s);
    return words ? *words : "it could not be asked: " + words.error().message();
  };
  haproxy::Specs specs = with(certificate("site", "rsa:2048"));
  EXPECT_EQ(said(specs), "");
  frontend(specs.at(kA)).tls->options.ciphers = "NOSUCH";
  EXPECT_THAT(said(specs), AllOf(HasSubstr("cipher list"), HasSubstr("haproxy.cfg:"),
                                 testing::Not(HasSubstr(path("")))));
  EXPECT_THAT(said(with(certificate("site", "rsa:512"))),
              HasSubstr("unable to load SSL certificate"));
  EXPECT_EQ(sh("ls " + paths().state_dir), "") << "nothing of a check is left";
}

TEST_F(WithCertificates, NoKeyStaysThatNobodyUses) {
  member(1);
  EXPECT_THAT(instances_->apply(with(certificate("one", "rsa:2048"))), IsEmpty());
  const auto two = certificate("two", "rsa:2048");
  EXPECT_THAT(instances_->apply(with(two)), IsEmpty());
  EXPECT_EQ(sh("ls " + state_of(kA) + "/certificates"), two.fingerprint + ".pem\n");
  EXPECT_THAT(subject(), HasSubstr("CN = two"));
}

TEST_F(WithCertificates, FiveHundredNamesAreServed) {
  member(1);
  sh("openssl ecparam -name prime256v1 -genkey -noout -out " + path("k.pem"));
  haproxy::Specs specs = with(certificate("default", "rsa:2048"));
  sh("cd " + path("") +
     " && for i in $(seq 500); do openssl req -x509 -key k.pem -days 30 -subj "
     "/CN=n$i.example.com -out c.pem && cat c.pem k.pem > n$i.pem; done");
  for (int i = 1; i <= 500; i++) {
    const std::string file = path("n" + std::to_string(i) + ".pem");
    frontend(specs.at(kA))
        .tls->certificates.push_back({file, base::sha256(*base::read_file(file))});
  }
  EXPECT_THAT(instances_->apply(specs), IsEmpty());
  const auto named = [this](const std::string& name) {
    return try_sh("openssl s_client -connect " + std::string(kVip) + ":443 -servername " + name +
                  " </dev/null 2>/dev/null | openssl x509 -noout -subject");
  };
  EXPECT_THAT(named("n1.example.com"), HasSubstr("CN = n1.example.com"));
  EXPECT_THAT(named("n500.example.com"), HasSubstr("CN = n500.example.com"));
  EXPECT_THAT(named("nobody.example.com"), HasSubstr("CN = default"));
}

TEST_F(WithCertificates, AFileIsWhatItsFingerprintSays) {
  member(1);
  auto other = certificate("one", "rsa:2048");
  other.fingerprint = std::string(64, '0');
  EXPECT_THAT(instances_->apply(with(other)).at(kA).message(), HasSubstr("one.pem"));
}

TEST_F(Apart, TeardownLeavesNothing) {
  member(1);
  EXPECT_THAT(instances_->apply(both()), IsEmpty());
  const pid_t master = master_of(kA), worker = worker_of(kB);
  open();
  instances_->teardown();
  EXPECT_TRUE(until([&] { return ::kill(master, 0) != 0 && ::kill(worker, 0) != 0; }));
  EXPECT_EQ(sh("find " + path("run") + " " + path("state") + " -mindepth 1"), "");
}

}  // namespace
}  // namespace haproxy_test
