/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The one header that the kernel half and the agent share: keys and values of
 * every map, verdicts, limits. Addresses, ports and MACs are in network byte
 * order (__be16, __be32); everything else is host order. Padding is explicit
 * and zero. A change of any layout or meaning raises LB_ABI_VERSION; a map that
 * is only added has a bit in lb_info.features, and needs no other version.
 */
#ifndef LB_ABI_H
#define LB_ABI_H

#include <linux/types.h>

#include "bpf/lb_verdicts.h"

#ifdef __cplusplus
#define LB_STATIC_ASSERT static_assert
#else
#define LB_STATIC_ASSERT _Static_assert
#endif

#include "bpf/lb_ports.h"

#define LB_ABI_VERSION 6
/* whose flows are taken over, from this version on (docs/handover.md) */
#define LB_ABI_OLDEST 2

/* ids: 0 is never given out, so that an all-zero entry names nothing */
#define LB_MAX_SERVICES 1024
#define LB_MAX_RINGS 2048
#define LB_MAX_BACKENDS 32768
#define LB_MAX_NEXTHOPS 16384
#define LB_MAX_CIDRS 65536
#define LB_MAX_DEVS 64 /* interfaces that packets can leave by */
#define LB_MAX_CPUS 64 /* rings of half-open flows; a power of two */
#define LB_MAX_VIPS 32 /* of a listener that has a limit */

/* address families, as in the tuple; not AF_*, so that they fit everywhere */
#define LB_IPV4 4
#define LB_IPV6 6

/*
 * An address of either family, network byte order. IPv4 lies in ip[0], the
 * other words are zero; the family is said beside it, never guessed.
 */
struct lb_addr {
	__be32 ip[4];
};
LB_STATIC_ASSERT(sizeof(struct lb_addr) == 16, "lb_addr");

/* an Octavia id (RFC 4122, network order); opaque here, so dumps can name it */
struct lb_tag {
	__u8 uuid[16];
};

/* ---- services: lb_services, HASH ------------------------------------- */

#include "bpf/lb_rates.h"

struct lb_service_key {
	struct lb_addr vip;
	__be16 port;
	__u8 proto; /* IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP */
	__u8 family; /* LB_IPV4, LB_IPV6 */
};
LB_STATIC_ASSERT(sizeof(struct lb_service_key) == 20, "lb_service_key");

enum lb_scheduler {
	LB_SCHEDULE_RING, /* weighted round robin: the ring is the schedule */
	LB_LEAST_CONNECTIONS, /* the ring lists the backends, each once */
	LB_HASH_SOURCE, /* Maglev by source address */
	LB_HASH_TUPLE, /* Maglev by source address and port */
};

#define LB_SERVICE_DISABLED 1u /* admin_state_up false: no new flows */
#define LB_SERVICE_TO_KERNEL 2u /* a proxy's: no new flows, it has them all */
#define LB_SERVICE_PERSISTENT 4u /* session persistence by source address */

struct lb_service {
	__u32 id; /* 1 .. LB_MAX_SERVICES - 1; index of the counters */
	__u32 ring; /* index in lb_rings; 0: no pool, or no usable member */
	__u32 cidr_set; /* lb_cidrs entries of this set may connect; 0: all */
	__u32 connection_limit; /* of the listener; 0: none (lb_limits) */
	__u32 scheduler; /* enum lb_scheduler */
	__u32 flags; /* LB_SERVICE_* */
	__u32 client_timeout; /* ms, timeout_client_data */
	__u32 member_timeout; /* ms, timeout_member_data */
	__u32 connect_timeout; /* ms, timeout_member_connect */
	__u32 persistence_timeout; /* ms since a flow was opened; 0: none */
	struct lb_rates rates;
	struct lb_addr persistence_mask; /* clients alike under it are one */
	struct lb_tag listener; /* Octavia's id of the listener */
	struct lb_tag load_balancer; /* and of its load balancer */
	struct lb_tag pool; /* and of its pool; zero: none */
};
LB_STATIC_ASSERT(sizeof(struct lb_service) == 120, "lb_service");

/* ---- rings: lb_rings, ARRAY_OF_MAPS of ARRAY ------------------------- */

