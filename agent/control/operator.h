// Operator: what the control socket tells about the running machine, beside the model. One small
// interface with plain values; the agent implements it over the datapath, tests with a fake. All
// numbers are host order; ids are Octavia's, nil (all zero) where the datapath does not know them.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/datapath/flow_record.h"
#include "agent/model/fault.h"
#include "agent/model/model.h"
#include "base/ip.h"
#include "base/uuid.h"

namespace control {

// An interface of the namespace with the program on it, or why there is none.
struct Attachment {
  std::string interface;
  uint32_t ifindex = 0;
  std::string mode;           // "native", "generic" (both XDP), "tc", "none"
  std::string reason;         // why it is not native; empty for native
  uint64_t lost = 0;          // packets that the kernel lost after XDP had sent them by it
  std::string obstacle = {};  // why nothing can be forwarded by it; empty: it can
  std::string note = {};      // what makes it slower than it could be
  std::string losing = {};    // that packets were lost lately
};

// An interface of the namespace and the networks that it is in.
struct ConnectedNetwork {
  std::string interface;
  base::MacAddress mac;
  int mtu = 0;
  std::vector<base::IpPrefix> addresses;  // with their prefix lengths; VIPs are host prefixes
};

struct FlowTableStatus {
  base::Family family = base::Family::ipv4;
  uint64_t capacity = 0;        // flows it is sized for; fuller means slower, then refused
  uint64_t lines = 0;           // physical lines, two to a flow
  uint32_t bytes_per_flow = 0;  // memory of both lines and their share of the rest
  // Live flows, by state: "half_open", "open", "closing_client", "closing_member", "closed",
  // "reset".
  std::map<std::string, uint64_t> flows;
  uint64_t spilled_buckets = 0;        // buckets that ever overflowed into their second choice
  uint64_t half_open_overwritten = 0;  // half-open flows that gave way to newer ones
};

struct Problem {
  base::Uuid resource;  // nil: not of one resource
  std::string what;
};

struct ReconcileStatus {
  uint64_t runs = 0, failures = 0;
  model::Time last{};                 // end of the last run; epoch: none yet
  std::chrono::microseconds took{0};  // the last run
  std::string error;                  // of the last run; empty: it arrived
  std::vector<Problem> problems;      // what could not be planned
};

// What the health checks of a member say.
struct MemberCheck {
  base::Uuid member;
  std::string state;                     // "up", "down", "unknown"
  std::string reason;                    // of the last check: "connection refused"
  std::chrono::microseconds latency{0};  // of the last check
  model::Time since{};                   // when it took this state
};

// Who serves a listener.
struct Placement {
  base::Uuid listener;
  std::string where;   // "xdp", "haproxy"
  std::string reason;  // "protocol HTTP"
};

// Of one load balancer.
struct HaproxyStatus {
  base::Uuid load_balancer;
  bool running = false;
  uint64_t starts = 0, reloads = 0;  // since the agent started
  uint64_t restarts = 0;             // after it had died
  std::string error;                 // why it does not serve what it should; empty: it does
};

// Of a node of a pair.
struct VrrpStatus {
  struct Vip {
    base::IpAddress address;
    bool here = false;  // on the interface, by the kernel

    friend bool operator==(const Vip&, const Vip&) = default;
  };

