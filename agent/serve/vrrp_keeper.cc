#include "agent/serve/vrrp_keeper.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <utility>

#include "base/log.h"

namespace serve {

namespace asio = boost::asio;
using base::Status;
using octavia::Awaited;

namespace {

// Its end is told at once; this is for what could not be done the last time.
constexpr auto kReviveEvery = std::chrono::milliseconds(200);
constexpr auto kResumeEvery = std::chrono::seconds(1);
constexpr auto kVouchEvery = keepalived::Vouch::kHolds / 4;

}  // namespace

VrrpKeeper::VrrpKeeper(asio::any_io_executor loop, keepalived::Process keepalived,
                       std::string vrrp_folder, std::string vouch_file, Fitness fitness)
    : keepalived_(std::move(keepalived)),
      folder_(std::move(vrrp_folder)),
      vouch_file_(std::move(vouch_file)),
      fitness_(std::move(fitness)),
      vouch_(vouch_file_),
      wake_(loop),
      wake_vouch_(loop),
      wake_resume_(loop),
      end_(loop),
      running_(keepalived_.running()),
      instance_(keepalived_.instance()) {}

void VrrpKeeper::finish() {
  finished_ = true;
  wake_.set();
  wake_vouch_.set();
  wake_resume_.set();
}

asio::awaitable<void> VrrpKeeper::resume() {
  std::string trouble;
  while (!finished_ && !was_asked_ && !running_) {
    const Status started = co_await launch();
    if (started) break;
    const std::string now = started.error().message();
    if (now != trouble) spdlog::error("keepalived is not resumed yet: {}", now);
    trouble = now;
    co_await wake_resume_.wait_for(kResumeEvery);
  }
}

asio::awaitable<void> VrrpKeeper::revive() {
  while (!finished_) {
    auto revive = [](keepalived::Process& keepalived) -> Status {
      const auto revived = keepalived.revive();
      if (!revived) return revived.error();
      if (*revived) spdlog::error("keepalived had died: it was started again");
      return base::Unit{};
    };
    const Status done = co_await call(revive);
    if (!done) spdlog::error("{}", done.error().message());
    co_await wake_.wait_for(kReviveEvery);
  }
}

// The file is in memory: writing it here takes microseconds, and a loop that hangs writes nothing.
asio::awaitable<void> VrrpKeeper::vouch() {
  while (!finished_) {
    const auto fitness = fitness_();
    if (!fitness) {
      co_await wake_vouch_.wait_for(kVouchEvery);
      continue;
    }
    const std::vector<std::string> reasons = keepalived::reasons_against(*fitness);
    const Status done = reasons.empty() ? vouch_.renew() : vouch_.withdraw();
    if (!done) spdlog::error("{}", done.error().message());
    if (reasons != reasons_)
      for (const std::string& reason : reasons) spdlog::warn("not fit for the VIPs: {}", reason);
    reasons_ = reasons;
    co_await wake_vouch_.wait_for(kVouchEvery);
  }
}

Awaited<Status> VrrpKeeper::call(std::function<Status(keepalived::Process&)> what) {
  auto work = [this, what = std::move(what)]() -> State {
    State state;
    state.done = what(keepalived_);
    state.running = keepalived_.running();
    state.instance = keepalived_.instance();
    state.counts = keepalived_.counts();
    state.pid = keepalived_.pid();
    return state;
  };
  State state = co_await worker_.run(std::move(work));
  running_ = state.running;
  const bool is_other = instance_ != state.instance;
  instance_ = std::move(state.instance);
  counts_ = state.counts;
  watch(state.pid);
  if (is_other && told_) told_();
  co_return std::move(state.done);
}

// The peer begins to count when keepalived ends: the VIPs have to be gone before it is done.
void VrrpKeeper::watch(pid_t pid) {
  if (pid == watched_) return;
  watched_ = pid;
  boost::system::error_code ignored;
  end_.close(ignored);
  if (pid == 0) return;
  const auto fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) return;  // it has ended already, and the next turn finds that
  end_.assign(fd);
  end_.async_wait(asio::posix::stream_descriptor::wait_read,
                  [this](const boost::system::error_code& error) {
                    if (!error) wake_.set();
                  });
}

Awaited<Status> VrrpKeeper::examine(std::string text) {
  const auto document =
      keepalived::Document::parse(std::move(text), keepalived::check_script_path(folder_));
  if (!document) co_return document.error();
  co_return base::Unit{};
}

Awaited<Status> VrrpKeeper::uploaded() {
  auto write = [folder = folder_, file = vouch_file_](keepalived::Process&) {
    return keepalived::write_check_scripts(folder, file);
  };
  co_return co_await call(write);
}

Awaited<Status> VrrpKeeper::start() {
  was_asked_ = true;
  co_return co_await launch();
}

Awaited<Status> VrrpKeeper::launch() {
  auto start = [folder = folder_, file = vouch_file_](keepalived::Process& keepalived) -> Status {
    if (auto done = keepalived::write_check_scripts(folder, file); !done) return done;
    return keepalived.start();
  };
  co_return co_await call(start);
}

Awaited<Status> VrrpKeeper::load(std::string text) {
  was_asked_ = true;
  auto load = [folder = folder_, file = vouch_file_,
               text = std::move(text)](keepalived::Process& keepalived) -> Status {
    if (auto done = keepalived::write_check_scripts(folder, file); !done) return done;
    return keepalived.load(text);
  };
  co_return co_await call(load);
}

Awaited<Status> VrrpKeeper::stop() {
  was_asked_ = true;
  auto stop = [](keepalived::Process& keepalived) { return keepalived.stop(); };
  co_return co_await call(stop);
}

Awaited<Status> VrrpKeeper::reload() { return start(); }

Awaited<Status> VrrpKeeper::refresh_checks(octavia::Uploads) { return uploaded(); }

}  // namespace serve
