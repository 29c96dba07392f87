/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * What programs remember of packets for a while: who was told why his did not
 * go on, and of which packet more fragments are to come. Part of lb_abi.h.
 */
#ifndef LB_TRACES_H
#define LB_TRACES_H

/*
 * lb_told: LRU_HASH by address: senders that were told by ICMP why their
 * packets do not go on, and what they may yet be told (bpf/tell.h)
 */
#define LB_MAX_TOLD 4096

struct lb_told {
	__u64 at; /* ns since the start of the system */
	__u64 credit; /* ns */
};

/* by what the fragments of a packet know each other (RFC 791, RFC 8200) */
struct lb_trace_key {
	struct lb_addr src;
	struct lb_addr dst;
	__be32 id; /* IPv4: in the first two bytes */
	__u8 proto; /* IPv4 */
	__u8 family;
	__u16 zero;
};
LB_STATIC_ASSERT(sizeof(struct lb_trace_key) == 40, "lb_trace_key");

#define LB_MAX_TRACES 4096 /* packets of which fragments may yet come */
#define LB_FRAGMENT_UNIT 8 /* offsets and lengths are in these */
#define LB_TRACE_WORDS 128 /* a bit for each unit of the largest packet */
#define LB_FRAGMENT_IDS 1024 /* lb_frag_ids: counters, of pairs of ends */

/* lb_traces: LRU_HASH */
struct lb_trace {
	__u64 who; /* hash of the key: a program may still look at an old one */
	__u64 word; /* of the flow's line, when the first fragment came */
	__u64 began; /* ns since the start of the system */
	__u32 line;
	__u32 id; /* the fragments leave with this one */
	__u32 fragments;
	__u32 units; /* that have come */
	__u32 end; /* in units, once the last one has come */
	__u32 spoilt; /* overlapping: no more are sent */
	__u64 covered[LB_TRACE_WORDS];
};
LB_STATIC_ASSERT(sizeof(struct lb_trace) == 48 + 8 * LB_TRACE_WORDS,
		 "lb_trace");

/* as long as receivers wait (ipfrag_time) */
#define LB_TRACE_LASTS_NS 30000000000ull

/*
 * lb_passed: LRU_HASH by the same key: packets whose first fragment is the
 * kernel's; the value is when it came. As many as traces.
 */

/*
 * lb_held, RINGBUF: fragments that came before the first one of their packet
 * (bpf/hold.h). The agent keeps them for a while, and gives them to the
 * program again, with a link-layer source of zeros. What finds no room, or is
 * larger, is the kernel's.
 */
#define LB_FEATURE_HELD 8u /* both */
#define LB_HELD_BYTES (1u << 19) /* some 240 */
#define LB_HELD_FRAME 2048

struct lb_held {
	struct lb_trace_key key;
	__u64 at; /* ns since the start of the system */
	__u32 ifindex; /* by which it came */
	__u32 bytes; /* of the frame */
	__u8 frame[LB_HELD_FRAME];
};
LB_STATIC_ASSERT(sizeof(struct lb_held) == 56 + LB_HELD_FRAME, "lb_held");

#endif
