#include "haproxy/check.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <sstream>

#include "haproxy/files.h"
#include "haproxy/uploaded.h"
#include "process/child.h"

namespace haproxy {

namespace {

using base::Error;
using base::Status;
using base::Unit;

constexpr std::chrono::seconds kCheckTime{15};  // the most that thousands of servers may take

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

}  // namespace

// As in "[ALERT]    (4711) : config : ...".
std::string alerts(const std::string& log) {
  std::istringstream lines(log);
  std::string words;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("[ALERT]")) continue;
    const size_t head = line.find(" : ");
    words +=
        (words.empty() ? "" : "; ") + (head == std::string::npos ? line : line.substr(head + 3));
  }
  return words.empty() ? "it did not say why" : words;
}

Status check(const std::string& binary, const std::string& folder,
             const std::vector<std::string>& files) {
  static std::atomic<uint64_t> count{0};
  const std::string base =
      folder + "/check-" + std::to_string(::getpid()) + "-" + std::to_string(count++);
  std::vector<std::string> words{binary, "-c"}, paths;
  Status written = Unit{};
  for (const std::string& file : files) {
    paths.push_back(base + "-" + std::to_string(paths.size()) + ".cfg");
    words.insert(words.end(), {"-f", paths.back()});
    if (written) written = write_file(paths.back(), file);
  }
  auto ended = written ? process::run({words, base + ".log"}, kCheckTime)
                       : base::Result<process::Ended>(written.error());
  for (const std::string& path : paths) ::unlink(path.c_str());
  if (!ended && ended.error().code == ENOENT)
    return Error{0, "there is no HAProxy at " + binary + ": install the package haproxy"};
  if (!ended) return ended.error();
  if (ended->status == 0) return Unit{};
  std::string said = alerts(ended->said);
  replace_all(said, paths.back(), "haproxy.cfg");
  return Error{0, "haproxy refuses its configuration: " + said};
}

Status check_upload(const Paths& paths, const Uploaded& uploaded) {
  if (auto good = examine_upload(uploaded, paths.uploads_dir); !good) return good;
  const std::string own = own_section(uploaded, look_around(paths));
  return check(paths.binary, paths.run_dir, {own, uploaded.text});
}

}  // namespace haproxy
