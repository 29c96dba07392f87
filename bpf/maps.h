/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The maps of policy, next hops and verdicts; flow_maps.h has those of the
 * flow table. lb_abi.h says what is in them and who writes them.
 */
#ifndef LB_MAPS_H
#define LB_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "bpf/lb_abi.h"
#include "bpf/rings.h"

/* source ports towards members, host order */
const volatile __u16 lb_snat_port_min = 1024;
const volatile __u16 lb_snat_port_max = 65535;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LB_MAX_SERVICES);
	__type(key, struct lb_service_key);
	__type(value, struct lb_service);
} lb_services SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LB_MAX_BACKENDS);
	__type(key, __u32);
	__type(value, struct lb_backend);
} lb_backends SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, LB_CLIENT_BUCKETS);
	__type(key, __u32);
	__type(value, struct lb_client_bucket);
} lb_clients SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, LB_MAX_CIDRS);
	__type(key, struct lb_cidr_key);
	__type(value, struct lb_cidr);
} lb_cidrs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LB_MAX_SERVICES);
	__type(key, __u32);
	__type(value, struct lb_rate_bucket);
} lb_rate_listeners SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, LB_MAX_RATE_SOURCES);
	__type(key, struct lb_rate_source);
	__type(value, struct lb_rate_bucket);
} lb_rate_sources SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LB_MAX_NEXTHOPS);
	__type(key, struct lb_nexthop_key);
	__type(value, __u32);
} lb_nexthop_ids SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, LB_MAX_NEXTHOPS);
	__type(key, __u32);
	__type(value, struct lb_nexthop);
} lb_nexthops SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, LB_MAX_NEXTHOPS);
	__type(value, __u32);
} lb_nexthop_free SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct lb_kernel_ports);
} lb_kernel_ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
	__uint(max_entries, LB_MAX_DEVS);
	__type(key, __u32);
	__type(value, __u32);
} lb_devs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LB_MAX_DEVS);
	__type(key, __u32);
	__type(value, struct lb_checksums);
} lb_checksums SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, LB_MAX_TOLD);
	__type(key, struct lb_addr);
	__type(value, struct lb_told);
} lb_told SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, LB_MAX_TRACES);
	__type(key, struct lb_trace_key);
	__type(value, struct lb_trace);
} lb_traces SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, LB_MAX_TRACES);
	__type(key, struct lb_trace_key);
	__type(value, __u64);
} lb_passed SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, LB_HELD_BYTES);
} lb_held SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LB_FRAGMENT_IDS);
	__type(key, __u32);
	__type(value, __u32);
} lb_frag_ids SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct lb_verdict_counters);
} lb_verdicts SEC(".maps");

#endif
