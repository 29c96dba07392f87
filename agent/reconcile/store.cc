#include "agent/reconcile/store.h"

#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "agent/model/show/json.h"
#include "base/file.h"
#include "base/log.h"

namespace reconcile {

namespace {

// The first line says what the SHA-256 of all that follows it is:
//   {"sha256": "<64 hex digits>",
constexpr std::string_view kBefore = "{\"sha256\": \"", kAfter = "\",\n";
constexpr size_t kDigits = 64;
constexpr size_t kFirstLine = kBefore.size() + kDigits + kAfter.size();

std::string sha256_of(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (unsigned i = 0; i < size; i++) out += {kHex[digest[i] >> 4], kHex[digest[i] & 15]};
  return out;
}

// `text` is an object that begins with "{" and has keys.
std::string with_checksum(std::string_view text) {
  text.remove_prefix(1);
  std::string out;
  out.reserve(kFirstLine + text.size());
  out.append(kBefore).append(sha256_of(text)).append(kAfter).append(text);
  return out;
}

// The object again; as it is if it has no checksum, as those of older agents. What the first line
// has become by damage is no key that a state has.
base::Result<std::string> checked(std::string text, const std::string& path) {
  if (!text.starts_with(kBefore)) return text;
  const std::string_view whole = text;
  if (whole.size() < kFirstLine ||
      whole.substr(kFirstLine - kAfter.size(), kAfter.size()) != kAfter ||
      whole.substr(kBefore.size(), kDigits) != sha256_of(whole.substr(kFirstLine)))
    return base::Error{0, path + ": damaged: its checksum is of something else"};
  return "{" + text.substr(kFirstLine);
}

base::Result<model::Model> read_model(const std::string& path) {
  auto raw = base::read_file(path);
  if (!raw) return raw.error();
  auto text = checked(std::move(*raw), path);
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
  // Out of the way, or the next save would keep the damaged file as the previous one. Where nothing
  // can be renamed, nothing can be saved, either.
  std::string aside = path + ".damaged";
  if (have && ::rename(path.c_str(), aside.c_str()) != 0)
    spdlog::error("rename {}: {}", path, std::strerror(errno));
  spdlog::error("{}; going on with {}", now.error().message(), previous);
  return before;
}

base::Status Store::save(const model::Model& model) {
  std::string path = directory_ + "/state.json", next = path + ".next";
  if (auto written = base::write_file(next, with_checksum(text_.of(model)), 0600); !written)
    return written;
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