/*
 * A ring is an ARRAY of these cells. Cell 0 is the head, cells 1 and 2 are
 * the id of the pool, slot s is backend[s % 4] of cell LB_RING_HEAD + s / 4.
 * Slots name backends (index in lb_backends); none is 0.
 */
#define LB_RING_HEAD 3
#define LB_RING_CELL_SLOTS 4
#define LB_MAX_RING_SLOTS 65537 /* Maglev's size: a prime */

struct lb_ring_cell {
	union {
		struct {
			__u32 slots; /* 1 .. LB_MAX_RING_SLOTS */
			__u16 family;
			__u16 members; /* backends that it names */
		} head;
		__u8 pool[8]; /* half an lb_tag */
		__u16 backend[LB_RING_CELL_SLOTS];
	};
};
LB_STATIC_ASSERT(sizeof(struct lb_ring_cell) == 8, "lb_ring_cell");

/* ---- backends: lb_backends, ARRAY ------------------------------------ */

#define LB_BACKEND_PRESENT 1u /* an all-zero entry is no backend */
#define LB_BACKEND_SNAT_VIP 2u /* the packet's VIP is the source address */
#define LB_BACKEND_GONE 4u /* member removed or down: a SYN starts afresh */
#define LB_BACKEND_RETURNING 8u /* persistent clients may; weight 0 too */
#define LB_BACKEND_PROXIED 16u /* sockets of HAProxy's connect to it, too */
#define LB_BACKEND_SNAT_FLOATS 32u /* its `snat` goes where the VIPs go */

struct lb_backend {
	struct lb_addr addr;
	struct lb_addr snat; /* source towards it, unless LB_BACKEND_SNAT_VIP */
	__be16 port;
	__u16 nexthop; /* index in lb_nexthops */
	__u16 weight; /* 1 .. 256 in a ring; 0: drains */
	__u8 family;
	__u8 flags; /* LB_BACKEND_* */
	struct lb_tag member; /* Octavia's ids of the member */
	struct lb_tag pool; /* and of its pool */
};
LB_STATIC_ASSERT(sizeof(struct lb_backend) == 72, "lb_backend");

/* ---- session persistence: lb_clients ---------------------------------- */

#include "bpf/lb_clients.h"

/* ---- allowed_cidrs: lb_cidrs, LPM_TRIE ------------------------------- */

#define LB_CIDR_SET_BITS 32 /* prefixlen counts these, then the address */

struct lb_cidr_key {
	__u32 prefixlen; /* LB_CIDR_SET_BITS + the CIDR's own length */
	__be32 set; /* network order: the trie compares bytes */
	struct lb_addr addr;
};
LB_STATIC_ASSERT(sizeof(struct lb_cidr_key) == 24, "lb_cidr_key");

struct lb_cidr {
	__u32 set;
};

/* ---- next hops ------------------------------------------------------- */

/*
 * Who a next hop is: a neighbour on an interface (a client's side: found by
 * bpf_fib_lookup when a flow begins), or, with ifindex 0, a destination whose
 * route the agent follows (a member). lb_nexthop_ids (HASH) gives its id,
 * lb_nexthops (ARRAY) its L2 header. Free ids come from lb_nexthop_free
 * (QUEUE): taken by whoever needs one, given back by the agent alone (and by
 * a program run that found that another one was first).
 */
struct lb_nexthop_key {
	struct lb_addr addr;
	__u32 ifindex;
	__u32 family;
};
LB_STATIC_ASSERT(sizeof(struct lb_nexthop_key) == 24, "lb_nexthop_key");

#define LB_NEXTHOP_RESOLVED 1u /* else the kernel forwards, and resolves */
#define LB_NEXTHOP_ASK 2u /* routes changed: a flow finds its way anew */
#define LB_NEXTHOP_BACK_ONLY 4u /* takes only what came in by it (XDP_TX) */

/* in a line's `nexthop`: the id, and what else is to be known of the flow */
#define LB_NEXTHOP_ID (LB_MAX_NEXTHOPS - 1)
#define LB_LINE_TURNS 0x8000u /* may leave by where its packets came in */
#define LB_LINE_REMEMBERS \
	0x4000u /* forward line: its client is, once it is open */

