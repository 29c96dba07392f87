/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The maps of the flow table and the configuration its code is loaded with.
 * The sizes here are only what an object is opened with: user space sets the
 * real ones (bpf_map__set_max_entries) and says them in .rodata, where the
 * verifier takes them for constants. Both must agree; all are powers of two.
 */
#ifndef LB_FLOW_MAPS_H
#define LB_FLOW_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "bpf/lb_abi.h"

const volatile __u32 lb_lines = LB_FLOW_MIN_LINES; /* entries of lb_flows */
const volatile __u32 lb_lines6 = LB_FLOW_MIN_LINES; /* entries of lb_flows6 */
const volatile __u32 lb_half_cpus = 1; /* rings in each of the lb_half maps */
const volatile __u64 lb_seed; /* keys every hash; lb_info keeps it */
const volatile __u32 lb_silent; /* 1: what ends by it is told to nobody */
const volatile __u32 lb_weak_order; /* 1: loads may be reordered (arm64) */

/* the agent maps it too, and works on it without a system call per entry */
#define LB_SHARED_ARRAY(name, type_of_value, entries) \
	struct {                                      \
		__uint(type, BPF_MAP_TYPE_ARRAY);     \
		__type(key, __u32);                   \
		__type(value, type_of_value);         \
		__uint(max_entries, entries);         \
		__uint(map_flags, BPF_F_MMAPABLE);    \
	} name SEC(".maps")

LB_SHARED_ARRAY(lb_flows, struct lb_flow, LB_FLOW_MIN_LINES);
LB_SHARED_ARRAY(lb_flows6, struct lb_flow6, LB_FLOW_MIN_LINES);

/* lines / LB_FLOW_WAYS */
LB_SHARED_ARRAY(lb_locks, struct lb_bucket, LB_FLOW_MIN_LINES / LB_FLOW_WAYS);
LB_SHARED_ARRAY(lb_locks6, struct lb_bucket, LB_FLOW_MIN_LINES / LB_FLOW_WAYS);

/* lines / LB_HALF_SHARE, but at least one */
LB_SHARED_ARRAY(lb_half, struct lb_half, LB_FLOW_MIN_LINES / LB_HALF_SHARE);
LB_SHARED_ARRAY(lb_half6, struct lb_half, LB_FLOW_MIN_LINES / LB_HALF_SHARE);

/* the entries of both */
LB_SHARED_ARRAY(lb_syns, struct lb_syn, 2 * LB_FLOW_MIN_LINES / LB_HALF_SHARE);

/* lines of IPv4 / LB_REST_SHARE */
LB_SHARED_ARRAY(lb_rested, struct lb_rest, LB_FLOW_MIN_LINES / LB_REST_SHARE);

LB_SHARED_ARRAY(lb_flow_cpu, struct lb_flow_cpu, LB_MAX_CPUS);
LB_SHARED_ARRAY(lb_clock, struct lb_clock, 1);
LB_SHARED_ARRAY(lb_info, struct lb_info, 1);

LB_SHARED_ARRAY(lb_service_use, struct lb_use, LB_MAX_SERVICES);
LB_SHARED_ARRAY(lb_backend_use, struct lb_use, LB_MAX_BACKENDS);
LB_SHARED_ARRAY(lb_limits, struct lb_limit, LB_MAX_SERVICES);
LB_SHARED_ARRAY(lb_service_sum, struct lb_service_sum, LB_MAX_SERVICES);

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, LB_ENDED_BYTES);
} lb_ended SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, LB_CHANGES_BYTES);
} lb_changes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct lb_service_counters);
	__uint(max_entries, LB_MAX_SERVICES);
} lb_service_cnt SEC(".maps");

#endif
