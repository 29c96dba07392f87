#include "agent/datapath/pins.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <thread>

#include "base/log.h"

namespace datapath {
namespace {

using base::Error;
using base::Fd;
using base::Result;
using base::Status;
using base::Unit;

constexpr char kBpffs[] = "/sys/fs/bpf";

bool is_below(const std::string& path, const std::string& folder) {
  return path == folder || path.starts_with(folder + "/");
}

// The nearest folder on the way up that exists.
std::string existing_part(std::string path) {
  struct stat status {};
  while (path.size() > 1 && stat(path.c_str(), &status) != 0) {
    const size_t slash = path.rfind('/');
    path = slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
  }
  return path;
}

Status ensure_bpffs(const std::string& path) {
  if (is_on_bpffs(path)) return Unit{};
  if (!is_below(path, kBpffs))
    return Error{0,
                 "pin folder " + path + " is not on a bpf file system (mount -t bpf bpf FOLDER)"};
  if (mount("bpf", kBpffs, "bpf", 0, "mode=0700") != 0)
    return Error{errno, std::string("mount a bpf file system at ") + kBpffs};
  spdlog::info("mounted a bpf file system at {}", kBpffs);
  return Unit{};
}

// The process that holds a flock on the inode, by /proc/locks; 0: not to be seen from here.
int lock_holder(const struct stat& status) {
  char device_and_inode[64];
  std::snprintf(device_and_inode, sizeof(device_and_inode), "%02x:%02x:%llu", major(status.st_dev),
                minor(status.st_dev), static_cast<unsigned long long>(status.st_ino));
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    // "1: FLOCK  ADVISORY  WRITE 1234 00:1f:5 0 EOF"
    std::istringstream words(line);
    std::string number, kind, advisory, access, where;
    int pid = 0;
    words >> number >> kind >> advisory >> access >> pid >> where;
    if (kind == "FLOCK" && where == device_and_inode) return pid;
  }
  return 0;
}

int version_of(const std::string& name) {
  int version = 0;
  const char* end = name.data() + name.size();
  if (name.size() < 2 || name[0] != 'v') return 0;
  const auto [stop, err] = std::from_chars(name.data() + 1, end, version);
  return err == std::errc{} && stop == end ? version : 0;
}

constexpr int kLockTries = 20;
constexpr std::chrono::milliseconds kLockPause{50};

}  // namespace

bool is_on_bpffs(const std::string& path) {
  struct statfs status {};
  return statfs(existing_part(path).c_str(), &status) == 0 && status.f_type == BPF_FS_MAGIC;
}

Status can_read_pins(const std::string& root) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir(root.c_str()), closedir);
  if (folder || errno == ENOENT) return Unit{};
  return Error{errno, "read the pin folder " + root};
}

Status make_pin_folder(const std::string& path) {
  if (auto mounted = ensure_bpffs(path); !mounted) return mounted.error();
  for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (mkdir(part.c_str(), 0700) != 0 && errno != EEXIST)
      return Error{errno, "make the pin folder " + part};
    if (slash == std::string::npos) return Unit{};
  }
}

Result<Fd> lock_pin_folder(const std::string& root) {
  Fd folder(open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid()) return Error{errno, "open the pin folder " + root};
  // Of an agent that was killed just as it started a program, the child has the lock until it is
  // that program.
  for (int i = 0; i < kLockTries; ++i) {
    if (flock(folder.get(), LOCK_EX | LOCK_NB) == 0) return folder;
    if (errno != EWOULDBLOCK) return Error{errno, "lock the pin folder " + root};
    std::this_thread::sleep_for(kLockPause);
  }
  struct stat status {};
  const int pid = fstat(folder.get(), &status) == 0 ? lock_holder(status) : 0;
  const std::string who =
      pid == 0 ? "a process of another pid namespace" : "process " + std::to_string(pid);
  return Error{0, "another agent works on " + root + ": " + who + " holds its lock"};
}

std::string version_folder(const std::string& root, int abi) {
  return root + "/v" + std::to_string(abi);
}

std::string link_pin(const std::string& version_folder, const std::string& interface) {
  std::string name = interface;
  std::replace(name.begin(), name.end(), '.', ':');
  return version_folder + "/links/" + name;
}

std::string interface_of_pin(const std::string& pin_name) {
  std::string name = pin_name;
  std::replace(name.begin(), name.end(), ':', '.');
  return name;
}

std::vector<std::string> list_folder(const std::string& path) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir(path.c_str()), closedir);
  if (!folder) return names;
  while (const dirent* entry = readdir(folder.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<int> pinned_versions(const std::string& root) {
  std::vector<int> versions;
  for (const std::string& name : list_folder(root)) {
    const int version = version_of(name);
    if (version != 0 && !list_folder(root + "/" + name).empty()) versions.push_back(version);
  }
  return versions;
}

std::vector<std::string> version_folders(const std::string& root) {
  std::vector<std::string> folders;
  for (const std::string& name : list_folder(root)) {
    if (version_of(name) != 0) folders.push_back(root + "/" + name);
  }
  return folders;
}

Status pin(int fd, const std::string& path) {
  if (bpf_obj_pin(fd, path.c_str()) != 0) return Error{errno, "pin " + path};
  return Unit{};
}

Status pin_over(int fd, const std::string& path) {
  const std::string fresh = path + "_new";
  if (auto removed = unpin(fresh); !removed) return removed.error();
  if (auto pinned = pin(fd, fresh); !pinned) return pinned.error();
  if (rename(fresh.c_str(), path.c_str()) != 0) return Error{errno, "replace the pin " + path};
  return Unit{};
}

Result<Fd> open_pin(const std::string& path) {
  Fd fd(bpf_obj_get(path.c_str()));
  if (!fd.valid()) return Error{errno, "open the pin " + path};
  return fd;
}

Status unpin(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return Error{errno, "unpin " + path};
  return Unit{};
}

Status remove_pins(const std::string& folder) {
  for (const std::string& name : list_folder(folder)) {
    const std::string path = folder + "/" + name;
    struct stat status {};
    if (lstat(path.c_str(), &status) != 0) return Error{errno, "read " + path};
    auto removed = S_ISDIR(status.st_mode) ? remove_pins(path) : unpin(path);
    if (!removed) return removed.error();
  }
  if (rmdir(folder.c_str()) != 0 && errno != ENOENT) return Error{errno, "remove " + folder};
  return Unit{};
}

}  // namespace datapath
