// Where an uploaded haproxy.cfg has connections logged, and how (contract 5.1, 5.2, 5.4): for the
// listeners that the datapath takes over, whose lines are written by us. Pure.
#pragma once

#include "agent/flow_log/connection_log.h"
#include "agent/octavia/uploads.h"

namespace octavia {

// Of every frontend that is a listener and logs in a format that is said; a text that cannot be
// read has none.
flow_log::ConnectionLogs connection_logs(const Uploads& uploads);

}  // namespace octavia
