#include "netns/namespace.h"

#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/magic.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

#include "netns/netlink.h"

namespace netns {

namespace {

using base::Error;
using base::Fd;
using base::Result;
using base::Unit;

constexpr char kFolder[] = "/run/netns";
constexpr char kOwnNamespace[] = "/proc/thread-self/ns/net";
constexpr uint32_t kLoopback = 1;  // its ifindex in every namespace

// The alias of the loopback of a namespace that we made: it lasts exactly as long as the namespace.
constexpr char kMadeByUs[] = "amphora-xdp: made this namespace";

std::string path_of(const std::string& name) { return std::string(kFolder) + "/" + name; }

bool is_namespace(int fd) {
  struct statfs fs {};
  return ::fstatfs(fd, &fs) == 0 && fs.f_type == NSFS_MAGIC;
}

// As iproute2: whoever mounts a namespace there, everybody sees it.
Result<Unit> prepare_folder() {
  if (::mkdir(kFolder, 0755) != 0 && errno != EEXIST)
    return Error{errno, std::string("make ") + kFolder};
  if (::mount("", kFolder, "none", MS_SHARED | MS_REC, nullptr) == 0) return Unit{};
  if (errno != EINVAL) return Error{errno, std::string("make shared ") + kFolder};
  // Not a mount point yet.
  if (::mount(kFolder, kFolder, "none", MS_BIND | MS_REC, nullptr) != 0 ||
      ::mount("", kFolder, "none", MS_SHARED | MS_REC, nullptr) != 0)
    return Error{errno, std::string("mount ") + kFolder};
  return Unit{};
}

Result<Unit> mark_as_ours(int namespace_fd) {
  Result<Socket> socket = Socket::open(namespace_fd);
  if (!socket) return std::move(socket).error();
  ifinfomsg loopback{};
  loopback.ifi_index = kLoopback;
  Message message(RTM_NEWLINK, 0, loopback);
  message.put(IFLA_IFALIAS, std::string(kMadeByUs));
  return socket->request(message, "mark the new namespace");
}

Result<bool> is_ours(int namespace_fd) {
  Result<Socket> socket = Socket::open(namespace_fd);
  if (!socket) return std::move(socket).error();
  bool ours = false;
  Message message(RTM_GETLINK, 0, ifinfomsg{});
  Result<Unit> read = socket->dump(message, "read the links", [&](const nlmsghdr& m) {
    if (m.nlmsg_type != RTM_NEWLINK || !fits<ifinfomsg>(m)) return;
    if (header_of<ifinfomsg>(m).ifi_index == static_cast<int>(kLoopback))
      ours = Attributes(m, sizeof(ifinfomsg)).text(IFLA_IFALIAS) == kMadeByUs;
  });
  if (!read) return std::move(read).error();
  return ours;
}

// Makes a namespace and gives it its name.
Result<Unit> make(const std::string& name) {
  Result<Unit> prepared = prepare_folder();
  if (!prepared) return prepared;
  const std::string path = path_of(name);
  Fd file(::open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0));
  if (!file.valid()) return Error{errno, "make " + path};
  Fd own(::open(kOwnNamespace, O_RDONLY | O_CLOEXEC));
  if (!own.valid()) return Error{errno, "open the own network namespace"};
  return run_in(own.get(), [&]() -> Result<Unit> {
    if (::unshare(CLONE_NEWNET) != 0) return Error{errno, "make a network namespace"};
    Fd fresh(::open(kOwnNamespace, O_RDONLY | O_CLOEXEC));
    if (!fresh.valid()) return Error{errno, "open the new network namespace"};
    Result<Unit> marked = mark_as_ours(fresh.get());
    if (!marked) return marked;
    if (::mount(kOwnNamespace, path.c_str(), "none", MS_BIND, nullptr) != 0)
      return Error{errno, "mount the new namespace on " + path};
    return Unit{};
  });
}

}  // namespace

Result<Unit> enter_namespace(int fd) {
  if (::setns(fd, CLONE_NEWNET) != 0) return Error{errno, "enter the network namespace"};
  return Unit{};
}

Result<Namespace> Namespace::adopt(const std::string& name, Fd fd) {
  Namespace out;
  out.name_ = name;
  out.fd_ = std::move(fd);
  out.original_ = Fd(::open(kOwnNamespace, O_RDONLY | O_CLOEXEC));
  struct stat inside {
  }, outside{};
  if (!out.original_.valid() || ::fstat(out.fd(), &inside) != 0 ||
      ::fstat(out.original_fd(), &outside) != 0)
    return Error{errno, "open the own network namespace"};
  out.is_original_ = inside.st_dev == outside.st_dev && inside.st_ino == outside.st_ino;
  return out;
}

Result<std::optional<Namespace>> Namespace::find(const std::string& name) {
  const std::string path = name.empty() ? kOwnNamespace : path_of(name);
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid() && errno == ENOENT) return std::optional<Namespace>{};
  if (!fd.valid()) return Error{errno, "open " + path};
  // A maker that died half way leaves an empty file.
  if (!is_namespace(fd.get())) return std::optional<Namespace>{};
  Result<Namespace> adopted = adopt(name, std::move(fd));
  if (!adopted) return std::move(adopted).error();
  return std::optional<Namespace>(*std::move(adopted));
}

Result<Namespace> Namespace::open(const std::string& name) {
  Result<std::optional<Namespace>> found = find(name);
  if (!found) return std::move(found).error();
  const bool is_new = !*found;
  if (is_new) {
    Result<Unit> made = make(name);
    if (!made) return std::move(made).error();
    found = find(name);
    if (!found) return std::move(found).error();
  }
  if (!*found) return Error{ENOENT, "open " + path_of(name)};
  (*found)->is_new_ = is_new;
  return **std::move(found);
}

Result<Unit> Namespace::enter() const {
  Result<Unit> entered = enter_namespace(fd());
  if (!entered) return Error{entered.error().code, "enter the network namespace " + name_};
  return entered;
}

Result<Unit> Namespace::remove() {
  if (name_.empty()) return Unit{};
  Result<bool> ours = is_ours(fd());
  if (!ours) return std::move(ours).error();
  if (!*ours) return Unit{};
  const std::string path = path_of(name_);
  if (::umount2(path.c_str(), MNT_DETACH) != 0 && errno != EINVAL)
    return Error{errno, "unmount " + path};
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return Error{errno, "remove " + path};
  return Unit{};
}

}  // namespace netns
