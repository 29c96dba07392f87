#include "tests/net/haproxy/lab.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <thread>

#include "tests/support/temporary_folder.h"

namespace haproxy_test {

base::Uuid id(int number) {
  base::Uuid id;
  id.bytes[0] = 0x42;
  id.bytes[15] = static_cast<uint8_t>(number);
  return id;
}

base::IpAddress ip(const std::string& text) { return *base::IpAddress::parse(text); }

namespace {

std::string run(const std::string& command, int& status) {
  std::string out;
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  char buffer[4096];
  while (size_t n = std::fread(buffer, 1, sizeof(buffer), pipe)) out.append(buffer, n);
  status = ::pclose(pipe);
  return out;
}

}  // namespace

std::string sh(const std::string& command) {
  int status = 0;
  std::string out = run(command, status);
  EXPECT_EQ(status, 0) << command << "\n" << out;
  return out;
}

std::string try_sh(const std::string& command) {
  int status = 0;
  return run(command, status);
}

Child::Child(const std::vector<std::string>& words) {
  int in[2], out[2];
  EXPECT_EQ(::pipe2(in, O_CLOEXEC), 0);
  EXPECT_EQ(::pipe2(out, O_CLOEXEC), 0);
  std::vector<std::string> copies = words;
  std::vector<char*> arguments;
  for (std::string& word : copies) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, in[0], 0);
  posix_spawn_file_actions_adddup2(&files, out[1], 1);
  EXPECT_EQ(posix_spawnp(&pid_, arguments[0], &files, nullptr, arguments.data(), environ), 0);
  posix_spawn_file_actions_destroy(&files);
  ::close(in[0]);
  ::close(out[1]);
  in_.reset(in[1]);
  out_.reset(out[0]);
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)), in_(std::move(other.in_)), out_(std::move(other.out_)) {}

Child::~Child() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

std::string Child::read_line() {
  std::string line;
  for (char c; ::read(out_.get(), &c, 1) == 1 && c != '\n';) line += c;
  return line;
}

std::string Child::finish() {
  in_.reset();
  std::string all;
  for (char buffer[4096];;) {
    const ssize_t got = ::read(out_.get(), buffer, sizeof(buffer));
    if (got <= 0) return all;
    all.append(buffer, static_cast<size_t>(got));
  }
}

void Lab::SetUp() {
  if (::geteuid() != 0) FAIL() << "needs root (namespaces): run it with sudo";
  ASSERT_EQ(::unshare(CLONE_NEWNET), 0);
  sh("ip link set lo up; ip addr add 198.51.100.10/32 dev lo;"
     "ip addr add 2001:db8:100::10/128 dev lo nodad;"
     "for i in 11 12 13; do ip addr add 203.0.113.$i/32 dev lo; done");
  dir_ = test::temporary_folder("haproxy");
  ::chmod(dir_.c_str(), 0755);
  std::filesystem::create_directory(path("uploads"));
  reopen();
}

void Lab::TearDown() {
  if (process_) process_->teardown();
  process_.reset();
  members_.clear();
  if (!dir_.empty()) std::filesystem::remove_all(dir_);
}

void Lab::reopen() {
  process_.reset();
  auto opened = haproxy::Process::open(paths());
  ASSERT_TRUE(opened.ok()) << opened.error().message();
  process_.emplace(std::move(*opened));
}

void Lab::member(int number, const std::vector<std::string>& more) {
  const std::string address = "203.0.113." + std::to_string(10 + number);
  std::vector<std::string> words{"python3",  TEST_DIR "/member.py",
                                 "--listen", address + ":8080",
                                 "--name",   "m" + std::to_string(number)};
  words.insert(words.end(), more.begin(), more.end());
  members_.emplace_back(words);
  EXPECT_TRUE(until([&] {
    int status = 0;
    run("bash -c '</dev/tcp/" + address + "/8080'", status);
    return status == 0;
  }));
}

haproxy::Server Lab::server(int number) {
  haproxy::Server server;
  server.member = id(100 + number);
  server.place = {ip("203.0.113." + std::to_string(10 + number)), 8080};
  return server;
}

haproxy::Spec Lab::http(int count) {
  haproxy::Spec spec;
  haproxy::Frontend frontend;
  frontend.listener = id(1);
  frontend.binds = {{ip(kVip), 80}};
  const haproxy::BackendId pool{id(2), id(1)};
  frontend.default_backend = pool;
  haproxy::Backend backend;
  backend.id = pool;
  for (int i = 1; i <= count; i++) backend.servers.push_back(server(i));
  spec.frontends[id(1)] = frontend;
  spec.backends[pool] = backend;
  return spec;
}

void Lab::apply(const haproxy::Spec& spec) {
  const auto applied = process_->apply(spec);
  ASSERT_TRUE(applied.ok()) << applied.error().message();
}

nlohmann::json Lab::get(const std::string& path, const std::string& options) {
  const std::string out = sh("curl -sgf -m 5 " + options + " '" + url_ + path + "'");
  return nlohmann::json::parse(out, nullptr, false);
}

std::string Lab::status(const std::string& path, const std::string& options) {
  return try_sh("curl -sg -m 5 -o /dev/null -w '%{http_code}' " + options + " '" + url_ + path +
                "'");
}

std::set<std::string> Lab::answering(int requests) {
  std::set<std::string> members;
  for (int i = 0; i < requests; i++) members.insert(get().value("member", "?"));
  return members;
}

bool Lab::until(const std::function<bool()>& done, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(20ms);
  }
  return true;
}

pid_t Lab::worker_pid() {
  const auto answer = haproxy::ask_once(path("run/master.sock"), "show proc");
  return answer ? haproxy::parse_processes(*answer)->worker.value_or(0) : 0;
}

pid_t Lab::master_pid() {
  const auto answer = haproxy::ask_once(path("run/master.sock"), "show proc");
  return answer ? haproxy::parse_processes(*answer)->master : 0;
}

}  // namespace haproxy_test
