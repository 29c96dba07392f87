#include "haproxy/pems.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <set>
#include <system_error>

#include "base/digest.h"
#include "base/file.h"
#include "haproxy/files.h"

namespace haproxy {

namespace {

using base::Error;
using base::Result;
using base::Status;
using base::Unit;

void each_pem(Spec& spec, const std::function<void(PemFile&)>& see) {
  const auto maybe = [&see](std::optional<PemFile>& file) {
    if (file) see(*file);
  };
  for (auto& [listener, frontend] : spec.frontends) {
    if (!frontend.tls) continue;
    for (PemFile& file : frontend.tls->certificates) see(file);
    maybe(frontend.tls->list);
    maybe(frontend.tls->client_ca);
    maybe(frontend.tls->client_crl);
  }
  for (auto& [id, backend] : spec.backends) {
    if (!backend.tls) continue;
    maybe(backend.tls->certificate);
    maybe(backend.tls->ca);
    maybe(backend.tls->crl);
  }
}

// What replaces a file replaces its name: the link stays what it was.
Status link_or_copy(const std::string& from, const std::string& to) {
  ::unlink(to.c_str());
  if (::link(from.c_str(), to.c_str()) == 0) return Unit{};
  if (errno != EXDEV && errno != EPERM) return Error{errno, "link " + from};
  const auto bytes = base::read_file(from);
  return bytes ? base::write_file(to, *bytes, 0600) : Status(bytes.error());
}

bool holds(const std::string& path, const std::string& fingerprint) {
  const auto bytes = base::read_file(path);
  return bytes && base::sha256(*bytes) == fingerprint;
}

Status take(const PemFile& file, const std::string& own) {
  if (::access(own.c_str(), F_OK) == 0) return Unit{};
  const std::string next = own + ".next";
  if (auto linked = link_or_copy(file.path, next); !linked) return linked;
  if (!holds(next, file.fingerprint)) {
    ::unlink(next.c_str());
    return Error{0, file.path + " is another certificate by now"};
  }
  if (::rename(next.c_str(), own.c_str()) != 0) return Error{errno, "rename " + next};
  return Unit{};
}

// Of all but the default one.
Status write_list(FrontendTls& tls, const std::string& folder) {
  if (tls.certificates.size() < 2) return Unit{};
  std::string text;
  for (size_t i = 1; i < tls.certificates.size(); i++) text += tls.certificates[i].path + "\n";
  const std::string fingerprint = base::sha256(text);
  tls.list = PemFile{folder + "/" + fingerprint + ".list", fingerprint};
  if (::access(tls.list->path.c_str(), F_OK) == 0) return Unit{};
  return write_file(tls.list->path, text);
}

bool is_name(const std::string& fingerprint) {
  return !fingerprint.empty() &&
         fingerprint.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

Result<Spec> with_own_pems(Spec spec, const std::string& folder) {
  if (auto made = make_private_folder(folder); !made) return made.error();
  Status taken = Unit{};
  each_pem(spec, [&](PemFile& file) {
    if (!taken) return;
    if (!is_name(file.fingerprint)) {
      taken = Error{0, "certificate " + file.path + " has no fingerprint"};
      return;
    }
    const std::string own = folder + "/" + file.fingerprint + ".pem";
    taken = take(file, own);
    file.path = own;
  });
  for (auto& [listener, frontend] : spec.frontends)
    if (taken && frontend.tls) taken = write_list(*frontend.tls, folder);
  if (!taken) return taken.error();
  return spec;
}

void keep_only_pems_of(const Spec& spec, const std::string& folder) {
  std::set<std::string> used;
  Spec seen = spec;
  each_pem(seen, [&used](PemFile& file) { used.insert(file.path); });
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error))
    if (!used.contains(at->path().string())) ::unlink(at->path().c_str());
}

}  // namespace haproxy
