/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * What the flow table and the packet's steps say to each other: what a packet
 * is looked up by and was found as, what it says, and what came of it.
 */
#ifndef LB_FLOW_TERMS_H
#define LB_FLOW_TERMS_H

#include "bpf/flow_layout.h"
#include "bpf/flow_maps.h"

#define LB_READ(x) (*(const volatile __typeof__(x) *)&(x))
#define LB_WRITE(x, value) (*(volatile __typeof__(x) *)&(x) = (value))
#define LB_BARRIER() asm volatile("" ::: "memory")

/* what a packet is looked up by */
struct flow_key {
	struct lb_tuple tuple;
	struct lb_addr src; /* IPv6 only, like dst: IPv4 leaves both unset */
	struct lb_addr dst;
};

/* a line that carried the key's tuple when `word` was read */
struct flow_hit {
	struct lb_flow *line; /* IPv6: a struct lb_flow6 */
	__u64 word;
	__u32 index;
};

/* what a packet says: TCP's flags as in its header, or that it has none */
#define FLOW_FIN 0x01u
#define FLOW_SYN 0x02u
#define FLOW_RST 0x04u
#define FLOW_ACK 0x10u
#define FLOW_TCP_FLAGS (FLOW_FIN | FLOW_SYN | FLOW_RST)
#define FLOW_DATAGRAM 0x100u /* UDP: who sends, and how often, is all */
/*
 * SCTP, in TCP's words: INIT is SYN, and INIT ACK with ACK; SHUTDOWN and what
 * answers it is FIN, ABORT is RST. Its numbers are tags.
 */
#define FLOW_SCTP 0x1000u
#define FLOW_REFLECTED 0x2000u /* FIN, RST: the tag is its sender's */
#define FLOW_COOKIE 0x4000u /* COOKIE ECHO, COOKIE ACK */
#define FLOW_SCTP_FLAGS \
	(FLOW_TCP_FLAGS | FLOW_ACK | FLOW_REFLECTED | FLOW_COOKIE)
/* added here */
#define FLOW_ANSWERED 0x200u
#define FLOW_FROM_MEMBER 0x400u
#define FLOW_ASTRAY 0x800u /* its numbers are not the connection's */

struct flow_said {
	__u32 flags;
	__u32 seq; /* TCP; SCTP: the Initiate Tag, of INIT and INIT ACK */
	__u32 ack; /* SCTP: the Verification Tag */
	__u16 payload;
};

/* Flags and payload in one word: a global function has five arguments. */
static __always_inline __u32 flow_what(const struct flow_said *said)
{
	return said->flags | (__u32)said->payload << 16;
}

/* what became of a packet's wish to change its flow's state */
enum flow_change {
	FLOW_SWALLOWED = -3, /* a refusal: another member is tried first */
	FLOW_LOST = -2, /* another CPU has just changed it: look again */
	FLOW_OVER_LIMIT = -1, /* its listener has all the connections it may */
	FLOW_UNCHANGED = 0,
	FLOW_CHANGED = 1,
};

union way_word {
	struct lb_way as;
	__u64 word;
};

/* why there is no line; a line's index is never negative */
enum flow_refusal {
	FLOW_EXISTS = -1, /* the tuple is live already */
	FLOW_NO_ROOM = -2, /* both buckets are full */
	FLOW_BUSY_BUCKET = -3, /* the lock was not to be had */
};

static __always_inline __u32 flow_lines(const int family)
{
	return family == LB_IPV6 ? lb_lines6 : lb_lines;
}

/* The tick to put in `seen`. 0, which is no tick, if the map has no entry. */
static __always_inline __u32 flow_tick(void)
{
	__u32 zero = 0;
	struct lb_clock *clock = bpf_map_lookup_elem(&lb_clock, &zero);

	return clock ? LB_READ(clock->tick) : 0;
}

static __always_inline int flow_same_words(const void *a, const void *b,
					   const int words)
{
	const __u64 *x = a, *y = b;

#pragma unroll
	for (int i = 0; i < words; i++)
		if (x[i] != y[i])
			return 0;
	return 1;
}

#endif
