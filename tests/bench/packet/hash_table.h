/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The flow table as one would write it on a kernel HASH, behind the names of
 * bpf/flow_table.h: for comparison only. It counts use and follows TCP as the
 * real one, but has no ring of half-open flows, and nothing in it keeps the
 * two entries of a flow together.
 */
#ifndef PACKET_BENCH_HASH_TABLE_H
#define PACKET_BENCH_HASH_TABLE_H

/* instead of these */
#define LB_FLOW_FIND_H
#define LB_FLOW_CHANGE_H
#define LB_FLOW_FOLLOW_H
#define LB_FLOW_STATE_H
#define LB_FLOW_TABLE_H
/* and without these */
#define LB_CHALLENGE_H
#define LB_OFFLOAD_H
#define LB_PERSIST_H
#define LB_SIDE_H
#define LB_SYN_H
#define LB_WAY_H

#include "bpf/flow_terms.h"
#include "bpf/maps.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LB_FLOW_MIN_LINES);
	__type(key, struct lb_tuple);
	__type(value, struct lb_flow);
} bench_hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LB_FLOW_MIN_LINES);
	__type(key, struct flow_key);
	__type(value, struct lb_flow6);
} bench_hash6 SEC(".maps");

/* the kernel hashes the addresses themselves */
static __always_inline void flow_hash_addresses(struct lb_tuple *tuple,
						const struct lb_addr *src,
						const struct lb_addr *dst)
{
	tuple->src = 0;
	tuple->dst = 0;
}

static __always_inline __u64 flow_hash(const struct lb_tuple *tuple)
{
	return 0;
}

static __always_inline struct lb_flow *flow_line(__u32 index, const int family)
{
	return 0;
}

static __always_inline struct lb_flow *
hash_entry(const struct lb_tuple *tuple, const struct lb_addr *addresses,
	   const int family)
{
	struct flow_key key;

	if (family == LB_IPV4)
		return bpf_map_lookup_elem(&bench_hash, tuple);
	key.tuple = *tuple;
	key.src = addresses[0];
	key.dst = addresses[1];
	return bpf_map_lookup_elem(&bench_hash6, &key);
}

static __always_inline int flow_read(__u32 index, const struct lb_tuple *tuple,
				     const struct lb_addr *addresses,
				     const int family, struct flow_hit *hit)
{
	hit->line = hash_entry(tuple, addresses, family);
	if (!hit->line)
		return 0;
	hit->word = LB_READ(hit->line->word);
	hit->index = 0;
	return 1;
}

static __always_inline int flow_scan(__u32 preferred,
				     const struct lb_tuple *tuple,
				     const struct lb_addr *addresses,
				     const int family, struct flow_hit *hit)
{
	return flow_read(0, tuple, addresses, family, hit);
}

static __always_inline int flow_find(const struct flow_key *key, __u64 hash,
				     const int family, struct flow_hit *hit)
{
	return flow_read(0, &key->tuple, &key->src, family, hit);
}

static __always_inline int flow_is_still(const struct flow_hit *hit)
{
	return 1;
}

static __always_inline void flow_count(struct lb_flow *line, __u32 tick,
				       __u32 bytes)
{
	line->seen = tick;
	line->bytes += bytes;
}

static __always_inline void flow_order_loads(void)
{
}

static __always_inline int flow_advance(struct lb_flow *line, __u32 end)
{
	line->next = end;
	return 1;
}

static __always_inline int flow_jumps(const struct flow_hit *hit, __u32 seq,
				      __u32 ack, const int family)
{
	return 1;
}

static __always_inline int flow_is_eventful(__u64 word, __u32 flags)
{
	const __u32 state = lb_word_state(word);

	if (flags & FLOW_DATAGRAM)
		return state == LB_FLOW_REPLY;
	return (flags & FLOW_TCP_FLAGS) || state == LB_FLOW_HALF_OPEN;
}

/* As far as the benchmark goes: the handshake. */
static __always_inline int flow_note(const struct flow_hit *hit,
				     const struct flow_said *said,
				     const int family)
{
	__u32 to = lb_word_is_forward(hit->word) ? LB_FLOW_OPEN
						 : LB_FLOW_REPLY_SEEN;

	if (lb_word_is_forward(hit->word) && (said->flags & FLOW_SYN))
		return FLOW_UNCHANGED;
	__sync_val_compare_and_swap(&hit->line->word, hit->word,
				    lb_word_with_state(hit->word, to));
	return FLOW_CHANGED;
}

static __always_inline int flow_swallow(const struct flow_hit *hit)
{
	return 0;
}

