/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Which map lies at each place of lb_rings. Before Linux 6.8 a look-up in a map
 * of maps by bpf(2) waits for all programs that may run, each of them: half a
 * minute for two thousand. A program looks without.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "bpf/rings.h"

const volatile __u32 lb_places;

/* as much of the kernel's types as is read; found by name when it is loaded */
struct bpf_map {
	__u32 id;
} __attribute__((preserve_access_index));

struct bpf_array {
	struct bpf_map map;
} __attribute__((preserve_access_index));

/* 0: no ring is there */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LB_MAX_RINGS);
	__type(key, __u32);
	__type(value, __u32);
} lb_ring_ids SEC(".maps");

static long read_place(__u32 place, void *unused)
{
	struct bpf_array *ring = bpf_map_lookup_elem(&lb_rings, &place);
	__u32 *id = bpf_map_lookup_elem(&lb_ring_ids, &place);

	if (id)
		*id = ring ? ring->map.id : 0;
	return 0;
}

SEC("xdp")
int lb_read_rings(struct xdp_md *ctx)
{
	bpf_loop(lb_places, read_place, 0, 0);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
