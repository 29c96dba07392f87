// A listening TCP socket.
#pragma once

#include "base/fd.h"
#include "base/ip.h"
#include "base/result.h"

namespace http {

// What "[::]" listens on: what was written, or IPv4 too.
enum class Stack { own, dual };

// In the network namespace that the caller is in; there it stays. Port 0 is some free port.
base::Result<base::Fd> listen_tcp(const base::Endpoint& endpoint, Stack stack = Stack::own);

}  // namespace http
