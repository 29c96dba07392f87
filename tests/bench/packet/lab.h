// What the program needs around it: a network namespace with one interface that has a way to the
// clients, and policy with 64 members in each family.
#pragma once

#include <cstdint>

#include "base/ip.h"
#include "base/result.h"
#include "tests/bpf/flow_table/flow_object.h"

namespace packet_bench {

// Moves this process into a new network namespace and makes the interface; its index.
base::Result<uint32_t> make_network();

// XDP on the interface, whatever it does: only then can packets be said to come in by it.
base::Result<base::Unit> attach(uint32_t ifindex, int program);

base::Result<base::Unit> write_policy(const flow_test::FlowObject& object, uint32_t ifindex);
// From now on the service of this family has session persistence by source address.
base::Result<base::Unit> make_persistent(const flow_test::FlowObject& object, base::Family family);

}  // namespace packet_bench
