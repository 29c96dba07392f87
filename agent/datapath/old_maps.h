// OldMaps: the pinned maps of an older ABI version, read as if they were of this one. Fields are
// found by their names; docs/handover.md says what is taken over, and of which versions.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/datapath/kernel_maps.h"
#include "agent/datapath/layout.h"
#include "base/result.h"
#include "bpf/lb_abi.h"

namespace datapath {

class OldMaps : public KernelMaps {
 public:
  // `pinned`: every map of the old version; `ours`: of this one.
  static base::Result<OldMaps> open(KernelMaps pinned, const KernelMaps& ours);
  // What of lb_info is needed to make maps of this version that fit them.
  static base::Result<lb_info> info_there(const KernelMaps& pinned);

  const Layout& layout(const char* map) const { return types_.at(map).value(); }
  const Translation& translation(const char* map) const { return values_.at(map); }

  // States of flows: what a number of theirs is for us, and what ours is for them.
  uint32_t state_of(uint32_t old) const { return old < states_.size() ? states_[old] : 0; }
  uint32_t state_there(uint32_t state) const { return states_there_[state]; }

  // Summed over the CPUs, and zero from then on. Of service 0 the verdicts of all packets.
  base::Result<lb_service_counters> counters(uint32_t service);
  base::Status clear_counters(uint32_t service);

  // Those that are remembered. Version 2 had them in an LRU hash, with their addresses; from
  // version 3 on it is known who they are by the seed alone.
  base::Result<std::vector<lb_client>> clients(uint64_t seed);

  // Nobody may begin a flow any more: it is dropped, so that it comes again. Listeners that begin
  // none anyhow stay as they are.
  base::Status deny_new_flows();
  // Who may is again as `ours` has it, into which the older maps were copied: whoever denied it, an
  // agent before this one, too.
  base::Status allow_new_flows(Maps& ours);

 protected:
  base::Result<std::optional<std::vector<uint8_t>>> get_bytes(std::string_view map,
                                                              Bytes key) override;
  base::Result<std::vector<Entry>> entries_bytes(std::string_view map) override;

 private:
  explicit OldMaps(KernelMaps pinned) : KernelMaps(std::move(pinned)) {}
  base::Status learn(const std::string& map, const KernelMaps& ours);
  void learn_numbers(const KernelMaps& ours);
  base::Status put_cidr_set(Entry service, uint32_t set);
  base::Result<std::vector<lb_client>> clients_with_addresses(uint64_t seed);
  void add_verdicts(const Layout::Field& field, Bytes all_cpus, size_t stride,
                    lb_service_counters& sum) const;

  std::map<std::string, MapTypes, std::less<>> types_;
  std::map<std::string, Translation, std::less<>> keys_, values_;
  std::vector<uint32_t> states_;                             // by their number
  std::array<uint32_t, LB_FLOW_STATES> states_there_{};      // by ours
  std::array<uint32_t, LB_VERDICT_COUNT> verdicts_there_{};  // by ours; 0: they have none such
};

}  // namespace datapath
