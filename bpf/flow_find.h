/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Reading the flow table: no lock, no helper that the JIT does not inline.
 * `family` is a compile-time constant everywhere: one body, two tables.
 */
#ifndef LB_FLOW_FIND_H
#define LB_FLOW_FIND_H

#include "bpf/flow_terms.h"

/*
 * Keeps the loads before it before the loads after it. x86 does so by itself;
 * elsewhere an exchange is the one full barrier that -mcpu=v3 has.
 */
static __always_inline void flow_order_loads(void)
{
	LB_BARRIER();
	if (lb_weak_order) {
		__u64 scratch = 0;

		__sync_lock_test_and_set(&scratch, 1ull);
	}
	LB_BARRIER();
}

/* a store that comes after every store before it */
static __always_inline void flow_publish(__u64 *word, __u64 value)
{
	LB_BARRIER();
	if (lb_weak_order)
		__sync_lock_test_and_set(word, value);
	else
		LB_WRITE(*word, value);
	LB_BARRIER();
}

static __always_inline struct lb_flow *flow_line(__u32 index, const int family)
{
	if (family == LB_IPV6)
		return bpf_map_lookup_elem(&lb_flows6, &index);
	return bpf_map_lookup_elem(&lb_flows, &index);
}

static __always_inline struct lb_bucket *flow_bucket(__u32 line,
						     const int family)
{
	__u32 index = line / LB_FLOW_WAYS;

	if (family == LB_IPV6)
		return bpf_map_lookup_elem(&lb_locks6, &index);
	return bpf_map_lookup_elem(&lb_locks, &index);
}

/*
 * IPv6: what stands for the addresses in the tuple. Call it once src and dst
 * are set, before the key is used.
 */
static __always_inline void flow_hash_addresses(struct lb_tuple *tuple,
						const struct lb_addr *src,
						const struct lb_addr *dst)
{
	__u64 hash = lb_hash_addresses(src, dst, lb_seed);

	tuple->src = (__be32)hash;
	tuple->dst = (__be32)(hash >> 32);
}

static __always_inline __u64 flow_hash(const struct lb_tuple *tuple)
{
	return lb_hash_tuple(tuple, lb_seed);
}

/*
 * Does line `index` carry this tuple now? `addresses` is the source, the
 * destination right behind it; not looked at for IPv4.
 */
static __always_inline int flow_read(__u32 index, const struct lb_tuple *tuple,
				     const struct lb_addr *addresses,
				     const int family, struct flow_hit *hit)
{
	struct lb_flow *line = flow_line(index, family);
	__u64 word;

	if (!line)
		return 0;
	word = LB_READ(line->word);
	flow_order_loads();
	if (!lb_word_is_live(word) || !flow_same_words(&line->tuple, tuple, 2))
		return 0;
	if (family == LB_IPV6 &&
	    !flow_same_words(&((struct lb_flow6 *)line)->src, addresses, 4))
		return 0;
	hit->line = line;
	hit->word = word;
	hit->index = index;
	return 1;
}

/* the bucket of this line, which is tried first */
static __always_inline int flow_scan(__u32 preferred,
				     const struct lb_tuple *tuple,
				     const struct lb_addr *addresses,
				     const int family, struct flow_hit *hit)
{
#pragma unroll
	for (__u32 i = 0; i < LB_FLOW_WAYS; i++)
		if (flow_read(preferred ^ i, tuple, addresses, family, hit))
			return 1;
	return 0;
}

/* Where the tuple is, if not at its preferred line; LB_FLOW_NONE: nowhere. */
static __always_inline __u32 flow_search(const struct lb_tuple *tuple,
					 const struct lb_addr *addresses,
					 __u64 hash, const int family)
{
	const __u32 home = lb_home_line(hash, flow_lines(family));
	struct lb_bucket *bucket;
	struct flow_hit hit;

	if (flow_scan(home, tuple, addresses, family, &hit))
		return hit.index;
	bucket = flow_bucket(home, family);
	if (!bucket || !(LB_READ(bucket->lock) & LB_BUCKET_SPILLED))
		return LB_FLOW_NONE;
	return flow_scan(lb_second_line(hash, flow_lines(family)), tuple,
			 addresses, family, &hit)
		       ? hit.index
		       : LB_FLOW_NONE;
}

__noinline __u32 flow_search4(const struct lb_tuple *tuple, __u64 hash)
{
	return tuple ? flow_search(tuple, 0, hash, LB_IPV4) : LB_FLOW_NONE;
}

__noinline __u32 flow_search6(const struct flow_key *key, __u64 hash)
{
	return key ? flow_search(&key->tuple, &key->src, hash, LB_IPV6)
		   : LB_FLOW_NONE;
}

/* The searches get a copy, so that the key itself can stay in registers. */
static __always_inline __u32 flow_search_elsewhere(const struct flow_key *key,
						   __u64 hash, const int family)
{
	if (family == LB_IPV6) {
		struct flow_key copy = *key;

		return flow_search6(&copy, hash);
	} else {
		struct lb_tuple copy = key->tuple;

		return flow_search4(&copy, hash);
	}
}

/*
 * Finds the line of the key; 0: there is none. Use of the hit's line must be
 * followed by flow_is_still() before the packet leaves. Three of four flows
 * are at their preferred line, and only that is looked at here.
 */
static __always_inline int flow_find(const struct flow_key *key, __u64 hash,
				     const int family, struct flow_hit *hit)
{
	__u32 index = lb_home_line(hash, flow_lines(family));

	if (flow_read(index, &key->tuple, &key->src, family, hit))
		return 1;
	index = flow_search_elsewhere(key, hash, family);
	return flow_read(index, &key->tuple, &key->src, family, hit);
}

/*
 * To be asked after everything was read from the line: was it one flow's all
 * the time? 0: that flow has just ended, and the packet is dropped.
 */
static __always_inline int flow_is_still(const struct flow_hit *hit)
{
	flow_order_loads();
	return lb_word_same_generation(LB_READ(hit->line->word), hit->word);
}

/* Counts a packet of this direction: `bytes` of L4 payload. */
static __always_inline void flow_count(struct lb_flow *line, __u32 tick,
				       __u32 bytes)
{
	line->seen = tick;
	line->bytes += bytes;
}

/*
 * So far from the direction's next byte a number may be: more than a burst of
 * segments that were lost before us, and a guess hits one time in 16,384.
 */
#define FLOW_NEAR (1u << 17)

static __always_inline int flow_is_near(const struct lb_flow *line, __u32 seq)
{
	return seq - LB_READ(line->next) + FLOW_NEAR <= 2 * FLOW_NEAR;
}

/*
 * TCP: this direction has sent up to here. Neither old nor wild moves it; 0: it
 * is wild, and flow_jump() says whether it counts.
 */
static __always_inline int flow_advance(struct lb_flow *line, __u32 end)
{
	const __u32 by = end - line->next;

	if (__builtin_expect(by < FLOW_NEAR, 1)) {
		line->next = end;
		return 1;
	}
	return (__s32)by < 0;
}

#endif
