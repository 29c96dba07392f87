// The network namespace that traffic is balanced in, and the one the agent came from.
#pragma once

#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

#include "base/fd.h"
#include "base/result.h"

namespace netns {

class Namespace {
 public:
  // Adopts /run/netns/<name> or makes it, as `ip netns add` does; "" is the namespace of the
  // calling thread. Either way the calling thread stays where it is, which is remembered as the
  // original.
  static base::Result<Namespace> open(const std::string& name);
  // The same, but nothing is made: nullopt if there is no such namespace.
  static base::Result<std::optional<Namespace>> find(const std::string& name);

  // Moves the calling thread in for good; threads that it starts later begin there.
  base::Result<base::Unit> enter() const;
  // Takes the name away if open() made the namespace, now or in an earlier life. It goes when the
  // last process leaves it. Bring links back first (Network::withdraw).
  base::Result<base::Unit> remove();

  const std::string& name() const { return name_; }
  int fd() const { return fd_.get(); }
  int original_fd() const { return original_.get(); }
  bool is_original() const { return is_original_; }  // nothing is outside
  bool is_new() const { return is_new_; }            // open() has just made it

 private:
  Namespace() = default;
  static base::Result<Namespace> adopt(const std::string& name, base::Fd fd);

  std::string name_;
  base::Fd fd_, original_;
  bool is_original_ = false;
  bool is_new_ = false;
};

// Errors are errno; `fd` is a namespace's.
base::Result<base::Unit> enter_namespace(int fd);

// Runs `work` (which returns a Result) on a thread of its own inside the namespace: sockets belong
// to the namespace of the thread that opens them, and so does what /proc/sys/net shows.
template <class F>
std::invoke_result_t<F> run_in(int namespace_fd, F work) {
  std::optional<std::invoke_result_t<F>> out;
  try {
    std::thread([&] {
      base::Result<base::Unit> entered = enter_namespace(namespace_fd);
      if (entered)
        out.emplace(work());
      else
        out.emplace(std::move(entered).error());
    }).join();
  } catch (const std::system_error& e) {
    return base::Error{e.code().value(), "start a thread"};
  }
  return *std::move(out);
}

}  // namespace netns
