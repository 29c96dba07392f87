// Datapath: the pinned maps, program and links. The only code that calls bpf(2) on them, and the
// one writer of the maps the agent owns. Not thread-safe: one owner (the reconciler's effects
// thread).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/datapath/census.h"
#include "agent/datapath/flow_names.h"
#include "agent/datapath/handover_step.h"
#include "agent/datapath/hooks.h"
#include "agent/datapath/links.h"
#include "agent/datapath/lost_packets.h"
#include "agent/datapath/maps.h"
#include "agent/datapath/port_use.h"
#include "agent/datapath/ring_reader.h"
#include "agent/datapath/stats.h"
#include "agent/datapath/tables.h"
#include "base/result.h"

namespace datapath {

struct Options {
  std::string pin_root = "/sys/fs/bpf/amphora-xdp";  // pins lie in <pin_root>/v<ABI>/
  uint32_t flows4 = 0;  // flows the tables are sized for (half load); 0: from the machine's memory
  uint32_t flows6 = 0;
  uint16_t snat_port_min = 1024, snat_port_max = 65535;  // host order
  Hooks hooks = {};                                      // where the program is attached
  ForeignFlows foreign_flows = ForeignFlows::none;       // for who wants replica()
  HandoverHook handover_hook = {};                       // for tests; may be empty
};

class FlowTable;    // flow_table.h: the mapped table
class FlowReplica;  // flow_replica.h

class Datapath {
 public:
  // Mounts bpffs if it must, takes the lock on the pin folder, adopts what is pinned there or makes
  // it, loads the program. Takes over the flows of an older version (docs/handover.md), in the
  // network namespace of its interfaces. Errors say what is missing (privilege, kernel feature, an
  // ABI that this agent knows).
  static base::Result<std::unique_ptr<Datapath>> open(const Options& options);
  // Detaches and unpins everything of every ABI version under pin_root. Nothing there: not an
  // error.
  static base::Status teardown(const std::string& pin_root);
  ~Datapath();

  // How the maps came to be, and what they are.
  enum class Origin { created, adopted };
  struct About {
    Origin origin = Origin::created;
    uint32_t lines4 = 0, lines6 = 0;  // of the flow tables
    lb_info info{};
    std::string kept;  // what of the options does not hold because adopted maps keep theirs; empty:
                       // all holds
  };
  const About& about() const;

  // Attaches to exactly these interfaces (of this thread's network namespace); a link that is
  // pinned already gets this program in place. Native where the driver can and `takes_frames` says
  // that what is sent leaves, else generic with the reason. Another program on an interface is an
  // error that names it; the others are still attached, and attachments() has them. `vlans`: of
  // those of the interfaces, by index, that have to do with any.
  base::Result<std::vector<Attachment>> attach(
      const std::vector<std::pair<std::string, uint32_t>>& interfaces_by_name_and_index,
      const TakesFrames& takes_frames = {}, const std::map<uint32_t, Vlan>& vlans = {});
  const std::vector<Attachment>& attachments() const;

  // What the maps hold now, as read back when they were adopted and as written since.
  const Tables& tables() const;
  base::Status apply(const Step& step);
  // The same for many, faster: rings that follow each other go in one call. Stops at the first
  // step that fails; tables() shows how far it came.
  base::Status apply(std::span<const Step> steps);

  // Client-side next hops come into being in the datapath, one for each neighbour that is in use:
  // brings those that exist to what the neighbours are now; one that is not among them becomes
  // unresolved, so that the kernel forwards. Keys have an ifindex.
  base::Status resolve(
      const std::map<lb_nexthop_key, lb_nexthop, BytesLess<lb_nexthop_key>>& neighbours);

  // Routes have changed: every flow looks for its way to the client once more, with its next
  // packet.
  base::Status ask_again();

  // Destinations that are applied and that live flows may name, wanted or not.
  std::set<base::IpAddress> resting_destinations() const;
  // Ids that were erased and may still be named by flows; they are not given out again.
  std::set<uint32_t> resting_services() const;
  std::set<uint16_t> resting_backends() const;
  // To be called after each whole pass over the flow table, with what that pass found. An id that
  // two passes in a row did not find is released: its entries and counters become zero. Clients
  // that nobody is to remember any more are forgotten.
  base::Status release_unused(const Census& census);

  std::map<uint16_t, PortUse> port_limits() const;
  // Interfaces by which most SYNs come without their checksum: its computation was left to the
  // other end's interface, and nobody does it any more. By ifindex.
  base::Result<std::set<uint32_t>> without_checksums();
  // Packets that were sent on and that the kernel then lost, since the first attach(). By ifindex.
  base::Result<std::map<uint32_t, Lost>> lost_packets() const;

  base::Result<Verdicts> verdicts();
  base::Result<ServiceStats> service_stats(uint32_t service);

  FlowTable& flows();

  // Loads the programs that put another node's flows into the table, which Options has to expect.
  base::Result<FlowReplica> replica();
  // Once: who reads takes what was told.
  base::Result<RingReader<lb_change>> changes();
  // What another node's flows are called here, as of now.
  FlowNames flow_names() const;

  // For BPF_PROG_TEST_RUN and for mapping: descriptors stay this object's.
  int program_fd() const;
  int map_fd(std::string_view name) const;

 private:
  struct State;
  explicit Datapath(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace datapath
