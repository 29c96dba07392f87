// Links: the program on interfaces, by pinned bpf_links. Interfaces are those of this thread's
// network namespace.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace datapath {

enum class AttachMode { native, generic };

struct Attachment {
  std::string interface;
  uint32_t ifindex = 0;
  AttachMode mode = AttachMode::native;
  std::string reason;  // why generic; empty for native
};

class Links {
 public:
  // `folder`: <root>/v<ABI>, made already.
  explicit Links(std::string folder) : folder_(std::move(folder)) {}

  // The interface runs `program` when it returns: through its pinned link, in place, if there is
  // one; else by a new link.
  base::Result<Attachment> attach(int program, const std::string& interface, uint32_t ifindex);
  // A renamed interface keeps its link.
  base::Status follow_names(const std::vector<std::pair<std::string, uint32_t>>& interfaces);
  // Detaches and unpins.
  base::Status remove(const std::string& interface);
  std::vector<std::string> interfaces() const;  // that have a pinned link

 private:
  base::Result<Attachment> create(int program, const std::string& interface, uint32_t ifindex);

  std::string folder_;
};

}  // namespace datapath
