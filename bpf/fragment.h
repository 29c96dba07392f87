/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Fragments: only the first one has ports. It goes the way of a whole packet
 * and leaves a trace (trace.h), which the others follow (follow.h).
 */
#ifndef LB_FRAGMENT_H
#define LB_FRAGMENT_H

#include <linux/types.h>

#include "bpf/lb_abi.h"

#define IPV4_MORE_FRAGMENTS 0x2000
#define IPV4_FRAGMENT_AT 0x1fff
#define IPV4_DONT_FRAGMENT 0x4000
#define IPV6_FRAGMENT_AT 0xfff8
#define IPV6_MORE_FRAGMENTS 0x0001

struct ipv6_fragment {
	__u8 next;
	__u8 unused;
	__be16 offset_and_more;
	__be32 id;
};

/* What a fragment's headers say: in the scratch entry. */
struct fragment {
	struct lb_trace_key key;
	__u32 at; /* IPv6: where its header is in the frame */
	__u32 from; /* in the packet that it is of */
	__u32 bytes;
	__u32 more; /* nonzero: it is not the last one */
};

#endif