  std::string role;  // "MASTER", "BACKUP", "FAULT"
  std::string interface;
  int priority = 0;
  std::vector<Vip> vips;
  bool running = false;                    // keepalived; it is started again when it dies
  uint64_t starts = 0, reloads = 0;        // since the agent started
  uint64_t restarts = 0;                   // after it had died
  std::vector<std::string> unfit_because;  // why this node may not be master; empty: it may
};

// Of a node of a pair whose connections go along.
struct ReplicationStatus {
  base::IpAddress peer;
  bool connected = false;
  std::string trouble;    // why the other node is not, or was not; empty: nothing is wrong
  std::string peer_role;  // "ACTIVE", "STANDBY", as it said last; "": it has not, yet
  bool in_sync = false;   // the other one is active, and all of its flows that can move are here
  std::optional<std::chrono::milliseconds> synced;  // since that was so last; none: never
  uint64_t flows = 0;                               // of the other node, here
  uint64_t unknown = 0;                             // of the other node, that have no place here
  uint64_t unknown_there = 0;                       // of this node, that have none there
  uint64_t not_movable = 0;  // of this node: their address towards the member stays here
  uint64_t behind = 0;       // records that the other node has not answered yet
  std::chrono::milliseconds behind_ms{0};   // since the oldest of them was sent
  uint64_t taken = 0, ended = 0;            // flows of the other node, since the agent started
  std::map<std::string, uint64_t> refused;  // why, and how many
  uint64_t walks = 0;                       // over this node's table, for the other one
  uint64_t changes_lost = 0;                // each cost a walk
  uint64_t closed = 0;                      // connections to the pair's port that were nobody's
  uint64_t handed_on = 0;  // to this node's HAProxy, now: its peer exchanges stick tables with it
};

// Connections of the datapath that have ended.
struct FlowLogStatus {
  uint64_t written = 0;
  uint64_t left_out = 0;  // there were too many for the limit, or for who reads the log
};

struct Status {
  model::Time asked{};  // when all this was so
  std::string version;
  uint32_t abi = 0;
  std::chrono::seconds uptime{0};
  std::string network_namespace;
  std::vector<Attachment> attachments;
  std::vector<FlowTableStatus> flow_tables;
  ReconcileStatus reconcile;
  std::vector<MemberCheck> checks;               // of every member that is checked
  std::vector<Placement> placements;             // of every listener, as planned last
  std::vector<HaproxyStatus> haproxy;            // of every load balancer that needs one
  FlowLogStatus flow_log;                        // since the agent started
  std::optional<VrrpStatus> vrrp;                // none: of no pair, or not told yet of which
  std::optional<ReplicationStatus> replication;  // none: connections do not go along
};

struct VerdictCount {
  std::string name;    // as in lb_abi.h: "established"
  std::string action;  // "send", "pass", "drop"
  uint64_t packets = 0;
};

struct ListenerVerdicts {
  base::Uuid listener;
  std::vector<VerdictCount> verdicts;
};

struct Verdicts {
  std::vector<VerdictCount>
      total;  // every packet, with those of no service; every verdict, zero too
  std::vector<ListenerVerdicts> listeners;
};

// Since the listener exists, whoever carried it; what live flows carried is in it after a few
// seconds at most. `in` is from clients.
struct ServiceCounters {
  base::Uuid listener;
  uint64_t flows_now = 0, flows_total = 0;
  uint64_t bytes_in = 0, bytes_out = 0;  // L4 payload
  uint64_t refused = 0;                  // packets of new flows that were dropped
  uint64_t request_errors = 0;           // requests that could not be read
};

struct MemberCounters {
  base::Uuid member;
  uint64_t flows_now = 0;
  uint64_t ports_used = 0, ports = 0;  // source ports towards it; none of a member of HAProxy's
};

struct Counters {
  std::vector<ServiceCounters> services;
  std::vector<MemberCounters> members;
};

struct Flow : datapath::FlowFacts {
  std::string protocol;  // "TCP", "UDP", "SCTP"
  std::string state;     // as in FlowTableStatus
  base::Uuid listener_id, member_id;
  std::chrono::milliseconds idle{0};
};

// One walk over the flow tables. A flow that lives during the whole walk is visited once; others
// may be missed. Nothing is copied beforehand.
class FlowWalk {
 public:
  enum class Next { more, done };
  using Visit = std::function<void(const Flow&)>;

  virtual ~FlowWalk() = default;
  // Looks at about this many lines and returns, so that the loop is never held for long. Called on
  // the loop: reads mapped memory, does not block.
  virtual Next slice(size_t lines, const Visit& visit) = 0;
};

// The VIPs have gone to the other node of the pair.
struct MovedVips {
  base::IpAddress to;
  std::chrono::milliseconds took{0};  // since it was asked for
  uint64_t not_movable = 0;           // connections that could not go along
};

// Called on the loop; what blocks (bpf, netlink) is awaited on another thread.
class Operator {
 public:
  virtual ~Operator() = default;
  virtual boost::asio::awaitable<Status> status() = 0;
  virtual boost::asio::awaitable<std::vector<ConnectedNetwork>> networks() = 0;
  // Soon: everything is compared with the machine, whatever was known of it.
  virtual void look_at_everything() = 0;
  // Moves the VIPs to the other node of the pair, and returns when they are there, or why not.
  virtual boost::asio::awaitable<model::Outcome<MovedVips>> move_vips() = 0;
  virtual boost::asio::awaitable<Verdicts> verdicts() = 0;
  virtual boost::asio::awaitable<Counters> counters() = 0;
  // The walk may outlive changes of the model; not the Operator.
  virtual boost::asio::awaitable<std::unique_ptr<FlowWalk>> walk_flows() = 0;
};

}  // namespace control
