#include "tests/net/keepalived/lab.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <sstream>
#include <thread>

#include "base/file.h"
#include "keepalived/render.h"
#include "tests/support/temporary_folder.h"

namespace keepalived_test {

base::IpAddress ip(const std::string& text) { return *base::IpAddress::parse(text); }

bool until(const std::function<bool()>& done, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(20ms);
  }
  return true;
}

Node::Node(const std::string& name, const std::string& dir)
    : name_(name), dir_(dir), vouch_(vouch_file()) {
  space_.reset(::open(("/run/netns/" + name).c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_TRUE(space_.valid());
  std::filesystem::create_symlink("/usr/sbin/keepalived", binary());
  EXPECT_TRUE(keepalived::write_check_scripts(vrrp(), vouch_file()).ok());
  reopen();
}

Node::~Node() {
  if (!process_) return;
  const auto stopped = process_->stop();
  EXPECT_TRUE(stopped.ok());
}

keepalived::Paths Node::paths() const {
  return {.config = vrrp() + "/octavia-keepalived.conf",
          .pid_file = vrrp() + "/octavia-keepalived.pid",
          .check_script = script(),
          .run_dir = dir_ + "/run",
          .binary = binary()};
}

void Node::enter() const { ASSERT_EQ(::setns(space_.get(), CLONE_NEWNET), 0); }

void Node::write(const std::string& text) const {
  ASSERT_TRUE(base::write_file(paths().config, text, 0644));
}

keepalived::Process::DropAddresses Node::drop() const {
  return [name = name_](const std::string& interface, const auto& addresses) {
    for (const auto& address : addresses)
      sh("ip -n " + name + " addr del " + address.text() + " dev " + interface + " || true");
    return base::Status(base::Unit{});
  };
}

void Node::reopen() {
  process_.reset();
  auto opened = keepalived::Process::open(paths(), drop());
  ASSERT_TRUE(opened.ok()) << opened.error().message();
  process_.emplace(std::move(*opened));
}

base::Status Node::start() {
  enter();
  return process_->start();
}

base::Status Node::stop() {
  enter();
  return process_->stop();
}

base::Result<bool> Node::revive() {
  enter();
  return process_->revive();
}

std::vector<base::IpAddress> Node::addresses() const {
  std::vector<base::IpAddress> all;
  std::istringstream words(sh("ip -n " + name_ + " -br addr show dev eth1"));
  for (std::string word; words >> word;)
    if (const auto prefix = base::IpPrefix::parse(word)) all.push_back(prefix->address);
  return all;
}

bool Node::has(const std::string& address) const {
  const auto all = addresses();
  return std::find(all.begin(), all.end(), ip(address)) != all.end();
}

keepalived::Role Node::role() const {
  keepalived::Seen seen;
  seen.runs = process_->running();
  seen.addresses = addresses();
  return keepalived::role_of(*process_->instance(), seen);
}

pid_t Node::pid() const { return process::pid_in(paths().pid_file).value_or(0); }

void Node::kill_all() {
  const pid_t parent = pid(), child = process::pid_in(dir_ + "/run/vrrp.pid").value_or(0);
  ASSERT_TRUE(parent > 0 && child > 0);
  for (const int signal : {SIGSTOP, SIGKILL})
    for (const pid_t pid : {child, parent}) ::kill(pid, signal);
  const auto is_gone = [child] {  // to init, if not to nobody: a zombie has no words any more
    const auto words = base::read_file("/proc/" + std::to_string(child) + "/cmdline");
    return !words || words->empty();
  };
  EXPECT_TRUE(until([&] { return !process_->running() && is_gone(); }));
}

void Lab::SetUp() {
  if (::geteuid() != 0) FAIL() << "needs root (namespaces): run it with sudo";
  ASSERT_EQ(::unshare(CLONE_NEWNS | CLONE_NEWNET), 0);
  ASSERT_EQ(::mount("", "/", "none", MS_PRIVATE | MS_REC, nullptr), 0);
  ::mkdir("/run/netns", 0755);
  ASSERT_EQ(::mount("tmpfs", "/run/netns", "tmpfs", 0, nullptr), 0);
  sh("ip netns add a; ip netns add b;"
     "ip -n a link add eth1 type veth peer name eth1 netns b;"
     "for n in a b; do ip -n $n link set lo up; ip -n $n link set eth1 up; done;"
     "ip -n a addr add 203.0.113.21/24 dev eth1; ip -n b addr add 203.0.113.22/24 dev eth1");
  dir_ = test::temporary_folder("keepalived");
  ::chmod(dir_.c_str(), 0755);
  for (const char* node : {"a", "b"}) std::filesystem::create_directory(dir_ + "/" + node);
  a_ = std::make_unique<Node>("a", dir_ + "/a");
  b_ = std::make_unique<Node>("b", dir_ + "/b");
}

void Lab::TearDown() {
  a_.reset();
  b_.reset();
  if (!dir_.empty()) std::filesystem::remove_all(dir_);
}

keepalived::Instance Lab::instance(const Node& of, int priority) const {
  keepalived::Instance instance;
  instance.name = "pair";
  instance.interface = "eth1";
  instance.version = keepalived::Instance::Version::v3;
  instance.router_id = 77;
  instance.priority = priority;
  instance.advert = 100ms;
  instance.nopreempt = true;
  instance.source = ip(&of == a_.get() ? "203.0.113.21" : "203.0.113.22");
  instance.peers = {ip(&of == a_.get() ? "203.0.113.22" : "203.0.113.21")};
  keepalived::place_vips(instance, {ip(kVip), ip("2001:db8::10")});
  return instance;
}

void Lab::start(Node& node, int priority) {
  node.write(keepalived::render(instance(node, priority)));
  const auto started = node.start();
  ASSERT_TRUE(started.ok()) << started.error().message();
}

}  // namespace keepalived_test
