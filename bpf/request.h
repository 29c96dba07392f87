/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * A packet that has no flow, as the slow path sees it: values only, because
 * pointers into the frame cannot be handed to a global function.
 */
#ifndef LB_REQUEST_H
#define LB_REQUEST_H

#include "bpf/lb_abi.h"
#include "bpf/packet.h"

/* Small, because the frames of all functions of a chain share 512 bytes. */
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

static __always_inline struct request request_of(const struct packet *p,
						 const int family)
{
	struct request r = {
		.client_port = p->key.tuple.sport,
		.port = p->key.tuple.dport,
		.proto = p->key.tuple.proto,
		.family = family,
		.flags = p->flags,
		.avoid = p->avoid,
		.line = LB_FLOW_NONE,
	};

	if (family == LB_IPV6) {
		r.client = p->key.src;
		r.vip = p->key.dst;
	} else {
		r.client.ip[0] = p->key.tuple.src;
		r.vip.ip[0] = p->key.tuple.dst;
	}
	return r;
}

#endif
