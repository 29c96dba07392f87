/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Who is next in turn in each pool: a map of its own for each. */
#ifndef LB_RINGS_H
#define LB_RINGS_H

#include "bpf/lb_abi.h"

/* BPF_F_INNER_MAP lets every ring have its own size */
struct lb_ring {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP);
	__uint(max_entries, LB_RING_HEAD + 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct lb_ring_cell));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, LB_MAX_RINGS);
	__type(key, __u32);
	__array(values, struct lb_ring);
} lb_rings SEC(".maps");

#endif
