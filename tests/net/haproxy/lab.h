// A namespace of its own with a VIP and members on the loopback link, and a folder for everything.
//
//   curl, load.py ── 198.51.100.10, 2001:db8:100::10 ── HAProxy ── 203.0.113.11 .. 13, member.py
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "haproxy/process.h"

namespace haproxy_test {

using namespace std::chrono_literals;

inline constexpr const char* kVip = "198.51.100.10";

base::Uuid id(int number);
base::IpAddress ip(const std::string& text);
std::string sh(const std::string& command);  // must succeed; both outputs
std::string try_sh(const std::string& command);

// A child that is killed with its object.
class Child {
 public:
  explicit Child(const std::vector<std::string>& words);
  Child(Child&&) noexcept;
  Child(const Child&) = delete;
  ~Child();
  std::string read_line();
  std::string finish();  // closes its input and reads to the end of its output
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
  base::Fd in_, out_;
};

class Lab : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  haproxy::Process& process() { return *process_; }
  haproxy::Paths paths() const {
    return {path("run"), path("state"), "/usr/sbin/haproxy", path("uploads")};
  }
  void reopen();  // as a restarted agent would
  std::string path(const std::string& name) const { return dir_ + "/" + name; }

  // 203.0.113.10 + number, port 8080; name "m<number>".
  void member(int number, const std::vector<std::string>& more = {});
  static haproxy::Server server(int number);
  // Listener 1 at the VIP's port 80, mode HTTP, with backend (pool 2) of members 1 .. count.
  static haproxy::Spec http(int count);
  static haproxy::Frontend& frontend(haproxy::Spec& spec) { return spec.frontends.begin()->second; }
  static haproxy::Backend& backend(haproxy::Spec& spec) { return spec.backends.begin()->second; }
  void apply(const haproxy::Spec& spec);

  // What the member saw; fails unless the status is 200.
  nlohmann::json get(const std::string& path = "/", const std::string& options = "");
  std::string status(const std::string& path, const std::string& options = "");  // "503"
  std::set<std::string> answering(int requests = 12);                            // members
  bool until(const std::function<bool()>& done, std::chrono::milliseconds limit = 30s);
  pid_t worker_pid();
  pid_t master_pid();

  std::string url_ = std::string("http://") + kVip;

 private:
  std::string dir_;
  std::vector<Child> members_;
  std::optional<haproxy::Process> process_;
};

}  // namespace haproxy_test
