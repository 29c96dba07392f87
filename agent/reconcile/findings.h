// Findings: what is known of the members and listeners that the machine serves, whoever found it:
// our own probes, HAProxy's checks, the flow table. Lives on the loop's thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/model/show/status.h"
#include "haproxy/stats.h"
#include "health/prober.h"

namespace reconcile {

// What HAProxy says of members and listeners that it serves.
struct HaproxyView {
  std::map<base::Uuid, haproxy::ServerStats> members;
  std::map<base::Uuid, haproxy::FrontendStats> listeners;
  std::map<haproxy::BackendId, haproxy::BackendStats> backends;  // of workers that accept
  bool answers = false;  // there are such workers, and every one of them said so just now
};

class Findings {
 public:
  // `ports` are those that probes connect from.
  explicit Findings(boost::asio::any_io_executor loop, health::SourcePorts ports = {});

  // Called when a member went up or down by our own probes, right after the probe that decided.
  void on_health(std::function<void()> call) { on_health_ = std::move(call); }

  // What the log calls a member; before it is said, by its id.
  void name_by(std::function<std::string(const base::Uuid&)> name) { name_ = std::move(name); }

  // Members that an agent before this one found down. They stay so until probes of our own say
  // otherwise. Before the first probe().
  void begin_down(std::set<base::Uuid> members) { down_before_ = std::move(members); }
  // All that is to be probed from now on.
  void probe(const std::vector<health::Target>& targets);
  void note_haproxy(HaproxyView view) { haproxy_ = std::move(view); }
  // Listeners of the datapath that are at their connection limit.
  void note_full(std::set<base::Uuid> listeners) { full_ = std::move(listeners); }

  // Listeners of which packets were lost lately on this machine.
  void note_lossy(std::set<base::Uuid> listeners) { lossy_ = std::move(listeners); }

  const std::set<base::Uuid>& full() const { return full_; }
  // Members that our own probes found down; before the first probe(), an agent's before us.
  std::set<base::Uuid> members_down() const;
  model::Findings seen() const;
  const HaproxyView& haproxy() const { return haproxy_; }
  // Of each member that is probed by us and of which something is known.
  void for_each_probed(
      const std::function<void(const base::Uuid&, const health::Health&)>& see) const;

 private:
  std::vector<health::Target> targets_;
  std::optional<std::set<base::Uuid>> down_before_;  // until the first probe()
  HaproxyView haproxy_;
  std::set<base::Uuid> full_, lossy_;
  std::function<void()> on_health_;
  std::function<std::string(const base::Uuid&)> name_;
  health::Prober prober_;
};

}  // namespace reconcile
