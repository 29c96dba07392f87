#include "agent/certificates/store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "agent/certificates/bundle.h"
#include "agent/certificates/file.h"
#include "base/file.h"
#include "base/log.h"

namespace certificates {
namespace {

using base::Error;
using base::Result;
using base::Unit;

constexpr const char* kRendered = ".haproxy";
constexpr size_t kMostRendered = 2 * kMostBytes;  // PEM of what came as DER

bool same(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

std::string named(const std::string& name, const std::string& why) {
  return "Certificate " + name + " cannot be used: " + why + ".";
}

// Of what could be certificates; sorted.
std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> out;
  std::error_code error;
  for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name_of(name) == name) out.push_back(name);
  }
  std::ranges::sort(out);
  return out;
}

// A folder that only its owner may look into.
Result<Unit> make_private(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return Error{error.value(), "make " + directory};
  struct stat made {};
  const bool is_private = ::stat(directory.c_str(), &made) == 0 && (made.st_mode & 07777) == 0700;
  // Not where nothing is to be done: it may be on a disk that can only be read.
  if (!is_private && ::chmod(directory.c_str(), 0700) != 0)
    return Error{errno, "chmod " + directory};
  return Unit{};
}

const char* wanted_words(Use use) {
  switch (use) {
    case Use::identity:
      return "a certificate with its private key is needed here";
    case Use::authorities:
      return "CA certificates are needed here";
    case Use::revocations:
      return "CRLs are needed here";
  }
  return "";
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(const std::string& directory) {
  for (const auto& folder : {directory, directory + "/" + kRendered})
    if (auto made = make_private(folder); !made) return made.error();
  return std::unique_ptr<Store>(new Store(directory));
}

Result<About> Store::inspect(const std::string& name, std::string_view bytes, Time now) {
  if (name_of(name) != name) return Error{0, "'" + name + "' is not a name for a certificate."};
  auto bundle = read_bundle(bytes);
  if (!bundle) return Error{0, named(name, bundle.error().what)};
  if (const auto why = check_validity(bundle->about, now)) return Error{0, named(name, *why)};
  bundle->about.name = name;
  return bundle->about;
}

std::string Store::rendered_path(const std::string& name) const {
  return directory_ + "/" + kRendered + "/" + name;
}

std::optional<File> Store::last_good(const std::string& name) const {
  const std::string path = rendered_path(name);
  auto bytes = read_small_file(path, kMostRendered);
  if (!bytes) return std::nullopt;
  const base::SecretText text(std::move(*bytes));
  auto bundle = read_bundle(text.text());
  if (!bundle) return std::nullopt;
  return File{path, bundle->sum};
}

// What was removed by hand, once nobody refers to it any more: no private key stays behind.
void Store::forget_unused(const std::set<std::string>& used) {
  for (const std::string& name : names_in(directory_ + "/" + kRendered))
    if (!used.contains(name) && look(name) == nullptr) ::unlink(rendered_path(name).c_str());
}

void Store::read_again(const std::string& name, Known& known) {
  auto bytes = read_small_file(directory_ + "/" + name, kMostBytes);
  const base::SecretText text(bytes ? std::move(*bytes) : std::string());
  auto bundle = bytes ? read_bundle(text.text()) : Result<Bundle>(bytes.error());
  if (bundle && (known.file.path.empty() || known.file.fingerprint != bundle->sum)) {
    const std::string folder = directory_ + "/" + kRendered;
    if (auto written = base::replace_file(folder, name, bundle->pem.text(), 0600); !written)
      bundle = written.error();
  }
  if (!bundle) {
    if (known.file.path.empty()) known.file = last_good(name).value_or(File{});
    known.fault = bundle.error().message();
    spdlog::warn("certificate {}: {}{}", name, known.fault,
                 known.file.path.empty() ? "" : "; the one before stays in use");
    return;
  }
  known.fault.clear();
  known.about = bundle->about;
  known.about.name = name;
  known.file = {rendered_path(name), bundle->sum};
}

const Store::Known* Store::look(const std::string& name) {
  struct stat seen {};
  if (::stat((directory_ + "/" + name).c_str(), &seen) != 0) {
    known_.erase(name);
    return nullptr;
  }
  const auto [at, is_new] = known_.try_emplace(name);
  Known& known = at->second;
  if (!is_new && same(known.seen, seen)) return &known;
  known.about.name = name;
  known.seen = seen;
  read_again(name, known);
  return &known;
}

std::vector<Entry> Store::list() {
  const std::lock_guard lock(mutex_);
  std::vector<Entry> out;
  for (const std::string& name : names_in(directory_))
    if (const Known* known = look(name)) out.push_back({known->about, known->fault});
  return out;
}

Result<Put> Store::put(const std::string& name, std::string_view bytes) {
  if (name_of(name) != name) return Error{0, "'" + name + "' is not a name for a certificate"};
  const bool there = ::access((directory_ + "/" + name).c_str(), F_OK) == 0;
  if (auto put = base::replace_file(directory_, name, bytes, 0600); !put) return put.error();
  const std::lock_guard lock(mutex_);
  const Known* known = look(name);
  if (known != nullptr && !known->fault.empty()) return Error{0, known->fault};
  return there ? Put::replaced : Put::created;
}

Result<Unit> Store::remove(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (::unlink((directory_ + "/" + name).c_str()) != 0)
    return Error{errno, "remove certificate " + name};
  ::unlink(rendered_path(name).c_str());
  known_.erase(name);
  return Unit{};
}

std::optional<std::string> Store::check(const std::string& reference, Use use, Time now) {
  const auto name = name_of(reference);
  if (!name)
    return named(reference,
                 "names have letters, digits, '.', '_' and '-' and do not begin with '.'");
  const std::lock_guard lock(mutex_);
  const Known* known = look(*name);
  if (known == nullptr) return named(reference, "there is no certificate of that name");
  if (!known->fault.empty()) return named(reference, known->fault);
  if (known->about.use != use) return named(reference, wanted_words(use));
  if (const auto why = check_validity(known->about, now)) return named(reference, *why);
  return std::nullopt;
}

bool Store::are_revocations_of(const std::string& revocations, const std::string& authorities) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> texts;
  for (const std::string& reference : {revocations, authorities}) {
    const auto name = name_of(reference);
    const Known* known = name ? look(*name) : nullptr;
    if (known == nullptr) return true;
    auto bytes = read_small_file(known->file.path, kMostRendered);
    if (!bytes) return true;
    texts.push_back(std::move(*bytes));
  }
  return certificates::are_revocations_of(texts[0], texts[1]);
}

std::map<std::string, File> Store::look_for(const std::set<std::string>& references) {
  std::map<std::string, File> out;
  for (const std::string& reference : references) {
    const auto name = name_of(reference);
    if (!name) continue;
    const Known* known = look(*name);
    const auto file = known == nullptr ? last_good(*name) : known->file;
    if (file && !file->path.empty()) out[reference] = *file;
  }
  return out;
}

std::map<std::string, File> Store::files(const std::set<std::string>& references) {
  const std::lock_guard lock(mutex_);
  auto out = look_for(references);
  std::set<std::string> used;
  for (const std::string& reference : references)
    if (const auto name = name_of(reference)) used.insert(*name);
  forget_unused(used);
  return out;
}

std::map<std::string, File> Store::some_files(const std::set<std::string>& references) {
  const std::lock_guard lock(mutex_);
  return look_for(references);
}

}  // namespace certificates
