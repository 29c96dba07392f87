// TableWriter: brings the maps the agent owns from one Tables to another, a step at a time, and
// looks after what Tables does not show: ids of next hops, and ids that rest because live flows
// still name them. All state is in the maps; adopt() reads it back.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>

#include "agent/datapath/census.h"
#include "agent/datapath/maps.h"
#include "agent/datapath/tables.h"
#include "base/result.h"

namespace datapath {

using Neighbours = std::map<lb_nexthop_key, lb_nexthop, BytesLess<lb_nexthop_key>>;

class TableWriter {
 public:
  // `maps` must outlive it.
  explicit TableWriter(Maps& maps) : maps_(maps) {}

  // Reads everything back, and makes the queue of free next hop ids right: an id that the last
  // agent or a program lost between two maps comes back when a census does not find it.
  base::Status adopt();

  const Tables& tables() const { return tables_; }
  // In the order given; rings that follow each other are put, or erased, at once. Stops at the
  // first that fails: tables() shows how far it came.
  base::Status apply(std::span<const Step> steps);

  base::Status expect(ForeignFlows flows);
  // See Datapath.
  base::Status resolve(const Neighbours& neighbours);
  base::Status ask_again();
  // Interfaces that take what was redirected to them: next hops by others take only what came in
  // there. Until it is called all do.
  base::Status set_redirectable(std::set<uint32_t> ifindexes);
  base::Status release_unused(const Census& census);
  std::set<uint32_t> resting_services() const;
  std::set<uint16_t> resting_backends() const;
  std::set<base::IpAddress> resting_destinations() const;
  // The id of the next hop to a destination; 0: there is none.
  uint16_t nexthop_to(const base::IpAddress& address) const;

 private:
  // Censuses in a row that did not find an id, since it began to rest.
  using Passes = int;
  // A flow that was about to be made when an id began to rest may lie where the first census had
  // looked already. The second one sees it: no program runs for as long as a pass over the table.
  static constexpr Passes kPassesToRelease = 2;
  using HopIds = std::map<lb_nexthop_key, uint32_t, BytesLess<lb_nexthop_key>>;
  struct RestingHop {
    std::optional<lb_nexthop_key> key;  // whom it led to; of a client's side: it still does
    Passes unused = 0;
    bool asks = false;  // whoever names it looks for its way anew
  };

  lb_nexthop as_written(lb_nexthop hop) const;
  static bool released(Passes& unused, bool is_named);

  base::Status do_step(const PutDestination& step);
  base::Status do_step(const PutBackend& step);
  base::Status do_step(const PutCidr& step);
  base::Status do_step(const PutService& step);
  base::Status do_step(const PutKernelPorts& step);
  base::Status do_step(const EraseService& step);
  base::Status do_step(const EraseCidr& step);
  base::Status do_step(const EraseBackend& step);
  base::Status do_step(const EraseDestination& step);
  base::Status do_step(const PutRing& step);
  base::Status do_step(const EraseRing& step);
  base::Status put_rings(std::span<const Step> steps);
  base::Status erase_rings(std::span<const Step> steps);
  base::Status write_backend(uint16_t id, const lb_backend& value);
  base::Status rewrite_backends_of(const base::IpAddress& address);
  base::Result<uint32_t> nexthop_of(const base::IpAddress& address);
  base::Result<uint32_t> take_nexthop(const base::IpAddress& address);
  base::Status erase_destination(const base::IpAddress& address, uint32_t id);

  base::Status link_limits();
  base::Status adopt_policy();
  base::Status adopt_backends();
  base::Status adopt_nexthops();
  base::Status adopt_resting_services();

  base::Result<HopIds> nexthop_ids();
  base::Status retire_client_hops(const Census& census);
  base::Status release_hops(const Census& census);
  void count_destinations(const Census& census);
  base::Status release_backends(const Census& census);
  base::Status release_services(const Census& census);

  Maps& maps_;
  Tables tables_;
  std::map<base::IpAddress, uint32_t> destination_ids_;
  std::map<uint32_t, Passes> resting_services_;
  std::map<uint16_t, Passes> resting_backends_;
  std::optional<std::set<uint32_t>> redirectable_;  // none: all
  std::map<uint32_t, RestingHop> resting_hops_;
  std::map<uint32_t, Passes> idle_client_hops_;              // still in lb_nexthop_ids
  std::map<base::IpAddress, Passes> unwanted_destinations_;  // that no backend leads to
  std::set<base::Uuid> unlinked_;  // listeners whose services changed after lb_limits was written
};

}  // namespace datapath
