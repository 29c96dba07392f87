/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* What the two halves of the packet benchmark agree about. */
#ifndef PACKET_BENCH_H
#define PACKET_BENCH_H

#include <linux/types.h>

#define BENCH_MAX_FLOWS (1u << 20)

/* how the flow of the next packet is chosen */
enum bench_order {
	BENCH_IN_TURN, /* 0, 1, 2 ... from `next` on */
	BENCH_AT_RANDOM, /* any of `mask` + 1 */
};

struct bench_control {
	__u32 order;
	__u32 next;
	__u32 mask;
	__u32 flags; /* of TCP */
	__be16 port; /* of the VIP: the service's, or that of none */
	__u16 zero;
	__u32 wrong; /* packets that were not sent */
};

/* What a flow's member sends to; the addresses' last words tell all. */
struct bench_reply {
	__be32 member;
	__be32 snat;
	__be16 sport;
	__be16 dport;
	__u32 zero;
};

#endif
