// A throwaway prober and a machine with members. Sockets of the members are opened in their
// namespace and served on the same loop as the prober; everything goes with the test process.
//
//   namespace of the test                     namespace "member"
//     probe0  192.0.2.1/24   ── veth ──  member0  192.0.2.2/24   2001:db8::2/64
//             2001:db8::1/64                      192.0.2.3/24   2001:db8::3/64  drops what comes
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <string>

#include "base/fd.h"
#include "base/ip.h"
#include "health/health_spec.h"
#include "health/prober.h"
#include "tests/support/shell.h"

namespace health_test {

using namespace std::chrono_literals;

using test::sh;

class Lab : public testing::TestWithParam<base::Family> {
 protected:
  void SetUp() override;

  base::IpAddress member() const { return address("192.0.2.2", "2001:db8::2"); }
  base::IpAddress silent() const { return address("192.0.2.3", "2001:db8::3"); }
  base::IpAddress absent() const { return address("192.0.2.99", "2001:db8::99"); }

  // A socket of the members' namespace, bound to the port, or to member() if it is a raw one;
  // streams listen.
  base::Fd member_socket(int type, int protocol, uint16_t port);

  // Deadline 300 ms, every 300 ms, one probe decides.
  health::Target target(health::Type type, base::IpAddress address, uint16_t port) const;
  // Runs the loop until `done`; false: not within `limit`.
  bool run_until(const std::function<bool()>& done, std::chrono::milliseconds limit = 10s);
  health::Health health_of(const health::Target& target);  // after one probe

  boost::asio::io_context loop_;

 private:
  base::IpAddress address(const char* v4, const char* v6) const;
  base::Fd here_, there_;  // namespaces
};

// To be the member of a target: "member 7".
base::Uuid member_id(int number);

}  // namespace health_test
