#include "agent/octavia/files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <vector>

#include "agent/octavia/answers.h"
#include "agent/octavia/words.h"
#include "base/file.h"

namespace octavia {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::Result;
using base::Unit;

constexpr std::string_view kLvsPrefix = "octavia-keepalivedlvs-", kLvsSuffix = ".conf";
constexpr mode_t kSecret = 0600, kPublic = 0644;

mode_t mode_of(Document::Kind kind) {
  return kind == Document::Kind::lvs || kind == Document::Kind::vrrp ? kPublic : kSecret;
}

// The mode that a file has already, if it is there.
mode_t mode_at(const std::string& path, mode_t otherwise) {
  struct stat there {};
  return ::stat(path.c_str(), &there) == 0 ? there.st_mode & 07777 : otherwise;
}

base::Status make_folder(const std::string& path, Document::Kind kind) {
  std::error_code error;
  const bool made = fs::create_directories(path, error);
  if (error) return Error{error.value(), "make " + path};
  if (made && kind == Document::Kind::certificate) ::chmod(path.c_str(), 0700);
  return Unit{};
}

// Names in a folder, sorted; none where there is no folder.
Result<std::vector<std::string>> names_in(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (auto entry = fs::directory_iterator(folder, error);
       !error && entry != fs::directory_iterator(); entry.increment(error))
    names.push_back(entry->path().filename().string());
  if (error && error.value() != ENOENT && error.value() != ENOTDIR)
    return Error{error.value(), "list " + folder};
  std::ranges::sort(names);
  return names;
}

// nullopt: there is none.
Result<std::optional<std::string>> content(const std::string& path) {
  auto read = base::read_file(path);
  if (read) return std::optional(std::move(*read));
  if (read.error().code == ENOENT || read.error().code == ENOTDIR)
    return std::optional<std::string>();
  return read.error();
}

// The id in "octavia-keepalivedlvs-<id>.conf".
std::optional<Uuid> listener_of(std::string_view name) {
  if (!name.starts_with(kLvsPrefix) || !name.ends_with(kLvsSuffix)) return std::nullopt;
  if (name.size() < kLvsPrefix.size() + kLvsSuffix.size()) return std::nullopt;
  name.remove_prefix(kLvsPrefix.size());
  name.remove_suffix(kLvsSuffix.size());
  return id_of(name);
}

// Another text for other certificates.
Result<std::string> fingerprint(const std::string& folder) {
  const auto names = names_in(folder);
  if (!names) return names.error();
  std::string all;
  for (const std::string& name : *names) {
    if (!is_certificate_name(name)) continue;
    auto bytes = content(folder + "/" + name);
    if (!bytes) return bytes.error();
    if (*bytes) all += name + " " + md5_hex(**bytes) + "\n";
  }
  return all.empty() ? std::string() : md5_hex(all);
}

base::Status read_load_balancer(const Files& files, const std::string& certificates, const Uuid& id,
                                Uploads& into) {
  auto text = files.read({Document::Kind::haproxy, id});
  if (!text) return text.error();
  if (!*text) return Unit{};
  into.haproxy[id] = std::move(**text);
  auto found = fingerprint(certificates);
  if (!found) return found.error();
  if (!found->empty()) into.certificates[id] = std::move(*found);
  return Unit{};
}

}  // namespace

std::string Files::path_of(const Document& document) const {
  switch (document.kind) {
    case Document::Kind::haproxy:
      return folders_.base_path + "/" + document.id.text() + "/haproxy.cfg";
    case Document::Kind::lvs:
      return folders_.base_path + "/lvs/" + std::string(kLvsPrefix) + document.id.text() +
             std::string(kLvsSuffix);
    case Document::Kind::vrrp:
      return folders_.base_path + "/vrrp/octavia-keepalived.conf";
    case Document::Kind::certificate:
      return folders_.base_cert_dir + "/" + document.id.text() + "/" + document.name;
    case Document::Kind::server_certificate:
      return folders_.server_certificate;
    case Document::Kind::config:
      return folders_.config;
  }
  return "";
}

Result<std::optional<std::string>> Files::read(const Document& document) const {
  return content(path_of(document));
}

base::Status Files::write(const Document& document, const std::string& bytes) const {
  const std::string path = path_of(document);
  const size_t slash = path.rfind('/');
  const std::string folder = path.substr(0, slash);
  if (auto made = make_folder(folder, document.kind); !made) return made;
  mode_t mode = mode_of(document.kind);
  if (document.kind == Document::Kind::config) mode = mode_at(path, mode);
  return base::replace_file(folder, path.substr(slash + 1), bytes, mode);
}

base::Status Files::remove(const Document& document) const {
  const std::string path = path_of(document);
  if (::unlink(path.c_str()) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return Unit{};
    return Error{errno, "remove " + path};
  }
  return base::flush_directory(path.substr(0, path.rfind('/')));
}

base::Status Files::forget(const Uuid& load_balancer) const {
  for (const std::string& top : {folders_.base_cert_dir, folders_.base_path}) {
    const std::string folder = top + "/" + load_balancer.text();
    std::error_code error;
    fs::remove_all(folder, error);
    if (error) return Error{error.value(), "remove " + folder};
  }
  return Unit{};
}

Result<Uploads> Files::uploads() const {
  Uploads out;
  const auto load_balancers = names_in(folders_.base_path);
  if (!load_balancers) return load_balancers.error();
  for (const std::string& name : *load_balancers) {
    const auto id = id_of(name);
    if (!id) continue;
    auto read = read_load_balancer(*this, folders_.base_cert_dir + "/" + id->text(), *id, out);
    if (!read) return read.error();
  }
  const auto listeners = names_in(folders_.base_path + "/lvs");
  if (!listeners) return listeners.error();
  for (const std::string& name : *listeners) {
    const auto id = listener_of(name);
    if (!id) continue;
    auto text = read({Document::Kind::lvs, *id});
    if (!text) return text.error();
    if (*text) out.lvs[*id] = std::move(**text);
  }
  auto vrrp = read({Document::Kind::vrrp});
  if (!vrrp) return vrrp.error();
  if (*vrrp) out.vrrp = std::move(**vrrp);
  return out;
}

}  // namespace octavia
