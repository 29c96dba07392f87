/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* What the steps know about a packet. */
#ifndef LB_PACKET_H
#define LB_PACKET_H

#include <linux/if_ether.h>

#include "bpf/flow_table.h"
#include "bpf/hook.h"

/* Pointers are into the frame, of what parse.h has bounds-checked. */
struct packet {
	struct flow_key key; /* IPv4: addresses in the tuple only */
	struct ethhdr *eth;
	void *l3; /* struct iphdr, struct ipv6hdr */
	__be32 *ports; /* source and destination, as in the tuple */
	__u32 length; /* bytes of the IP packet */
	__u32 payload; /* bytes behind the L4 header */
	__u32 out; /* ifindex that it leaves by, once that is known */
	__u32 service; /* counts the verdict too; 0: none is known */
	__u32 flags; /* TCP's flags; FLOW_SCTP with others, FLOW_DATAGRAM */
	__be16 ethertype;
	__u16 tries; /* a SYN that was made again: so often (challenge.h) */
	__u16 fragment; /* nonzero: the first one of several */
	__u16 elsewhere; /* 1: own_scratch() says which backends were tried */
	struct hook_sum sum;
};

/*
 * Marks a way out of the hot path. Without it the compiler prepares the exit
 * before each check, and every packet that goes on pays for it.
 */
static __always_inline enum lb_verdict cold(enum lb_verdict why)
{
	asm volatile("" : "+r"(why));
	__builtin_assume(why != LB_CONTINUE);
	return why;
}

/* By words of eight bytes, which the compiler does not do by itself. */
static __always_inline void copy_address(struct lb_addr *to, const void *from)
{
	((__u64 *)to)[0] = ((const __u64 *)from)[0];
	((__u64 *)to)[1] = ((const __u64 *)from)[1];
}

/* A SYN that asks for a connection, and nothing else. */
static __always_inline int is_first_syn(__u32 flags)
{
	return (flags & (FLOW_TCP_FLAGS | FLOW_ACK)) == FLOW_SYN;
}

/* Does the packet ask for a flow, if it has none? */
static __always_inline int may_begin(__u32 flags)
{
	return (flags & FLOW_DATAGRAM) || is_first_syn(flags);
}

#endif
