// A pair of nodes: who has the VIP, when keepalived ends in whatever way.
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <string_view>
#include <thread>

#include "base/file.h"
#include "keepalived/render.h"
#include "tests/net/keepalived/lab.h"

namespace keepalived_test {
namespace {

using keepalived::Counts;
using keepalived::Role;
using testing::HasSubstr;

class Pair : public Lab {
 protected:
  void start_both() {
    start(*a_, 120);
    ASSERT_TRUE(until([&] { return a_->role() == Role::master; }));
    start(*b_, 100);
    ASSERT_EQ(b_->role(), Role::backup);
  }
};

TEST_F(Pair, VipsAreAtTheMasterAndGoWithAnOrderlyStop) {
  start_both();
  EXPECT_TRUE(a_->has(kVip));
  EXPECT_TRUE(a_->has("2001:db8::10"));
  EXPECT_FALSE(b_->has(kVip));
  ASSERT_TRUE(a_->stop().ok());
  EXPECT_FALSE(a_->has(kVip));
  EXPECT_FALSE(a_->process().running());
  EXPECT_TRUE(until([&] { return b_->role() == Role::master && b_->has("2001:db8::10"); }));
  EXPECT_FALSE(*a_->revive());  // it is not wanted
}

// An amphora has a way out and nobody there who answers questions of names.
TEST_F(Pair, ANameServerThatIsSilentDelaysNothing) {
  sh("ip -n a route add default via 203.0.113.99 dev eth1;"
     "ip -n a neigh replace 203.0.113.99 lladdr 02:00:00:00:00:99 dev eth1 nud permanent");
  constexpr std::string_view kName = "amphora-of-no-name-server";
  ASSERT_EQ(::unshare(CLONE_NEWUTS), 0);
  ASSERT_EQ(::sethostname(kName.data(), kName.size()), 0);
  const auto begun = std::chrono::steady_clock::now();
  start(*a_, 120);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 4s);
}

// /dev/log is ours, in a folder that is /dev for this test alone.
class Syslog {
 public:
  explicit Syslog(const std::string& folder) {
    sh("mkdir " + folder + " && cp -a /dev/null /dev/urandom " + folder + " && mount --bind " +
       folder + " /dev");
    socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const sockaddr_un place{.sun_family = AF_UNIX, .sun_path = "/dev/log"};
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&place), sizeof(place)), 0);
  }
  ~Syslog() { ::umount2("/dev", MNT_DETACH); }

  std::string line() const {
    char text[2048];
    const ssize_t size = ::recv(socket_.get(), text, sizeof(text), 0);
    return size > 0 ? std::string(text, static_cast<size_t>(size)) : "";
  }

 private:
  base::Fd socket_;
};

TEST_F(Pair, LogsToTheFacilityThatItIsGiven) {
  const Syslog syslog(a_->vrrp() + "/dev");
  keepalived::Paths paths = a_->paths();
  paths.log_facility = 5;
  a_->write(keepalived::render(instance(*a_, 120)));
  a_->enter();
  auto process = keepalived::Process::open(paths, a_->drop());
  ASSERT_TRUE(process.ok());
  ASSERT_TRUE(process->start().ok());
  const std::string line = syslog.line();
  // Facility 21, local5, times 8; and a level.
  EXPECT_THAT(line, testing::StartsWith("<17")) << line;
  EXPECT_THAT(line, HasSubstr("Keepalived"));
  EXPECT_TRUE(process->stop().ok());
}

// With parent and child gone at once, nobody takes the VIP off.
TEST_F(Pair, KilledAtOnceItIsBackWithoutTheVip) {
  start_both();
  a_->kill_all();
  EXPECT_TRUE(a_->has(kVip));
  ASSERT_TRUE(until([&] { return b_->role() == Role::master; }));
  EXPECT_TRUE(*a_->revive());
  EXPECT_FALSE(a_->has(kVip));
  EXPECT_EQ(a_->process().counts(), (Counts{1, 0, 1}));
  for (int i = 0; i < 20; i++) {  // longer than several adverts
    EXPECT_FALSE(a_->has(kVip));
    EXPECT_TRUE(b_->has(kVip));
    std::this_thread::sleep_for(100ms);
  }
  EXPECT_EQ(a_->role(), Role::backup);
  EXPECT_FALSE(*a_->revive());
  EXPECT_EQ(a_->process().counts(), (Counts{1, 0, 1}));
}

TEST_F(Pair, KilledParentTakesItsChildAlong) {
  start_both();
  ASSERT_EQ(::kill(a_->pid(), SIGKILL), 0);
  ASSERT_TRUE(until([&] {
    const auto revived = a_->revive();
    return revived.ok() && *revived;
  }));
  EXPECT_TRUE(until([&] { return a_->has(kVip) != b_->has(kVip); }));
  EXPECT_EQ(a_->process().counts(), (Counts{1, 0, 1}));
}