/* 32 bytes; id 0 is never resolved: every id has an entry */
struct lb_nexthop {
	__u8 dst_mac[6];
	__u8 src_mac[6];
	__u32 ifindex; /* leaves by it; also the key in lb_devs */
	__u16 mtu; /* of the L3 packet, bytes */
	__u16 flags; /* LB_NEXTHOP_* */
	__u32 zero[3];
};
LB_STATIC_ASSERT(sizeof(struct lb_nexthop) == 32, "lb_nexthop");

/* lb_devs is a DEVMAP_HASH: ifindex -> ifindex */

/* lb_checksums: HASH by ifindex; programs count, the agent halves */
struct lb_checksums {
	__u64 asked; /* packets with SYN, from either side */
	__u64 partial; /* of these: those that came without their checksum */
};

/* ---- ICMP errors of our own, fragments: lb_told, lb_traces ------------ */

#include "bpf/lb_traces.h"

/* ---- the flow table (docs/flow-table.md) ----------------------------- */

#define LB_FLOW_WAYS 8 /* lines in a bucket */
#define LB_FLOW_MIN_LINES 1024
#define LB_FLOW_MAX_LINES (1 << 25)
#define LB_HALF_SHARE 16 /* one ring position for so many lines */
#define LB_FLOW_NONE 0xffffffffu

/* the low byte of the word */
enum lb_flow_state {
	LB_FLOW_FREE, /* whoever CASes it to BUSY may fill it */
	LB_FLOW_BUSY, /* one program run owns it */
	LB_FLOW_DEAD, /* forward line; the agent owns it */
	LB_FLOW_DEAD_REPLY, /* reply line; the agent owns it */
	/* live from here on */
	LB_FLOW_REPLY,
	LB_FLOW_REPLY_SEEN, /* TCP: SYN-ACK came */
	LB_FLOW_REPLY_RESET, /* the same, and then an RST of either side */
	/* live forward lines from here on: the truth about a flow */
	LB_FLOW_HALF_OPEN,
	LB_FLOW_OPEN,
	LB_FLOW_CLOSING_CLIENT, /* FIN from the client */
	LB_FLOW_CLOSING_MEMBER, /* FIN from the member */
	LB_FLOW_CLOSED, /* both FINs */
	LB_FLOW_RESET, /* RST from either side */
	LB_FLOW_STATES
};

struct lb_tuple {
	__be32 src; /* IPv6: the two words of a keyed 64-bit hash of */
	__be32 dst; /* both addresses, which the line has at its end */
	__be16 sport;
	__be16 dport;
	__u8 proto;
	__u8 family;
	__u16 zero;
} __attribute__((aligned(8)));
LB_STATIC_ASSERT(sizeof(struct lb_tuple) == 16, "lb_tuple");

struct lb_rewrite {
	__be32 src; /* IPv6: in the line's end */
	__be32 dst;
	__be16 sport;
	__be16 dport;
	__u16 ip_delta; /* one's complement, added to the inverted checksum */
	__u16 l4_delta;
} __attribute__((aligned(8)));
LB_STATIC_ASSERT(sizeof(struct lb_rewrite) == 16, "lb_rewrite");

/*
 * One direction of a flow: lb_flows. As long as the member of a flow other than
 * UDP has not answered, `next`, `bytes` of its reply line are LB_UNANSWERED.
 */
struct lb_flow {
	__u64 word; /* generation 32, ring position 24, enum lb_flow_state 8 */
	struct lb_tuple tuple;
	struct lb_rewrite rewrite;
	__u16 nexthop; /* LB_NEXTHOP_ID, LB_LINE_* */
	__u16 owner; /* forward line: service id; reply line: backend id */
	__u32 peer; /* the other line; of a reply line NONE at first */
	__u32 seen; /* tick of lb_clock */
	union {
		__u32 next; /* TCP: next byte; SCTP: sender's tag, or 0 */
		__u32 packets; /* UDP */
	};
	__u64 bytes; /* L4 payload, as HAProxy counts */
};
LB_STATIC_ASSERT(sizeof(struct lb_flow) == 64, "lb_flow");

/* LB_UNANSWERED: `next`; `bytes` are the last four backends that were tried */
#define LB_SYNS 0xffu /* SYNs that went to this one */
#define LB_OTHERS_SHIFT 8 /* how many others may still be tried */
#define LB_OTHERS 0xffu
#define LB_REFUSED 0x80000000u /* it has sent an RST */

