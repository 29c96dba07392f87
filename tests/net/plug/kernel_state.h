// What the kernel has in a namespace, in the words of iproute2, so that it can be compared with
// what a stock agent left there (samples/interfaces-*/kernel-state.txt).
//
// Left out or made the same: who made a thing (ours carry 88, those of a stock agent "static"),
// link-local addresses and their routes, which come with a link of their own accord, lifetimes (an
// IPv6 VIP of ours is deprecated, so that it is no source), and the order.
#pragma once

#include <map>
#include <set>
#include <string>

namespace plug_test {

// By command, "ip -4 route show table main"; "addr eth1" has MTU and addresses of an interface.
using KernelState = std::map<std::string, std::set<std::string>>;

KernelState read_kernel_state(const std::string& name_of_namespace);
KernelState sampled_kernel_state(const std::string& topology);  // "single", "active-standby"

}  // namespace plug_test
