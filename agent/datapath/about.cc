#include "agent/datapath/about.h"

#include <sys/random.h>
#include <unistd.h>

#include <cerrno>

#include "agent/datapath/lb_maps.h"
#include "agent/datapath/old_maps.h"
#include "agent/datapath/program.h"
#include "agent/datapath/sizes.h"

namespace datapath {
namespace {

using base::Error;
using base::Result;

Sizes wished_sizes(const Options& options) {
  const uint64_t memory = machine_memory_bytes();
  const auto lines = [memory](base::Family family, uint32_t flows) {
    return flows == 0 ? lines_for_memory(family, memory) : lines_for_flows(flows);
  };
  return {lines(base::Family::ipv4, options.flows4), lines(base::Family::ipv6, options.flows6)};
}

Result<lb_info> fresh_info(const Options& options) {
  lb_info info{};
  info.abi = LB_ABI_VERSION;
  info.cpus = half_open_rings(static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN)));
  info.snat_port_min = options.snat_port_min;
  info.snat_port_max = options.snat_port_max;
  if (getrandom(&info.seed, sizeof(info.seed), 0) != sizeof(info.seed))
    return Error{errno, "get a random seed"};
  return info;
}

// What of the options the adopted maps do not have.
std::string differences(const Datapath::About& about, const Options& options) {
  std::string text;
  const auto add = [&text](const std::string& item) { text += (text.empty() ? "" : "; ") + item; };
  const Sizes wish = wished_sizes(options);
  const auto lines = [&](const char* family, uint32_t flows, uint32_t have, uint32_t want) {
    if (flows != 0 && have != want)
      add(std::string("the ") + family + " flow table keeps its " + std::to_string(have) +
          " lines (" + std::to_string(want) + " wanted)");
  };
  lines("IPv4", options.flows4, about.lines4, wish.lines4);
  lines("IPv6", options.flows6, about.lines6, wish.lines6);
  if (about.info.snat_port_min != options.snat_port_min ||
      about.info.snat_port_max != options.snat_port_max)
    add("SNAT ports stay " + std::to_string(about.info.snat_port_min) + "-" +
        std::to_string(about.info.snat_port_max));
  return text;
}

}  // namespace

Result<Datapath::About> about_fresh(const Options& options) {
  auto info = fresh_info(options);
  if (!info) return info.error();
  const Sizes sizes = wished_sizes(options);
  return Datapath::About{Datapath::Origin::created, sizes.lines4, sizes.lines6, *info, ""};
}

Result<Datapath::About> about_pinned(KernelMaps& pinned, const Options& options) {
  for (const char* name : {kFlows.name, kFlows6.name}) {
    if (!pinned.has(name))
      return Error{0, std::string("map ") + name +
                          " is missing among the pins (--teardown removes the others)"};
  }
  if (pinned.info(kInfo.name).value_size != sizeof(lb_info))
    return Error{0, "pinned map lb_info is not of this version (--teardown removes it)"};
  auto value = pinned.get(kInfo, 0);
  if (!value) return value.error();
  const lb_info info = value->value();
  if (info.abi != LB_ABI_VERSION)
    return Error{0, "the pinned maps are of ABI version " + std::to_string(info.abi) +
                        ", this agent needs " + std::to_string(LB_ABI_VERSION) +
                        " (--teardown removes them)"};
  Datapath::About about{Datapath::Origin::adopted, pinned.info(kFlows.name).max_entries,
                        pinned.info(kFlows6.name).max_entries, info, ""};
  about.kept = differences(about, options);
  return about;
}

// Maps that fit those of an older version.
Result<Datapath::About> about_successor(const KernelMaps& old, const Options& options) {
  auto there = OldMaps::info_there(old);
  if (!there) return there.error();
  auto info = fresh_info(options);
  if (!info) return info.error();
  // The same seed: by it who reads counters knows that they go on.
  info->seed = there->seed;
  info->snat_port_min = there->snat_port_min;
  info->snat_port_max = there->snat_port_max;
  Datapath::About about{Datapath::Origin::adopted, old.info(kFlows.name).max_entries,
                        old.info(kFlows6.name).max_entries, *info, ""};
  about.kept = differences(about, options);
  return about;
}

}  // namespace datapath
