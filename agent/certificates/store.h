// Store: bundles in a directory, put there through an API or by hand. A file is read again when it
// has changed. What HAProxy reads is written beside: normalised, 0600, in ".haproxy/", and keeps
// its last good contents when somebody damages the file that it came from.
#pragma once

#include <sys/stat.h>

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/certificates/certificates_spec.h"
#include "base/result.h"

namespace certificates {

inline constexpr size_t kMostBytes = 1024 * 1024;  // of one bundle

// Every call may come from any thread; all of them block for as long as small files take.
class Store {
 public:
  // Makes the directory, for its owner only.
  static base::Result<std::unique_ptr<Store>> open(const std::string& directory);

  // What a bundle is, without keeping it; its name and why not are in the error. Valid at `now`.
  static base::Result<About> inspect(const std::string& name, std::string_view bytes, Time now);

  // By name, those that are damaged too.
  std::vector<Entry> list();

  // Durable when it returns; there whole or not at all.
  base::Result<Put> put(const std::string& name, std::string_view bytes);
  // ENOENT: it is not there.
  base::Result<base::Unit> remove(const std::string& name);

  // Why a reference cannot be used so at `now`, in words that name it; nullopt: it can.
  std::optional<std::string> check(const std::string& reference, Use use, Time now);

  // Whether the CRLs that the one refers to are of the authorities that the other refers to. Of
  // what is not there, check() tells.
  bool are_revocations_of(const std::string& revocations, const std::string& authorities);

  // The files of those references that have one, by reference; `references` are all that there are.
  // An expired bundle has one, and one whose file was damaged or removed: what was accepted is not
  // taken away from those who use it.
  std::map<std::string, File> files(const std::set<std::string>& references);
  // The same where others may be in use, too.
  std::map<std::string, File> some_files(const std::set<std::string>& references);

 private:
  // One file as it was read last.
  struct Known {
    struct stat seen {};
    About about;
    File file;          // of the last good contents; no path: there were none
    std::string fault;  // of the contents as they are
  };

  explicit Store(std::string directory) : directory_(std::move(directory)) {}
  std::string rendered_path(const std::string& name) const;
  // nullptr: no such file. With mutex_ held.
  const Known* look(const std::string& name);
  void read_again(const std::string& name, Known& known);
  std::optional<File> last_good(const std::string& name) const;
  // As some_files(), with mutex_ held.
  std::map<std::string, File> look_for(const std::set<std::string>& references);
  void forget_unused(const std::set<std::string>& used);

  std::string directory_;
  std::mutex mutex_;
  std::map<std::string, Known> known_;
};

}  // namespace certificates
