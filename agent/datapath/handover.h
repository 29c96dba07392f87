// Handover: an upgrade to maps of another layout. The flows of the older version's maps come into
// these while packets go on, and no packet of an established flow is lost. Killed at any moment,
// it is begun or gone on with by the next start: docs/handover.md.
#pragma once

#include <optional>
#include <string>

#include "agent/datapath/flow_import.h"
#include "agent/datapath/handover_step.h"
#include "agent/datapath/kernel_maps.h"
#include "agent/datapath/links.h"
#include "agent/datapath/old_hops.h"
#include "agent/datapath/old_maps.h"
#include "agent/datapath/program.h"
#include "base/result.h"

namespace datapath {

// The older version below `root` whose maps are to be taken over; nullopt: there is none. What is
// left of one that was is removed. Another version is an error that says what to do.
base::Result<std::optional<int>> version_to_take_over(const std::string& root);

class Grace;

// The pinned maps of an older version.
struct OlderSet {
  std::string folder;
  KernelMaps maps;
};

class Handover {
 public:
  // `folder`: of the older version. All but the hook must outlive it.
  Handover(OldMaps& old, KernelMaps& ours, Links& links, std::string folder,
           const HandoverHook& hook)
      : old_(old),
        ours_(ours),
        links_(links),
        folder_(std::move(folder)),
        hook_(hook),
        hops_(old, ours) {}

  // Into new maps, which nobody uses yet: everything but flows and counts.
  base::Status copy(const lb_info& info);
  // `alone`: the programs of this version that need no other. Afterwards the older maps are gone.
  // After an error the older version goes on as before, with these maps beside it.
  base::Status run(const Sizes& sizes, const lb_info& info, const Programs& alone);

 private:
  base::Status copy_policy();
  base::Status copy_backends();
  base::Status copy_clients(const lb_info& info);
  base::Status copy_turns();
  base::Status take_all(const Sizes& sizes, const lb_info& info, const Programs& alone);
  base::Status stand_beside(const Sizes& sizes, const lb_info& info);
  base::Result<base::Fd> load_tc_beside(const Sizes& sizes, const lb_info& info);
  base::Result<base::Fd> tc_before();
  base::Status take_flows(FlowImport& flows, const Grace& grace);
  base::Status take_rest(FlowImport& flows, const Grace& grace, const lb_info& info,
                         const Programs& alone);
  base::Status add_counts(int program);
  base::Status forget();
  void reached(HandoverStep step) const {
    if (hook_) hook_(step);
  }

  OldMaps& old_;
  KernelMaps& ours_;
  Links& links_;
  std::string folder_;
  const HandoverHook& hook_;
  OldHops hops_;
};

}  // namespace datapath
