#include "agent/serve/real_checker.h"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <utility>

#include "base/file.h"
#include "process/child.h"

namespace serve {
namespace {

using base::Error;
using base::Status;
using base::Unit;

// The controller waits 60 s for an answer.
constexpr std::chrono::seconds kLimit{30};

Status check_now(const std::string& binary, const std::string& folder, const std::string& text,
                 const std::string& peer_name) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const std::string file = folder + "/haproxy.cfg.check", said = folder + "/haproxy.check.log";
  if (auto written = base::write_file(file, text, 0600); !written) return written;
  process::Command command{{binary, "-c", "-f", file}, said};
  if (!peer_name.empty()) {
    command.words.emplace_back("-L");
    command.words.push_back(peer_name);
  }
  const auto ended = process::run(std::move(command), kLimit);
  ::unlink(file.c_str());
  if (!ended) return ended.error();
  if (ended->status == 0) return Unit{};
  return Error{0, ended->said};
}

}  // namespace

octavia::Awaited<Status> RealChecker::check(std::string text, std::string peer_name) {
  auto check = [this, text = std::move(text), peer_name = std::move(peer_name)] {
    return check_now(binary_, folder_, text, peer_name);
  };
  co_return co_await worker_.run(std::move(check));
}

}  // namespace serve
