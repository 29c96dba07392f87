// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/*
 * Hammers the flow table: few lines, few tuples, few SNAT ports, so that every
 * race happens often. No packet is looked at; what a packet would say is
 * drawn by lot. All that a reader copies from a line is sealed by a checksum
 * in it: a torn or a foreign read cannot pass.
 */
#include "bpf/flow_table.h"
#include "tests/bpf/flow_table/flow_stress.h"

const volatile __u32 stress_tuples = 64; /* half of them IPv6 */
const volatile __u32 stress_ports = 16; /* SNAT ports of each member */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, STRESS_COUNTS);
} stress_counts SEC(".maps");

/* as in the program: the stack is for the frames of the table's functions */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct lb_flow6);
	__uint(max_entries, 1);
} stress_made SEC(".maps");

static __always_inline void note_times(__u32 what, __u64 times)
{
	__u64 *count = bpf_map_lookup_elem(&stress_counts, &what);

	if (count)
		*count += times;
}

static __always_inline void note(__u32 what)
{
	note_times(what, 1);
}

static __always_inline __u64 mix(__u64 a, __u64 b)
{
	a = (a ^ b) * 0x9e3779b97f4a7c15ull;
	return a ^ a >> 29;
}

/* Without what changes in a life: the first packet here of a flow of another
 * node takes its mark away. */
static __always_inline __u32 seal(const struct lb_flow6 *line, const int family)
{
	const __u64 *tuple = (const __u64 *)&line->line.tuple;
	const __u64 *rewrite = (const __u64 *)&line->line.rewrite;
	const __u64 *addresses = (const __u64 *)&line->src;
	__u64 sum = mix(tuple[0], tuple[1]);

	sum = mix(sum, rewrite[0]);
	sum = mix(sum, (__u64)line->line.rewrite.sport << 48 |
			       (__u64)line->line.rewrite.dport << 32 |
			       (__u32)(line->line.nexthop & ~LB_LINE_FOREIGN)
				       << 16 |
			       line->line.owner);
	if (family == LB_IPV6)
		for (int i = 0; i < 8; i++)
			sum = mix(sum, addresses[i]);
	return (__u32)(sum >> 32) ^ (__u32)sum;
}

static __always_inline void set_seal(struct lb_flow6 *line, const int family)
{
	__u32 sum = seal(line, family);

	line->line.rewrite.ip_delta = (__u16)sum;
	line->line.rewrite.l4_delta = (__u16)(sum >> 16);
}

/* Sometimes long enough for another CPU to fill the line anew. */
static __always_inline void dawdle(void)
{
	if (bpf_get_prandom_u32() & 15)
		return;
	for (int i = 0; i < 64; i++)
		bpf_get_prandom_u32();
}

/* Copies what a packet would use, and only then asks. 0: recycled. */
static __always_inline int check(const struct flow_key *key,
				 const struct flow_hit *hit, const int family)
{
	struct lb_flow6 seen;
	__u32 sum;

	seen.line.tuple = key->tuple;
	seen.line.rewrite = hit->line->rewrite;
	dawdle();
	seen.line.nexthop = hit->line->nexthop;
	seen.line.owner = hit->line->owner;
	if (family == LB_IPV6) {
		const struct lb_flow6 *line = (const void *)hit->line;

		seen.src = key->src;
		seen.dst = key->dst;
		seen.new_src = line->new_src;
		seen.new_dst = line->new_dst;
	}
	if (!flow_is_still(hit)) {
		note(STRESS_RECYCLED);
		return 0;
	}
	sum = seal(&seen, family);
	if (seen.line.rewrite.ip_delta != (__u16)sum ||
	    seen.line.rewrite.l4_delta != (__u16)(sum >> 16))
		note(STRESS_TORN);
	return 1;
}

/* IPv6: every pair of addresses has the same hash; comparing must tell them */
static __always_inline void set_addresses(struct lb_tuple *tuple,
					  struct lb_addr *addresses, __u32 src,
					  __u32 dst, const int family)
{
	tuple->src = family == LB_IPV6 ? 1 : src;
	tuple->dst = family == LB_IPV6 ? 2 : dst;
	if (family == LB_IPV6)
		for (int i = 0; i < 4; i++) {
			addresses[0].ip[i] = src + i;
			addresses[1].ip[i] = dst + i;
		}
}