TEST_F(Pair, WithoutAProgramToStartTheVipIsGiven) {
  start_both();
  a_->kill_all();
  ASSERT_EQ(std::rename(a_->binary().c_str(), (a_->binary() + ".away").c_str()), 0);
  const auto revived = a_->revive();
  EXPECT_FALSE(revived.ok());
  EXPECT_FALSE(a_->has(kVip));
  EXPECT_EQ(a_->role(), Role::fault);
  ASSERT_EQ(std::rename((a_->binary() + ".away").c_str(), a_->binary().c_str()), 0);
  EXPECT_TRUE(until([&] {
    const auto again = a_->revive();
    return again.ok() && *again;
  }));
}

TEST_F(Pair, IsAdoptedAndReloaded) {
  start_both();
  const pid_t pid = a_->pid();
  a_->reopen();
  EXPECT_TRUE(a_->process().running());
  EXPECT_EQ(a_->role(), Role::master);
  auto more = instance(*a_, 120);
  more.vips.push_back(ip("203.0.113.11"));
  a_->write(keepalived::render(more));
  ASSERT_TRUE(a_->start().ok());
  EXPECT_TRUE(until([&] { return a_->has("203.0.113.11"); }));
  EXPECT_TRUE(a_->has(kVip));
  EXPECT_EQ(a_->pid(), pid);
  EXPECT_EQ(a_->process().counts(), (Counts{0, 1, 0}));
}

// Killed after it had written a text and before keepalived was told, an agent has the next one do
// it; what keepalived has, it is not told again.
TEST_F(Pair, ATextIsLoadedOnceByWhicheverAgent) {
  auto more = instance(*a_, 120);
  const std::string text = keepalived::render(more);
  a_->enter();
  ASSERT_TRUE(a_->process().load(text).ok());
  ASSERT_TRUE(a_->process().load(text).ok());
  EXPECT_EQ(a_->process().counts(), (Counts{1, 0, 0}));
  a_->reopen();
  ASSERT_TRUE(a_->process().load(text).ok());
  EXPECT_EQ(a_->process().counts(), (Counts{0, 0, 0}));
  more.vips.push_back(ip("203.0.113.11"));
  a_->write(keepalived::render(more));
  a_->reopen();
  ASSERT_TRUE(a_->process().load(keepalived::render(more)).ok());
  EXPECT_EQ(a_->process().counts(), (Counts{0, 1, 0}));
  EXPECT_TRUE(until([&] { return a_->has("203.0.113.11"); }));
}

TEST_F(Pair, BrokenTextChangesNothing) {
  start_both();
  const pid_t pid = a_->pid();
  a_->write("vrrp_instance pair {\n  notify /bin/evil\n}\n");
  const auto refused = a_->start();
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message(), HasSubstr("line 2"));
  EXPECT_EQ(a_->pid(), pid);
  EXPECT_TRUE(a_->has(kVip));
}

// Octavia's own text, but for the path and the pace of its check.
TEST_F(Pair, OctaviasTextFollowsTheCheck) {
  const auto octavias = [](const Node& node, const char* file) {
    std::string text = *base::read_file(std::string(VRRP_SAMPLES) + "/" + file);
    const std::string script = "/var/lib/octavia/vrrp/check_script.sh";
    text.replace(text.find(script), script.size(), node.script());
    for (const auto& [from, to] :
         {std::pair("interval 5", "interval 1"), {"fall 2", "fall 1"}, {"rise 2", "rise 1"}})
      text.replace(text.find(from), std::string(from).size(), to);
    node.write(text);
  };
  octavias(*a_, "keepalived-master.2026.conf");
  octavias(*b_, "keepalived-backup.2026.conf");
  const auto vouching = [&](std::initializer_list<Node*> nodes, const auto& done) {
    return until([&] {
      for (Node* node : nodes) EXPECT_TRUE(node->vouch().renew().ok());
      return done();
    });
  };
  EXPECT_TRUE(a_->vouch().renew().ok());
  ASSERT_TRUE(a_->start().ok());
  ASSERT_TRUE(vouching({a_.get(), b_.get()}, [&] { return a_->role() == Role::master; }));
  ASSERT_TRUE(b_->start().ok());
  EXPECT_THAT(sh("ip -n a route show table 1"), HasSubstr("default via 203.0.113.1 dev eth1"));
  EXPECT_THAT(sh("ip -n a rule"), HasSubstr("from 203.0.113.10 lookup 1"));
  EXPECT_TRUE(a_->vouch().withdraw().ok());
  EXPECT_TRUE(vouching({b_.get()}, [&] { return b_->has(kVip) && !a_->has(kVip); }));
  // Nobody is fit: nobody has it.
  EXPECT_TRUE(until([&] { return !b_->has(kVip) && !a_->has(kVip); }));
}

}  // namespace
}  // namespace keepalived_test
