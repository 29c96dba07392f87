#include "agent/datapath/stats.h"

namespace datapath {
namespace {

using base::Result;

void add(Verdicts& sum, const __u64 (&counters)[LB_VERDICT_COUNT]) {
  for (size_t verdict = 0; verdict < LB_VERDICT_COUNT; ++verdict) sum[verdict] += counters[verdict];
}

template <class T>
void add_traffic(ServiceStats& sum, const T& counters) {
  sum.bytes_in += counters.bytes_in;
  sum.bytes_out += counters.bytes_out;
}

}  // namespace

std::string_view verdict_name(lb_verdict verdict) {
  switch (verdict) {
#define LB_VERDICT_TEXT(name, text, action) \
  case LB_##name:                           \
    return text;
    LB_VERDICTS(LB_VERDICT_TEXT)
#undef LB_VERDICT_TEXT
    default:
      return "none";
  }
}

Fate verdict_fate(lb_verdict verdict) {
  constexpr Fate SEND = Fate::sent, PASS = Fate::passed, DROP = Fate::dropped;
  switch (verdict) {
#define LB_VERDICT_FATE(name, text, action) \
  case LB_##name:                           \
    return action;
    LB_VERDICTS(LB_VERDICT_FATE)
#undef LB_VERDICT_FATE
    default:
      return DROP;
  }
}

Result<Verdicts> read_verdicts(Maps& maps) {
  auto cpus = maps.get_each(kVerdicts, 0);
  if (!cpus) return cpus.error();
  Verdicts sum{};
  for (const lb_verdict_counters& cpu : *cpus) add(sum, cpu.packets);
  return sum;
}

Result<ServiceStats> read_service_stats(Maps& maps, uint32_t service) {
  auto cpus = maps.get_each(kServiceCounters, service);
  if (!cpus) return cpus.error();
  auto agent = maps.get_each(kServiceSums, service);
  if (!agent) return agent.error();
  auto use = maps.get_each(kServiceUse, service);
  if (!use) return use.error();
  ServiceStats sum;
  for (const lb_service_counters& cpu : *cpus) {
    add(sum.verdicts, cpu.verdicts);
    add_traffic(sum, cpu);
    sum.flows += cpu.flows;
    sum.persisted += cpu.persisted;
  }
  for (const lb_service_sum& share : *agent) add_traffic(sum, share);
  for (const lb_use& now : *use) sum.connections += now.flows;
  return sum;
}

}  // namespace datapath
