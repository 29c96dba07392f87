#include <cerrno>

#include "tests/unit/doctor/well.h"

namespace doctor::testing {
namespace {

using std::chrono::days;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(CheckPrograms, AreMissedByWhoNeedsThem) {
  Facts facts = well();
  facts.programs[0].version = base::Error{0, "/usr/sbin/haproxy is not there"};
  EXPECT_THAT(check_programs(facts)[0], Says(Grade::warn, "not there", "apt install haproxy"));
  nlohmann::json status = *facts.agent;
  status["placements"] = {{{"placement", "haproxy"}}};
  facts.agent = status;
  EXPECT_THAT(check_programs(facts)[0], Says(Grade::fail, "not there"));

  facts.programs[1].version = base::Error{0, "/usr/sbin/keepalived is not there"};
  EXPECT_THAT(check_programs(facts)[1], Says(Grade::fail, "not there"));
  facts.configuration.is_pair = false;
  EXPECT_THAT(check_programs(facts)[1], Says(Grade::warn, "not there"));
}

TEST(CheckClock, IsSynchronised) {
  Facts facts = well();
  facts.is_clock_synchronised = false;
  EXPECT_THAT(check_clock(facts), ElementsAre(Says(Grade::warn, "synchronises", "timesyncd")));
}

TEST(CheckDisk, HasRoomForTheState) {
  Facts facts = well();
  const auto with = [&](uint64_t free_bytes, uint64_t free_files) {
    facts.disk = Disk{"/var/lib", 1 << 30, free_bytes, 1000, free_files};
    return check_disk(facts).at(0);
  };
  EXPECT_THAT(with(500 << 20, 900), Says(Grade::ok, "500 MiB of 1024 MiB"));
  EXPECT_THAT(with(100 << 20, 900), Says(Grade::warn, "100 MiB", "make room"));
  EXPECT_THAT(with(10 << 20, 900), Says(Grade::fail, "10 MiB", "make room"));
  EXPECT_THAT(with(500 << 20, 10), Says(Grade::fail, "10 more files"));
  facts.disk = Disk{"/var/lib", 1 << 30, 500 << 20, 0, 0};  // btrfs counts no files
  EXPECT_THAT(check_disk(facts), ElementsAre(Is(Grade::ok)));
}

TEST(CheckCertificates, AreValidNowAndForAWhile) {
  Facts facts = well();
  const auto until = [&](days after) {
    certificates::About about = *facts.certificates[0].about;
    about.not_after = facts.now + after;
    facts.certificates[0].about = about;
    return check_certificates(facts).at(0);
  };
  EXPECT_THAT(until(days{11}), Says(Grade::ok, "CN=amphora is valid until 2026-06-12"));
  EXPECT_THAT(until(days{9}), Says(Grade::warn, "2026-06-10", "a new one"));
  EXPECT_THAT(until(days{0}), Says(Grade::fail, "has expired on 2026-06-01", "a new one"));
  certificates::About early = *facts.certificates[0].about;
  early.not_before = facts.now + days{1};
  facts.certificates[0].about = early;
  EXPECT_THAT(check_certificates(facts),
              ElementsAre(Says(Grade::fail, "not valid before 2026-06-02")));
}

TEST(CheckCertificates, CanBeRead) {
  Facts facts = well();
  facts.certificates[0].about = base::Error{0, "it is neither PEM nor PKCS#12"};
  EXPECT_THAT(check_certificates(facts), ElementsAre(Says(Grade::fail, "neither PEM")));
  facts.certificates[0].about = base::Error{ENOENT, "read /etc/octavia/certs/server.pem"};
  EXPECT_THAT(check_certificates(facts), ElementsAre(Says(Grade::fail, "No such file")));
  facts.certificates[0].about = base::Error{EACCES, "read it"};
  EXPECT_THAT(check_certificates(facts), ElementsAre(Says(Grade::unseen, "read it", "root")));
}

TEST(CheckControllers, HaveAWayAndANextHop) {
  Facts facts = well();
  facts.controllers[0].next_hop_answers = false;
  EXPECT_THAT(check_controllers(facts),
              ElementsAre(Says(Grade::fail, "does not answer", "routes")));
  facts.agent = base::Error{0, "nobody answers"};  // and so nobody sends
  EXPECT_THAT(check_controllers(facts), ElementsAre(Says(Grade::warn, "when heartbeats leave")));
  facts.controllers[0].no_route = "Network is unreachable";
  EXPECT_THAT(check_controllers(facts), ElementsAre(Says(Grade::fail, "unreachable", "routes")));
  facts.controllers.clear();
  EXPECT_THAT(check_controllers(facts), IsEmpty());
}

}  // namespace
}  // namespace doctor::testing
