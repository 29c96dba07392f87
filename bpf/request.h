/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * A packet that has no flow, as the slow path sees it: values only, because
 * pointers into the frame cannot be handed to a global function.
 */
#ifndef LB_REQUEST_H
#define LB_REQUEST_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include <linux/tcp.h>

#include "bpf/fragment.h"
#include "bpf/icmp.h"
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
	__u16 syn_at; /* a SYN without data: where TCP begins in the frame */
	__u8 syn_length; /* of its header; 0: another packet */
	__u8 tries; /* so often it was made again already (challenge.h) */
	__u8 remembers; /* 1: its service remembers clients */
	__u8 persisted; /* 1: the backend is the one that the client had */
	__u16 others; /* backends that may be tried if this one refuses */
	__u64 tried; /* the last four that were, 16 bits each */
	/* what is chosen for it */
	__u32 service; /* 0: none */
	__u32 line; /* the forward line of the new flow */
	__u16 backend;
	__u16 back; /* next hop to the client */
} __attribute__((aligned(8)));

#define MOST_OPTION_BYTES 40 /* of IPv4 */

/* Ports to choose from: count of them from the first on, but for a hole. */
struct port_space {
	__u32 first;
	__u32 count; /* without the hole */
	__u32 hole; /* counted from the first */
	__u32 hole_size;
};

/* What struct packet is to know of one that a function of its own has sent. */
struct parting {
	__u32 service;
	__u32 out;
};

/* An ICMP error, and the flow that it speaks of (quote.h). */
struct quote {
	__u64 word; /* of the line that the error goes by */
	__u32 line;
	/* where they begin in the frame */
	__u16 l3;
	__u16 icmp;
	__u16 l4; /* of the quoted packet */
	__u16 end; /* behind the IP packet */
};

/*
 * What a new flow is made in: not on the stack, whose 512 bytes are for the
 * frames of a whole chain of calls. A CPU runs one XDP program at a time, from
 * its beginning to its end, so the entry is the run's own.
 */
struct scratch {
	struct request request;
	__u64 tried; /* for the request, where struct packet says so */
	__u64 others;
	struct bpf_fib_lookup fib;
	struct lb_flow6 made;
	struct tcphdr tcp; /* that is looked at (offload.h) */
	struct parting parting;
	struct quote quote;
	struct told_packet told;
	struct fragment fragment;
	struct lb_trace trace;
	/* IPv4 options that are looked at (option.h) */
	__u8 options[MOST_OPTION_BYTES];
	__u32 option;
	__u32 source_route;
	__u32 forth; /* next hop to the backend */
	__u32 proxied; /* LB_BACKEND_PROXIED, if the backend is */
	/* of its SNAT port */
	struct port_space ports;
	__u32 row; /* where the ports of the client's address begin */
	__u32 seed; /* of its port */
	__u32 cursor;
	/* of those that were refused because they rest */
	__u32 least_rest; /* ticks */
	__u32 least_rest_port; /* 0: there was none */
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
set_request(struct scratch *own, const struct packet *p, const int family)
{
	struct request *r = &own->request;

	*r = (struct request){
		.client_port = p->key.tuple.sport,
		.port = p->key.tuple.dport,
		.proto = p->key.tuple.proto,
		.family = family,
		.flags = p->flags,
		.tried = p->elsewhere ? own->tried : 0,
		.others = p->elsewhere ? own->others : 0,
		.tries = p->tries,
		.line = LB_FLOW_NONE,
	};
	if (is_first_syn(p->flags) && !p->payload) {
		r->syn_at = (void *)p->ports - (void *)p->eth;
		r->syn_length = ((__u8 *)p->ports)[12] / 16 * 4;
	}
	if (family == LB_IPV6) {
		copy_address(&r->client, &p->key.src);
		copy_address(&r->vip, &p->key.dst);
	} else {
		r->client.ip[0] = p->key.tuple.src;
		r->vip.ip[0] = p->key.tuple.dst;
	}
}

#endif
