/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* The map in which version 2 of the ABI remembered clients. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct lb_addr {
	__be32 ip[4];
};

struct lb_persist_key {
	struct lb_addr client; /* under the service's mask */
	__u32 service;
	__u32 zero;
};

struct lb_persist {
	__u32 backend;
	__u32 seen;
} __attribute__((aligned(8)));

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct lb_persist_key);
	__type(value, struct lb_persist);
} lb_persist SEC(".maps");

char LICENSE[] SEC("license") = "Dual BSD/GPL";
