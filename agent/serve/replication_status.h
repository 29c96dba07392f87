// What is shown of a pair whose connections go along.
#pragma once

#include "agent/control/operator.h"
#include "agent/pair/port.h"
#include "agent/pair/session.h"
#include "base/ip.h"

namespace serve {

// Pure.
control::ReplicationStatus replication_status(const base::IpAddress& peer,
                                              const pair::Report& report, uint64_t not_movable,
                                              const pair::Port::Counts& port);

}  // namespace serve
