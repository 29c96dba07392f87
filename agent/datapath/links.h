// Links: the program on interfaces, on XDP by pinned bpf_links, or on tc ingress. Interfaces are
// those of this thread's network namespace.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/datapath/checksums.h"
#include "agent/datapath/hooks.h"
#include "agent/datapath/ingress.h"
#include "agent/datapath/vlans.h"
#include "base/fd.h"
#include "base/result.h"

namespace datapath {

enum class AttachMode { native, generic, tc };
enum class Flows { none, live };

struct Attachment {
  std::string interface;
  uint32_t ifindex = 0;
  AttachMode mode = AttachMode::native;
  std::string reason = {};  // why not native; empty for native
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

// The programs, by their descriptors. That of tc is loaded when it is asked for first.
struct Programs {
  int xdp;
  std::function<base::Result<int>()> tc;
};

// What is known of an interface that the program is to be attached to.
struct Wish {
  Hook hook = Hook::automatic;
  TakesFrames takes_frames = {};  // may be empty: all do
  Flows flows = Flows::live;
  Checksums checksums = Checksums::there;
  Vlan vlan = Vlan::none;
};

class Links {
 public:
  // `folder`: <root>/v<ABI>, made already.
  explicit Links(std::string folder) : folder_(std::move(folder)), ingress_(folder_) {}

  // The interface runs the program of its hook when it returns: through its pinned link, in place,
  // if there is one; else by a new link. From one hook to another the new one comes first, so that
  // no packet finds none. Automatic is native XDP as long as packets come with their checksums, the
  // driver takes what is sent, and XDP sees the tags of VLANs; else tc. On XDP native, unless the
  // driver refuses or does not take frames: those that are sent by it would be lost. A link that is
  // generic since an earlier start, or for want of memory, is given up for another try while no
  // flow lives. Where automatic is refused by tc it is XDP, and the other way round: the attachment
  // says so.
  base::Result<Attachment> attach(const Programs& programs, const std::string& interface,
                                  uint32_t ifindex, const Wish& wish);
  // A renamed interface keeps its link.
  base::Status follow_names(const std::vector<std::pair<std::string, uint32_t>>& interfaces);
  // Those of another folder become this one's. For an upgrade.
  base::Status take_over(const std::string& folder);
  // Each of them runs the program of its hook, in place. One whose interface has gone stays as it
  // is.
  base::Status replace(const Programs& programs);
  // Of all interfaces but these, XDP and tc; what could not be removed, and why.
  std::vector<base::Error> remove_others(
      const std::vector<std::pair<std::string, uint32_t>>& interfaces);
  // Whether a program of ours runs there, by either hook.
  bool runs_on(uint32_t ifindex) const;
  // Detaches and unpins. Of tc ingress: see there.
  base::Status remove(const std::string& interface);
  std::vector<std::string> interfaces() const;  // that have a pinned link of XDP
  Ingress& ingress() { return ingress_; }
  const std::string& folder() const { return folder_; }

  struct Created {
    base::Fd link;
    int code = 0;  // errno, if there is none
  };

 private:
  base::Result<Attachment> create(int program, const std::string& interface, uint32_t ifindex,
                                  const Wish& wish);
  base::Result<Attachment> create_generic(int program, Attachment attachment,
                                          const std::string& reason);
  base::Result<Attachment> keep(Created created, const Attachment& attachment);
  base::Result<Attachment> keep_or_create(const Programs& programs, const std::string& interface,
                                          uint32_t ifindex, const Wish& wish);
  void forward_meanwhile(const Programs& programs, const std::string& interface, uint32_t ifindex);
  base::Result<Attachment> attach_to_tc(const Programs& programs, const std::string& interface,
                                        uint32_t ifindex, const std::string& reason);
  std::string why_on_tc(const std::string& interface, uint32_t ifindex, const Wish& wish) const;
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
  Ingress ingress_;
};

}  // namespace datapath