/* lb_flows6 */
struct lb_flow6 {
	struct lb_flow line;
	struct lb_addr src;
	struct lb_addr dst;
	struct lb_addr new_src;
	struct lb_addr new_dst;
};
LB_STATIC_ASSERT(sizeof(struct lb_flow6) == 128, "lb_flow6");

/* lb_locks, lb_locks6: one per bucket */
struct lb_bucket {
	__u32 lock; /* bit 0 held, bit 1 spilled for ever, the rest counts */
	__u32 zero;
};

/* lb_half, lb_half6: rings of half-open flows, one per CPU */
struct lb_half {
	__u64 entry; /* generation 32, forward line 32 */
};

/* lb_flow_cpu, ARRAY of LB_MAX_CPUS */
struct lb_flow_cpu {
	__u32 ring[2]; /* next position: IPv4, IPv6 */
	__u32 zero[2];
	__u64 overwritten; /* half-open flows that gave way to newer ones */
	__u64 raised; /* changes of a state by which a struct lb_use grows */
	__u64 changes_lost; /* that found no room in lb_changes */
	__u64 zero2[3];
};
LB_STATIC_ASSERT(sizeof(struct lb_flow_cpu) == 64, "lb_flow_cpu");

/*
 * lb_clock: one entry, mapped. The agent alone advances the tick, so that no
 * flow ages while nobody is there to end it; it starts at 1.
 */
#define LB_TICK_MS 100

struct lb_clock {
	__u32 tick;
	__u32 flags; /* LB_TELL_*: somebody reads */
	__u64 awaits_until; /* bpf/awaited.h; ns since the system's start */
};

#include "bpf/lb_changes.h"
#include "bpf/lb_ended.h"

/*
 * lb_info: one entry, written once when the maps are made; but for the
 * features, which an agent adds that knows more than the one before it. The
 * bit of a map is set once the map is pinned.
 */
#define LB_FEATURE_HANDOVER 1u /* lb_before */
#define LB_FEATURES                                                    \
	(LB_FEATURE_HANDOVER | LB_FEATURE_ENDED | LB_FEATURE_CHANGES | \
	 LB_FEATURE_HELD)

struct lb_info {
	__u32 abi;
	__u32 cpus; /* rings of lb_half in use: a power of two */
	__u64 seed; /* keys every hash; random for each set of maps */
	__u16 snat_port_min; /* host order; kernel sockets stay below */
	__u16 snat_port_max;
	__u32 features; /* LB_FEATURE_* */
};
LB_STATIC_ASSERT(sizeof(struct lb_info) == 24, "lb_info");

/* ---- counters -------------------------------------------------------- */

/*
 * lb_service_use, lb_backend_use: ARRAY, mapped, indexed by id. Kept by
 * whoever changes the state of a flow (wins its word).
 */
struct lb_use {
	__u32 flows; /* connections: from established to both FINs or RST */
	__u32 closing; /* services: of these, what one side has closed */
	__u32 opening; /* backends: flows that are not established yet */
	__u32 turn; /* services: of weighted round robin; backends: of ports */
};
LB_STATIC_ASSERT(sizeof(struct lb_use) == 16, "lb_use");

/* lb_limits: ARRAY, indexed by service id; follows from lb_services */
struct lb_limit {
	__u32 connections; /* of the listener, all its services; 0: no limit */
	__u32 next; /* the listener's next service, in a circle */
};
LB_STATIC_ASSERT(sizeof(struct lb_limit) == 8, "lb_limit");

/* lb_verdicts: PERCPU_ARRAY, one entry */
struct lb_verdict_counters {
	__u64 packets[LB_VERDICT_COUNT];
};

/*
 * lb_service_cnt: PERCPU_ARRAY, indexed by service id. Established packets
 * are counted on the flow's lines; what a flow had counted comes here when
 * the datapath ends it, and to lb_service_sum when the agent does.
 */
struct lb_service_counters {
	__u64 verdicts[LB_VERDICT_COUNT];
	__u64 flows; /* made since the service exists */
	__u64 persisted; /* of these: to the member that the client had */
	__u64 bytes_in; /* from clients */
	__u64 bytes_out; /* from members */
};

/* lb_service_sum: ARRAY, mapped, indexed by service id; the agent's share */
struct lb_service_sum {
	__u64 bytes_in;
	__u64 bytes_out;
};

#endif