static __always_inline int flow_is_tag(const struct lb_flow *line, __u32 tag)
{
	return 1;
}

static __always_inline int flow_refuse(const struct flow_hit *hit, __u32 seq,
				       const int family)
{
	return 0;
}

static __always_inline int flow_is_in_flight(const struct flow_hit *hit,
					     __u32 seq, const int family)
{
	return 1;
}

static __always_inline int flow_is_over(__u64 word)
{
	return lb_word_state(word) >= LB_FLOW_CLOSED;
}

static __always_inline int flow_end(const struct flow_hit *hit,
				    const int family)
{
	return 0;
}

static __always_inline struct lb_flow *flow_forward(const struct flow_hit *hit,
						    const int family,
						    __u32 *index, __u64 *word)
{
	return 0;
}

static __always_inline int flow_end4(__u32 forward, __u64 word)
{
	return 0;
}

static __always_inline int flow_end6(__u32 forward, __u64 word)
{
	return 0;
}

static __always_inline int flow_is_crowded(const int family)
{
	return 0;
}

static __always_inline void flow_note_gave_way(void)
{
}

static __always_inline __u64 flow_position(const int family)
{
	return 0;
}

static __always_inline int flow_give_back(__u32 reply, const int family)
{
	return 0;
}

static __always_inline void hash_use(__u32 service)
{
	struct lb_use *use = bpf_map_lookup_elem(&lb_service_use, &service);

	if (use)
		__sync_fetch_and_add(&use->flows, 1);
}

static __always_inline int hash_insert(struct lb_flow6 *made, const int family)
{
	struct flow_key key;
	long error;

	made->line.word = LB_FLOW_REPLY;
	if (made->line.peer != LB_FLOW_NONE) {
		made->line.word = LB_FLOW_HALF_OPEN;
		hash_use(made->line.owner);
	}
	if (family == LB_IPV4) {
		error = bpf_map_update_elem(&bench_hash, &made->line.tuple,
					    &made->line, BPF_NOEXIST);
	} else {
		key.tuple = made->line.tuple;
		key.src = made->src;
		key.dst = made->dst;
		error = bpf_map_update_elem(&bench_hash6, &key, made,
					    BPF_NOEXIST);
	}
	if (!error)
		return 0;
	return error == -17 ? FLOW_EXISTS : FLOW_NO_ROOM;
}

__noinline int hash_insert4(struct lb_flow6 *made)
{
	return made ? hash_insert(made, LB_IPV4) : FLOW_NO_ROOM;
}

__noinline int hash_insert6(struct lb_flow6 *made)
{
	return made ? hash_insert(made, LB_IPV6) : FLOW_NO_ROOM;
}

static __always_inline int flow_insert(struct lb_flow6 *made, const int family)
{
	return family == LB_IPV6 ? hash_insert6(made) : hash_insert4(made);
}

/* ---- what nothing is done for ------------------------------------------ */

struct packet;
struct request;

static __always_inline int
can_resend(const struct packet *p, const struct flow_hit *hit, const int family)
{
	return 0;
}

static __always_inline int resend(struct xdp_md *ctx, struct packet *p,
				  const struct flow_hit *hit, const int family)
{
	return 0;
}

static __always_inline void keep_syn(struct xdp_md *ctx,
				     const struct request *r, const int family)
{
	/* an argument that nobody uses is not handed over, but looked for */
	asm volatile("" : : "r"(ctx));
}

static __always_inline void note_offload(struct xdp_md *ctx,
					 const struct packet *p,
					 const struct flow_hit *hit,
					 const int family)
{
}

static __always_inline __u32 persistent_backend(
	const struct lb_service *service, struct request *r, const int family)
{
	return 0;
}

static __always_inline int may_have_opened(const struct flow_hit *hit,
					   __u32 flags, int change)
{
	return 0;
}

static __always_inline void remember(const struct flow_hit *hit,
				     const int family)
{
}

static __always_inline int is_of_other_side(const struct xdp_md *ctx,
					    const struct flow_hit *hit,
					    const struct lb_nexthop *hop,
					    const int family)
{
	return 0;
}

static __always_inline const struct lb_nexthop *
hop_named(const struct lb_flow *line)
{
	const __u32 id = line->nexthop & LB_NEXTHOP_ID;

	return bpf_map_lookup_elem(&lb_nexthops, &id);
}

static __always_inline const struct lb_nexthop *
hop_of(struct xdp_md *ctx, const struct flow_hit *hit, const int family)
{
	return hop_named(hit->line);
}

#endif
