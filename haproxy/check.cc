#include "haproxy/check.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <sstream>
#include <system_error>

#include "haproxy/files.h"
#include "haproxy/pems.h"
#include "haproxy/render.h"
#include "haproxy/uploaded.h"
#include "process/child.h"

namespace haproxy {

namespace {

using base::Error;
using base::Result;
using base::Status;
using base::Unit;

constexpr std::chrono::seconds kCheckTime{15};  // the most that thousands of servers may take

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

// For a name that nobody has at the same time.
std::string own_name(const std::string& folder) {
  static std::atomic<uint64_t> count{0};
  return folder + "/" + kCheckPrefix + std::to_string(::getpid()) + "-" + std::to_string(count++);
}

// What it says against the files that `base` is the beginning of the names of; empty: nothing.
Result<std::string> ask(const std::string& binary, const std::string& base,
                        const std::vector<std::string>& files, std::chrono::milliseconds limit) {
  std::vector<std::string> words{binary, "-c"}, paths;
  Status written = Unit{};
  for (const std::string& file : files) {
    paths.push_back(base + "-" + std::to_string(paths.size()) + ".cfg");
    words.insert(words.end(), {"-f", paths.back()});
    if (written) written = write_file(paths.back(), file);
  }
  auto ended = written ? process::run(words, limit) : Result<process::Ended>(written.error());
  for (const std::string& path : paths) ::unlink(path.c_str());
  if (!ended && ended.error().code == ENOENT)
    return Error{0, "there is no HAProxy at " + binary + ": install the package haproxy"};
  if (!ended) return ended.error();
  if (ended->status == 0) return std::string();
  std::string said = alerts(ended->said);
  replace_all(said, paths.back(), "haproxy.cfg");
  return said;
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
  const auto said = ask(binary, own_name(folder), files, kCheckTime);
  if (!said) return said.error();
  if (said->empty()) return Unit{};
  return Error{0, "haproxy refuses its configuration: " + *said};
}

Result<std::string> objection(const Paths& root, const Spec& spec,
                              std::chrono::milliseconds limit) {
  const std::string folder = own_name(root.state_dir);
  auto own = with_own_pems(spec, folder);
  auto said = own ? ask(root.binary, folder + "/text", {render(*own, look_around(root))}, limit)
                  : Result<std::string>(own.error());
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  if (said) replace_all(*said, folder + "/", "");
  return said;
}

Status check_upload(const Paths& paths, const Uploaded& uploaded) {
  if (auto good = examine_upload(uploaded, paths.uploads_dir); !good) return good;
  const std::string own = own_section(uploaded, look_around(paths));
  return check(paths.binary, paths.run_dir, {own, uploaded.text});
}

}  // namespace haproxy
