/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * A packet that has no flow, as the slow path sees it: values only, because
 * pointers into the frame cannot be handed to a global function.
 */
#ifndef LB_REQUEST_H
#define LB_REQUEST_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "bpf/lb_abi.h"
#include "bpf/packet.h"

struct request {
	struct lb_addr client;
	struct lb_addr vip;
	__be16 client_port;
	__be16 port;
	__u8 proto;
	__u8 family;
	__u16 flags; /* as in struct packet */
	__u16 avoid; /* a backend that did not answer; 0: none */
	__u16 persisted; /* 1: the backend is the one that the client had */
	/* what is chosen for it */
	__u32 service; /* 0: none */
	__u32 line; /* the forward line of the new flow */
	__u16 backend;
	__u16 back; /* next hop to the client */
} __attribute__((aligned(8)));

/*
 * What a new flow is made in: not on the stack, whose 512 bytes are for the
 * frames of a whole chain of calls. A CPU runs one XDP program at a time, from
 * its beginning to its end, so the entry is the run's own.
 */
struct scratch {
	struct request request;
	struct bpf_fib_lookup fib;
	struct lb_flow6 made;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct scratch);
	__uint(max_entries, 1);
} lb_scratch SEC(".maps");

static __always_inline struct scratch *own_scratch(void)
{
	__u32 only = 0;

	return bpf_map_lookup_elem(&lb_scratch, &only);
}

static __always_inline void
set_request(struct request *r, const struct packet *p, const int family)
{
	*r = (struct request){
		.client_port = p->key.tuple.sport,
		.port = p->key.tuple.dport,
		.proto = p->key.tuple.proto,
		.family = family,
		.flags = p->flags,
		.avoid = p->avoid,
		.line = LB_FLOW_NONE,
	};
	if (family == LB_IPV6) {
		copy_address(&r->client, &p->key.src);
		copy_address(&r->vip, &p->key.dst);
	} else {
		r->client.ip[0] = p->key.tuple.src;
		r->vip.ip[0] = p->key.tuple.dst;
	}
}

#endif
