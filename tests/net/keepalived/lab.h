// Two nodes, each a namespace with a real keepalived, and a folder for everything.
//
//   a: eth1 203.0.113.21 ──── veth ──── 203.0.113.22 eth1 :b          VIP 203.0.113.10
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/fd.h"
#include "keepalived/check_scripts.h"
#include "keepalived/process.h"
#include "tests/support/shell.h"

namespace keepalived_test {

using namespace std::chrono_literals;

base::IpAddress ip(const std::string& text);
using test::sh;

// Asks again and again; false: the time is over.
bool until(const std::function<bool()>& done, std::chrono::milliseconds limit = 60s);

class Node {
 public:
  // In the namespace `name`, with its files in `dir`, which is there.
  Node(const std::string& name, const std::string& dir);
  ~Node();
  Node(const Node&) = delete;

  void write(const std::string& text) const;
  void reopen();  // as a restarted agent would
  base::Status start();
  base::Status stop();
  base::Result<bool> revive();
  keepalived::Process& process() { return *process_; }

  std::vector<base::IpAddress> addresses() const;  // of eth1
  bool has(const std::string& address) const;
  keepalived::Role role() const;
  // keepalived and its child at once, so that neither ends in good order.
  void kill_all();
  pid_t pid() const;
  std::string script() const { return keepalived::check_script_path(vrrp()); }
  std::string vrrp() const { return dir_ + "/vrrp"; }
  std::string binary() const { return dir_ + "/keepalived"; }  // a link, which may be taken away
  const keepalived::Vouch& vouch() const { return vouch_; }

  keepalived::Paths paths() const;
  std::string vouch_file() const { return dir_ + "/vouch"; }
  keepalived::Process::DropAddresses drop() const;
  void enter() const;  // the calling thread, for good

 private:
  std::string name_, dir_;
  base::Fd space_;
  keepalived::Vouch vouch_;
  std::optional<keepalived::Process> process_;
};

class Lab : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // Of a standalone pair.
  keepalived::Instance instance(const Node& of, int priority) const;
  void start(Node& node, int priority);

  std::unique_ptr<Node> a_, b_;

 private:
  std::string dir_;
};

inline constexpr const char* kVip = "203.0.113.10";

}  // namespace keepalived_test
