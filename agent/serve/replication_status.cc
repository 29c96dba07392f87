#include "agent/serve/replication_status.h"

#include <array>

namespace serve {

namespace {

// By pair::Refusal.
constexpr std::array<const char*, pair::kRefusals> kRefusals = {"unknown", "not_movable", "taken",
                                                                "no_room"};

}  // namespace

control::ReplicationStatus replication_status(const base::IpAddress& peer,
                                              const pair::Report& report, uint64_t not_movable,
                                              const pair::Port::Counts& port) {
  control::ReplicationStatus status;
  status.peer = peer;
  status.connected = report.connected;
  status.trouble = report.trouble;
  if (report.peer) status.peer_role = *report.peer == pair::Role::active ? "ACTIVE" : "STANDBY";
  status.in_sync = report.in_sync;
  status.synced = report.synced;
  status.flows = report.flows;
  status.unknown = report.unknown;
  status.unknown_there = report.unknown_there;
  status.not_movable = not_movable;
  status.behind = report.behind;
  status.behind_ms = report.behind_ms;
  status.taken = report.taken.taken;
  status.ended = report.taken.ended;
  for (size_t why = 0; why < kRefusals.size(); why++)
    status.refused[kRefusals[why]] = report.taken.refused[why];
  status.walks = report.walks;
  status.changes_lost = report.changes_lost;
  status.closed = port.closed;
  status.handed_on = port.handed_on;
  return status;
}

}  // namespace serve
