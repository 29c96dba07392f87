#include "agent/octavia/report.h"

#include "agent/model/datagrams.h"
#include "agent/model/relations.h"

namespace octavia {
namespace {

using model::CheckedState;
using model::Listener;
using model::Member;
using model::Pool;

// Octavia words the same state differently for pools of HAProxy and of LVS.
enum class Words { haproxy, lvs };

class Reporter {
 public:
  Reporter(const model::Model& m, const Known& known) : relations_(m), known_(known) {}

  bool is_left_to_haproxy(const Listener& listener) const {
    const auto& amphora = relations_.model().amphora;
    return amphora && amphora->left_to_haproxy.contains(listener.id);
  }

  void add_pools(const Listener& listener, health::Heartbeat& to) const {
    if (!listener.default_pool) return;
    const Pool& pool = relations_.model().pools.at(*listener.default_pool);
    if (!pool.admin_state_up) return;
    const bool of_lvs = has_datagrams(listener.protocol);
    const std::string key = of_lvs ? pool.id.text() : pool.id.text() + ":" + listener.id.text();
    to.pools[key] = report_of(pool, of_lvs ? Words::lvs : Words::haproxy);
  }

 private:
  bool is_monitored(const Pool& pool) const {
    const auto* monitor = relations_.monitor_of(pool);
    return monitor != nullptr && monitor->admin_state_up;
  }

  bool is_down(const Member& member) const {
    const auto found = known_.members.find(member.id);
    return found != known_.members.end() && found->second == CheckedState::down;
  }

  std::string status_of(const Member& member, bool monitored, Words words) const {
    if (!member.admin_state_up) return "MAINT";
    if (!monitored) return words == Words::lvs && member.weight == 0 ? "DRAIN" : "no check";
    if (is_down(member)) return "DOWN";
    return member.weight == 0 ? "DRAIN" : "UP";
  }

  health::PoolReport report_of(const Pool& pool, Words words) const {
    const bool monitored = is_monitored(pool);
    health::PoolReport out;
    bool usable = false;
    for (const Member* member : relations_.members_of(pool)) {
      out.members[member->id] = status_of(*member, monitored, words);
      const bool there = member->admin_state_up && !(monitored && is_down(*member));
      // A server without weight is none to HAProxy's backend; to LVS it is still there.
      usable = usable || (there && (words == Words::lvs || member->weight > 0));
    }
    const bool judged = words == Words::haproxy || monitored;
    out.status = out.members.empty() || usable || !judged ? "UP" : "DOWN";
    return out;
  }

  model::Relations relations_;
  const Known& known_;
};

template <class T>
T value_of(const std::map<Uuid, T>& all, const Uuid& id) {
  const auto found = all.find(id);
  return found == all.end() ? T{} : found->second;
}

std::string status_of(const Listener& listener, const Known& known, bool by_haproxy) {
  if (!by_haproxy) return known.full.contains(listener.id) ? "FULL" : "OPEN";
  const std::string words = value_of(known.haproxy->listeners, listener.id);
  return words == "FULL" ? "FULL" : "OPEN";
}

// Of its listener only: HAProxy may still serve some that have left it.
void add_pools(const HaproxyReport& haproxy, const Uuid& listener, health::Heartbeat& to) {
  const std::string suffix = ":" + listener.text();
  for (const auto& [key, pool] : haproxy.pools)
    if (key.ends_with(suffix)) to.pools[key] = pool;
}

}  // namespace

health::Heartbeat report(const model::Model& m, const Known& known, health::Told& told,
                         const std::string& amphora, uint64_t seq) {
  const Reporter reporter(m, known);
  health::Heartbeat out;
  out.amphora = amphora;
  out.seq = seq;
  std::map<Uuid, health::Counters> now;
  std::set<Uuid> waiting;
  for (const auto& [id, listener] : m.listeners) {
    if (!listener.admin_state_up) continue;
    const bool by_haproxy = known.by_haproxy.contains(id) || reporter.is_left_to_haproxy(listener);
    if (by_haproxy && !known.haproxy) {
      waiting.insert(id);
      continue;
    }
    now[id] = value_of(known.counters, id);
    out.listeners[id].status = status_of(listener, known, by_haproxy);
    if (by_haproxy)
      add_pools(*known.haproxy, id, out);
    else
      reporter.add_pools(listener, out);
  }
  const auto news = told.advance(now, waiting);
  for (auto& [id, listener] : out.listeners) {
    const health::Counters& added = news.at(id);
    listener.stats = {added.bytes_out, added.bytes_in, value_of(known.connections, id),
                      added.connections, added.request_errors};
  }
  return out;
}

}  // namespace octavia