static __always_inline void reply_tuple(struct lb_tuple *tuple,
					struct lb_addr *addresses, __u32 member,
					__u32 port, __u8 proto,
					const int family)
{
	tuple->sport = 80;
	tuple->dport = (__u16)port;
	tuple->proto = proto;
	tuple->family = family;
	set_addresses(tuple, addresses, member, 99, family);
}

static __always_inline void client_tuple(struct lb_tuple *tuple,
					 struct lb_addr *addresses, __u32 id,
					 __u8 proto, const int family)
{
	tuple->sport = family == LB_IPV6 ? id & 0x7f : 1000 + id;
	tuple->dport = 443;
	tuple->proto = proto;
	tuple->family = family;
	set_addresses(tuple, addresses, 0x1000 + id, 7, family);
}

/*
 * The SNAT port is ours when its reply tuple is in the table. The next one is
 * drawn at the end of the loop's body, and nothing is counted in it: 6.1
 * refuses a loop that is entered in its middle.
 */
static __always_inline int insert_reply(struct lb_flow6 *made, __u32 id,
					const int family)
{
	const __u32 member = made->line.owner;
	const __u8 proto = made->line.tuple.proto;
	int result = FLOW_NO_ROOM;
	__u32 port = id;
	__u64 i;

	/* 64 bits: the verifier knows a spilled counter by whole slots only */
	for (i = 0; i < 16; i++) {
		reply_tuple(&made->line.tuple, &made->src, member,
			    port % stress_ports, proto, family);
		set_seal(made, family);
		result = flow_insert(made, family);
		if (result != FLOW_EXISTS && result != FLOW_NO_ROOM)
			break;
		port = (id * 31 + (__u32)i + 1) * 0x9e3779b1u >> 13;
	}
	note_times(STRESS_PORT_TAKEN, i);
	return result;
}

__noinline int insert_reply4(struct lb_flow6 *made, __u32 id)
{
	return made ? insert_reply(made, id, LB_IPV4) : FLOW_NO_ROOM;
}

__noinline int insert_reply6(struct lb_flow6 *made, __u32 id)
{
	return made ? insert_reply(made, id, LB_IPV6) : FLOW_NO_ROOM;
}

/* Is the tuple of this line live a second time while it is live there? */
static __always_inline int twice(__u32 index, const struct lb_flow6 *made,
				 const int family)
{
	const struct lb_tuple *tuple = &made->line.tuple;
	__u64 hash = flow_hash(tuple);
	__u32 home = lb_home_line(hash, flow_lines(family));
	__u32 second = lb_second_line(hash, flow_lines(family));
	struct flow_hit own, other;

	if (!flow_read(index, tuple, &made->src, family, &own))
		return 0;
#pragma nounroll
	for (__u32 i = 0; i < 2 * LB_FLOW_WAYS; i++) {
		__u32 line = (i < LB_FLOW_WAYS ? home : second) ^
			     (i & (LB_FLOW_WAYS - 1));

		if (line == index)
			continue;
		if (flow_read(line, tuple, &made->src, family, &other) &&
		    lb_word_is_live(LB_READ(own.line->word)) &&
		    flow_is_still(&own) && flow_is_still(&other))
			return 1;
	}
	return 0;
}

__noinline int twice4(__u32 index, const struct lb_flow6 *made)
{
	return made ? twice(index, made, LB_IPV4) : 0;
}

__noinline int twice6(__u32 index, const struct lb_flow6 *made)
{
	return made ? twice(index, made, LB_IPV6) : 0;
}

/* TCP flags by lot: the handshake goes on, later it is mostly a bare ACK */
static __always_inline __u32 draw_flags(__u64 word, __u8 proto, __u32 lot)
{
	if (proto == STRESS_UDP)
		return FLOW_DATAGRAM;
	if (lb_word_state(word) == LB_FLOW_REPLY && (lot & 3))
		return FLOW_SYN | FLOW_ACK;
	switch (lot & 15) {
	case 0:
	case 1:
		return FLOW_FIN | FLOW_ACK;
	case 2:
		return (lot & 0x10) ? FLOW_RST : FLOW_SYN;
	}
	return FLOW_ACK;
}

static __always_inline void follow(const struct flow_hit *hit, __u8 proto,
				   __u32 lot, const int family)
{
	/* numbers that are near, and far now and then */
	struct flow_said said = {
		.flags = draw_flags(hit->word, proto, lot),
		.seq = (lot >> 20 & 15) ? 0 : lot,
		.ack = (lot >> 24 & 15) ? 0 : lot,
		.payload = 60,
	};

	flow_count(hit->line, flow_tick(), 60);
	if (flow_is_eventful(hit->word, said.flags) &&
	    flow_note(hit, &said, family) == FLOW_CHANGED)
		note(STRESS_CHANGED);
}

