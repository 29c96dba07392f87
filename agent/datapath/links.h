// Links: the program on interfaces, by pinned bpf_links. Interfaces are those of this thread's
// network namespace.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace datapath {

enum class AttachMode { native, generic };
enum class Flows { none, live };

struct Attachment {
  std::string interface;
  uint32_t ifindex = 0;
  AttachMode mode = AttachMode::native;
  std::string reason;  // why generic; empty for native
  // Why nothing can be forwarded by it, and what helps; empty: it can.
  std::string obstacle = {};
  // What makes it slower than it could be, and what helps; empty: nothing.
  std::string note = {};
  // That packets were lost lately after XDP had sent them by it; empty: none were.
  std::string losing = {};
};

// Whether frames that a program sends leave by an interface; asked once the program is attached.
// nullopt: nobody can say.
using TakesFrames = std::function<std::optional<bool>(uint32_t ifindex)>;

class Links {
 public:
  // `folder`: <root>/v<ABI>, made already.
  explicit Links(std::string folder) : folder_(std::move(folder)) {}

  // The interface runs `program` when it returns: through its pinned link, in place, if there is
  // one; else by a new link. Native, unless the driver refuses or does not take frames: those that
  // are sent by it would be lost. `takes_frames` may be empty: all do. A link that is generic since
  // an earlier start, or for want of memory, is given up for another try while no flow lives: for
  // that moment the kernel has what comes in, and answers connections with RST.
  base::Result<Attachment> attach(int program, const std::string& interface, uint32_t ifindex,
                                  const TakesFrames& takes_frames, Flows flows = Flows::live);
  // A renamed interface keeps its link.
  base::Status follow_names(const std::vector<std::pair<std::string, uint32_t>>& interfaces);
  // Those of another folder become this one's. For an upgrade.
  base::Status take_over(const std::string& folder);
  // Each of them runs `program`, in place. One whose interface has gone stays as it is.
  base::Status replace(int program);
  // Detaches and unpins.
  base::Status remove(const std::string& interface);
  std::vector<std::string> interfaces() const;  // that have a pinned link
  const std::string& folder() const { return folder_; }

 private:
  base::Result<Attachment> create(int program, const std::string& interface, uint32_t ifindex,
                                  const TakesFrames& takes_frames);
  base::Result<Attachment> keep_or_create(int program, const std::string& interface,
                                          uint32_t ifindex, const TakesFrames& takes_frames,
                                          Flows flows);
  bool is_worth_a_try(uint32_t ifindex, const TakesFrames& takes_frames) const;
  std::string why_generic(const std::string& interface, uint32_t ifindex,
                          const TakesFrames& takes_frames) const;

  // Of a link that was made by us.
  struct Generic {
    std::string why;
    bool passes = false;  // what was missing may be there later
    std::chrono::steady_clock::time_point since{};
  };
  std::map<uint32_t, Generic> generic_;  // by ifindex
  std::string folder_;
};

}  // namespace datapath
