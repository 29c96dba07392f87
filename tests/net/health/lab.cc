#include "tests/net/health/lab.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace health_test {

base::Uuid member_id(int number) {
  base::Uuid id;
  id.bytes[0] = 0x42;
  id.bytes[14] = static_cast<uint8_t>(number >> 8);
  id.bytes[15] = static_cast<uint8_t>(number);
  return id;
}

void Lab::SetUp() {
  if (::geteuid() != 0) FAIL() << "needs root (namespaces): run it with sudo";
  ASSERT_EQ(::unshare(CLONE_NEWNS | CLONE_NEWNET), 0);
  ASSERT_EQ(::mount("", "/", "none", MS_PRIVATE | MS_REC, nullptr), 0);
  ::mkdir("/run/netns", 0755);
  ASSERT_EQ(::mount("tmpfs", "/run/netns", "tmpfs", 0, nullptr), 0);
  sh("ip netns add member");
  sh("ip link add probe0 type veth peer name member0 netns member");
  sh("ip link set lo up; ip link set probe0 up; ip addr add 192.0.2.1/24 dev probe0;"
     "ip addr add 2001:db8::1/64 dev probe0 nodad");
  sh("ip -n member link set lo up; ip -n member link set member0 up;"
     "for i in 2 3; do ip -n member addr add 192.0.2.$i/24 dev member0;"
     "ip -n member addr add 2001:db8::$i/64 dev member0 nodad; done");
  sh("ip netns exec member nft 'add table inet t;"
     "add chain inet t c { type filter hook input priority 0; };"
     "add rule inet t c ip daddr 192.0.2.3 drop;"
     "add rule inet t c ip6 daddr 2001:db8::3 meta l4proto { tcp, udp, sctp } drop;"
     "add rule inet t c ip6 daddr 2001:db8::3 icmpv6 type echo-request drop'");
  here_.reset(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  there_.reset(::open("/run/netns/member", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(here_.valid() && there_.valid());
}

base::IpAddress Lab::address(const char* v4, const char* v6) const {
  return *base::IpAddress::parse(GetParam() == base::Family::ipv4 ? v4 : v6);
}

base::Fd Lab::member_socket(int type, int protocol, uint16_t port) {
  EXPECT_EQ(::setns(there_.get(), CLONE_NEWNET), 0);
  const bool v4 = GetParam() == base::Family::ipv4;
  base::Fd fd(::socket(v4 ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
  EXPECT_TRUE(fd.valid()) << std::strerror(errno);
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in6 own{};  // long enough for both families; the port is at the same place
  own.sin6_family = v4 ? AF_INET : AF_INET6;
  own.sin6_port = htons(port);
  void* to = v4 ? static_cast<void*>(&reinterpret_cast<sockaddr_in&>(own).sin_addr)
                : static_cast<void*>(&own.sin6_addr);
  // A raw socket would answer from any address of the machine.
  if (type == SOCK_RAW) std::memcpy(to, member().bytes(), member().size());
  const socklen_t size = v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&own), size), 0);
  EXPECT_TRUE(type != SOCK_STREAM || ::listen(fd.get(), 4096) == 0);
  EXPECT_EQ(::setns(here_.get(), CLONE_NEWNET), 0);
  return fd;
}

health::Target Lab::target(health::Type type, base::IpAddress address, uint16_t port) const {
  health::Target t;
  t.member = member_id(1);
  t.endpoint = {address, port};
  t.type = type;
  t.delay = t.timeout = 300ms;
  t.rise = t.fall = 1;
  return t;
}

bool Lab::run_until(const std::function<bool()>& done, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    loop_.restart();
    loop_.run_one_for(20ms);
  }
  return true;
}

health::Health Lab::health_of(const health::Target& target) {
  health::Prober prober(loop_.get_executor(), {});
  prober.set_targets({target});
  EXPECT_TRUE(run_until([&] { return prober.find(target.member)->probes > 0; }));
  const health::Health health = *prober.find(target.member);
  return health;
}

}  // namespace health_test
