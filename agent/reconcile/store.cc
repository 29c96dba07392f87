#include "agent/reconcile/store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "agent/model/show/json.h"
#include "base/file.h"
#include "base/log.h"

namespace reconcile {

namespace {

base::Result<model::Model> read_model(const std::string& path) {
  auto text = base::read_file(path);
  if (!text) return text.error();
  auto document = nlohmann::json::parse(*text, nullptr, false);
  if (document.is_discarded()) return base::Error{0, path + ": not JSON"};
  auto model = model::load(document);
  if (!model) return base::Error{model.error().code, path + ": " + model.error().what};
  return model;
}

}  // namespace

base::Result<Store> Store::open(const std::string& directory) {
  std::error_code err;
  std::filesystem::create_directories(directory, err);
  if (err) return base::Error{err.value(), "make " + directory};
  ::chmod(directory.c_str(), 0700);
  return Store(directory);
}

base::Result<model::Model> Store::load() const {
  std::string path = directory_ + "/state.json", previous = path + ".previous";
  bool have = std::filesystem::exists(path), had = std::filesystem::exists(previous);
  if (!have && !had) return model::Model{};
  auto now = have ? read_model(path) : base::Result<model::Model>(base::Error{ENOENT, path});
  if (now.ok() || !had) return now;
  auto before = read_model(previous);
  if (!before) return now.error();
  // Out of the way, or the next save would keep the damaged file as the previous one.
  std::string aside = path + ".damaged";
  if (have && ::rename(path.c_str(), aside.c_str()) != 0)
    return base::Error{errno, "rename " + path};
  spdlog::error("{}; going on with {}", now.error().message(), previous);
  return before;
}

base::Status Store::save(const model::Model& model) {
  std::string path = directory_ + "/state.json", next = path + ".next";
  if (auto written = base::write_file(next, text_.of(model), 0600); !written) return written;
  // By links and renames, so that there is never a moment without a whole state.json or .previous.
  std::string previous = path + ".previous", kept = previous + ".next";
  ::unlink(kept.c_str());
  if (::link(path.c_str(), kept.c_str()) == 0) {
    if (::rename(kept.c_str(), previous.c_str()) != 0) return base::Error{errno, "rename " + kept};
  } else if (errno != ENOENT) {
    return base::Error{errno, "link " + kept};
  }
  if (::rename(next.c_str(), path.c_str()) != 0) return base::Error{errno, "rename " + next};
  return base::flush_directory(directory_);
}

}  // namespace reconcile