static __always_inline int from_member(__u32 port, __u32 lot, __u32 member,
				       __u8 proto, const int family)
{
	struct flow_key key = {};
	struct flow_hit hit;

	reply_tuple(&key.tuple, &key.src, member, port, proto, family);
	if (!flow_find(&key, flow_hash(&key.tuple), family, &hit) ||
	    !check(&key, &hit, family))
		return 1;
	note(STRESS_REPLIES);
	follow(&hit, proto, lot, family);
	return 2;
}

/* All but the addresses of the reply line, which comes first. */
static __always_inline void begin_flow(struct lb_flow6 *made,
				       const struct flow_key *key, __u32 lot,
				       __u32 member, const int family)
{
	*made = (struct lb_flow6){};

	made->line.word = flow_position(family);
	made->line.tuple.proto = key->tuple.proto;
	made->line.peer = LB_FLOW_NONE;
	made->line.owner = (__u16)member;
	made->line.nexthop = (__u16)lot; /* a new generation is different */
	made->line.rewrite.src = lot;
	made->new_src = key->dst;
	made->new_dst = key->src;
}

static __always_inline int new_flow(const struct flow_key *key, __u32 id,
				    __u32 lot, __u32 member, const int family)
{
	__u32 only = 0;
	struct lb_flow6 *made = bpf_map_lookup_elem(&stress_made, &only);
	int reply, forward;

	if (!made)
		return 3;
	begin_flow(made, key, lot, member, family);
	reply = family == LB_IPV6 ? insert_reply6(made, id)
				  : insert_reply4(made, id);
	if (reply < 0) {
		note(reply == FLOW_BUSY_BUCKET ? STRESS_BUSY : STRESS_NO_ROOM);
		return 3;
	}
	made->new_src = made->dst;
	made->new_dst = made->src;
	made->src = key->src;
	made->dst = key->dst;
	made->line.tuple = key->tuple;
	made->line.peer = reply;
	made->line.owner = 1 + id % STRESS_SERVICES;
	made->line.rewrite.src = ~lot;
	set_seal(made, family);
	forward = flow_insert(made, family);
	if (forward < 0) {
		note(forward == FLOW_EXISTS	   ? STRESS_SECOND_COMER
		     : forward == FLOW_BUSY_BUCKET ? STRESS_BUSY
						   : STRESS_NO_ROOM);
		flow_give_back(reply, family);
		return 4;
	}
	note(STRESS_NEW);
	if (family == LB_IPV6 ? twice6(forward, made) : twice4(forward, made))
		note(STRESS_DOUBLED);
	return 5;
}

static __always_inline int from_client(__u32 id, __u32 lot, __u32 member,
				       __u8 proto, const int family)
{
	struct flow_key key = {};
	struct flow_hit hit;

	client_tuple(&key.tuple, &key.src, id, proto, family);
	if (flow_find(&key, flow_hash(&key.tuple), family, &hit)) {
		if (!check(&key, &hit, family))
			return 1;
		note(STRESS_HITS);
		follow(&hit, proto, lot, family);
		if (!flow_is_over(hit.word) || (lot & 0x300))
			return 2;
		if (!flow_end(&hit, family))
			return 2;
		note(STRESS_RESTARTED);
	}
	return new_flow(&key, id, lot, member, family);
}

static __always_inline int operate(__u32 id, __u32 lot, const int family)
{
	__u32 member = 1 + (id >> 2) % STRESS_MEMBERS;
	__u8 proto = id & 2 ? STRESS_UDP : STRESS_TCP;

	/* the port that this flow tries first, or any */
	__u32 port = (lot & 0x20000 ? lot >> 18 : id) % stress_ports;

	if (lot & 0x10000)
		return from_member(port, lot, member, proto, family);
	return from_client(id, lot, member, proto, family);
}

SEC("xdp")
int stress(struct xdp_md *ctx)
{
	__u32 id = bpf_get_prandom_u32() % stress_tuples;
	__u32 lot = bpf_get_prandom_u32();

	return id & 1 ? operate(id, lot, LB_IPV6) : operate(id, lot, LB_IPV4);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
