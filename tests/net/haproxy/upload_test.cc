// A text as a controller uploads it: loaded, reloaded, adopted, refused.
#include <sys/stat.h>

#include <filesystem>

#include "base/file.h"
#include "haproxy/check.h"
#include "tests/net/haproxy/lab.h"

namespace haproxy_test {
namespace {

using haproxy::Spec;
using haproxy::Uploaded;
using testing::HasSubstr;

class Uploads : public Lab {
 protected:
  // As Octavia writes it, with a listener of mode HTTP and the checks of `lines`.
  std::string text(int weight, const std::string& lines = "", const std::string& check = "") const {
    const std::string name = id(2).text() + ":" + id(1).text();
    return "# Configuration for loadbalancer x\n"
           "global\n"
           "    daemon\n"
           "    user nobody\n"
           "    log /run/rsyslog/octavia/log local0\n"
           "    log /run/rsyslog/octavia/log local1 notice\n"
           "    stats socket " +
           uploads() +
           "/lb.sock mode 0666 level user\n"
           "    server-state-file " +
           uploads() + "/lb/servers-state\n    maxconn 50000\n" +
           (lines.empty() ? "" : "    external-check\n    insecure-fork-wanted\n") +
           "\n"
           "defaults\n"
           "    log global\n"
           "    retries 3\n"
           "    option redispatch\n"
           "    option splice-request\n"
           "    option splice-response\n"
           "    option http-keep-alive\n"
           "\n"
           "peers x_peers\n"
           "    peer me 203.0.113.11:1025\n"
           "    peer other 203.0.113.12:1025\n"
           "\n"
           "frontend " +
           id(1).text() +
           "\n"
           "    maxconn 50000\n"
           "    bind 198.51.100.10:80\n"
           "    mode http\n"
           "    default_backend " +
           name +
           "\n"
           "    timeout client 50000\n"
           "\n"
           "backend " +
           name +
           "\n"
           "    mode http\n"
           "    balance roundrobin\n"
           "    load-server-state-from-file global\n"
           "    timeout check 1s\n"
           "    fullconn 50000\n"
           "    option allbackups\n"
           "    timeout connect 5000\n"
           "    timeout server 50000\n" +
           lines + "    server " + id(101).text() + " 203.0.113.11:8080 weight " +
           std::to_string(weight) + check + "\n    server " + id(102).text() +
           " 203.0.113.12:8080 weight 1" + check + "\n";
  }
  std::string uploads() const { return path("uploads"); }
  static Spec spec(std::string text) {
    Spec spec;
    spec.uploaded = Uploaded{std::move(text), "me"};
    return spec;
  }
  haproxy::ServerStats server_of(int number) {
    const auto stats = process().stats();
    for (const auto& worker : *stats)
      if (worker.current) return worker.backends.at({id(2), id(1)}).servers.at(id(100 + number));
    return {};
  }
};

TEST_F(Uploads, ServeStayInFrontAndAreReloadedWithoutLoss) {
  member(1);
  member(2);
  apply(spec(text(1)));
  EXPECT_EQ(answering(), (std::set<std::string>{"m1", "m2"}));
  const pid_t master = master_pid();
  apply(spec(text(1)));
  EXPECT_EQ(process().counts(), (haproxy::Counts{1, 0, 0}));
  Child load({"python3", TEST_DIR "/load.py", kVip, "80", "4"});
  ASSERT_EQ(load.read_line(), "started");
  for (int weight = 2; weight <= 5; weight++) apply(spec(text(weight)));
  const auto report = nlohmann::json::parse(load.finish());
  EXPECT_GT(report["requests"], 10);
  EXPECT_EQ(report["failed"], 0) << report;
  EXPECT_EQ(process().counts(), (haproxy::Counts{1, 4, 0}));
  EXPECT_EQ(master_pid(), master);
  // The socket that the text names answers, too, and needs no privilege.
  EXPECT_TRUE(haproxy::ask_once(uploads() + "/lb.sock", "show stat -1 -1 -1").ok());
  apply(spec(""));
  EXPECT_FALSE(process().running());
}

TEST_F(Uploads, AreAdoptedByTheNextAgent) {
  member(1);
  apply(spec(text(1)));
  const pid_t worker = worker_pid();
  reopen();
  EXPECT_TRUE(process().running());
  apply(spec(text(1)));
  EXPECT_EQ(worker_pid(), worker);
  EXPECT_EQ(process().counts(), haproxy::Counts{});
}

TEST_F(Uploads, RefusedOnesChangeNothing) {
  member(1);
  apply(spec(text(1)));
  const std::string before = process().text();
  for (const auto& [line, said] : {std::pair("    option nonsense\n", "[haproxy.cfg:"),
                                   {"    bind /x\n", "at an address and a port"}}) {
    const auto checked = check_upload(paths(), {text(2, line), "me"});
    ASSERT_FALSE(checked.ok());
    EXPECT_THAT(checked.error().message(), HasSubstr(said));
    const auto refused = process().apply(spec(text(2, line)));
    EXPECT_FALSE(refused.ok());
  }
  EXPECT_TRUE(check_upload(paths(), {text(2), "me"}).ok());
  EXPECT_EQ(process().text(), before);
  EXPECT_EQ(status("/"), "200");
  EXPECT_EQ(process().counts(), (haproxy::Counts{1, 0, 0}));
}

TEST_F(Uploads, ServersThatAreDownStayDownOverAReload) {
  member(1);  // nobody listens at the second
  apply(spec(text(1, "", " check inter 1s fall 1 rise 1")));
  EXPECT_TRUE(until([&] { return server_of(2).status == "DOWN"; }));
  apply(spec(text(2, "", " check inter 60s fall 1 rise 1")));
  EXPECT_EQ(server_of(2).status, "DOWN");
  EXPECT_EQ(server_of(1).status, "UP");
  EXPECT_THAT(*base::read_file(uploads() + "/lb/servers-state"), HasSubstr(id(102).text()));
}

TEST_F(Uploads, PingIsAskedByAWrapperOfOurs) {
  const std::string wrapper = uploads() + "/ping-wrapper.sh";
  apply(spec(text(1, "    option external-check\n    external-check command " + wrapper + "\n",
                  " check inter 1s fall 1 rise 1 addr 203.0.113.11")));
  struct stat found {};
  ASSERT_EQ(::stat(wrapper.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0755u);
  EXPECT_TRUE(until([&] { return server_of(1).reason.find("PROCOK") != std::string::npos; }))
      << server_of(1).reason;
  sh("ip addr del 203.0.113.11/32 dev lo");
  EXPECT_TRUE(until([&] { return server_of(1).status == "DOWN"; }));
}

}  // namespace
}  // namespace haproxy_test
