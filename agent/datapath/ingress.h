// Ingress: the program of tc ingress on interfaces, which are those of this thread's network
// namespace. By a pinned link of TCX, where the kernel has that (since 6.6); else by a filter of
// clsact, which stays by itself: then the pin has its program, and says that it is ours.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace datapath {

class Ingress {
 public:
  // `folder`: <root>/v<ABI>, made already.
  explicit Ingress(std::string folder) : folder_(std::move(folder)) {}

  // The interface runs `program` when it returns, in place if it ran an older one of ours.
  base::Status attach(int program, const std::string& interface, uint32_t ifindex);
  // Each that has a pin runs `program`, in place. Where none of ours is, it stays so.
  base::Status replace(int program);
  // That one of the pins is of; only while there are any.
  base::Result<base::Fd> program() const;
  // Not there: not an error. Of clsact the (empty) qdisc stays: others may use it.
  base::Status remove(uint32_t ifindex);
  // Whether what is pinned for this index runs on the interface that has it now, here.
  bool runs_on(uint32_t ifindex) const;
  // That have a pin, by ifindex; some may have gone, or be of another namespace.
  std::set<uint32_t> interfaces() const;

 private:
  base::Status attach_link(int program, const std::string& interface, uint32_t ifindex);
  base::Status attach_filter(int program, const std::string& interface, uint32_t ifindex);

  std::string folder_;
};

// Of the folder of links. Interfaces have no spaces in their names, these pins have one.
bool is_ingress_pin(const std::string& name);

}  // namespace datapath
