/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * What both halves compute about the flow table: the word of a line, the hash
 * of a tuple, the two buckets a tuple may lie in, and the same of a client that
 * is remembered. Plain C, no map.
 */
#ifndef LB_FLOW_LAYOUT_H
#define LB_FLOW_LAYOUT_H

#include "bpf/lb_abi.h"

/* ---- the word: generation 32, ring position 24, state 8 --------------- */

#define LB_WORD_STATE 0xffull
#define LB_WORD_POSITION_SHIFT 8
#define LB_WORD_POSITION_MASK 0xffffffu
#define LB_WORD_GENERATION 0xffffffff00000000ull

static inline __u32 lb_word_state(__u64 word)
{
	return (__u32)(word & LB_WORD_STATE);
}

/* the position in the ring of half-open flows that the flow was made with */
static inline __u32 lb_word_position(__u64 word)
{
	return (__u32)(word >> LB_WORD_POSITION_SHIFT) & LB_WORD_POSITION_MASK;
}

static inline __u64 lb_word_with_state(__u64 word, __u32 state)
{
	return (word & ~LB_WORD_STATE) | state;
}

/* free, one generation on: what a line becomes when it stops being live */
static inline __u64 lb_word_next(__u64 word)
{
	return ((word >> 32) + 1) << 32;
}

static inline int lb_word_is_live(__u64 word)
{
	return lb_word_state(word) >= LB_FLOW_REPLY;
}

/* live, and the forward line */
static inline int lb_word_is_forward(__u64 word)
{
	return lb_word_state(word) >= LB_FLOW_HALF_OPEN;
}

/* where a flow in this state counts, of struct lb_use */
#define LB_USE_FLOWS 1u
#define LB_USE_CLOSING 2u
#define LB_USE_OPENING 4u

static inline __u32 lb_state_uses(__u32 state)
{
	switch (state) {
	case LB_FLOW_HALF_OPEN:
		return LB_USE_OPENING;
	case LB_FLOW_OPEN:
		return LB_USE_FLOWS;
	case LB_FLOW_CLOSING_CLIENT:
	case LB_FLOW_CLOSING_MEMBER:
		return LB_USE_FLOWS | LB_USE_CLOSING;
	}
	return 0;
}

/* Are the reply line's bytes such, and not LB_UNANSWERED? */
static inline int lb_counts_answers(const struct lb_flow *forward, __u32 state)
{
	return state != LB_FLOW_HALF_OPEN || forward->tuple.proto == 17;
}

/*
 * A forward line that the agent ends keeps the state it was in where its ring
 * position was: who releases it, perhaps another agent, counts it out by that.
 */
static inline __u64 lb_word_dead(__u64 word)
{
	return (word & LB_WORD_GENERATION) |
	       (__u64)lb_word_state(word) << LB_WORD_POSITION_SHIFT |
	       LB_FLOW_DEAD;
}

static inline __u32 lb_word_died_as(__u64 word)
{
	return lb_word_position(word);
}

static inline int lb_word_same_generation(__u64 a, __u64 b)
{
	return !((a ^ b) >> 32);
}

/* ---- the eight bytes that the next hop is in, which change as one ------- */

struct lb_way {
	__u16 nexthop;
	__u16 owner;
	__u32 peer;
};
LB_STATIC_ASSERT(sizeof(struct lb_way) == 8, "lb_way");
LB_STATIC_ASSERT(__builtin_offsetof(struct lb_flow, nexthop) % 8 == 0 &&
			 __builtin_offsetof(struct lb_flow, peer) ==
				 __builtin_offsetof(struct lb_flow, nexthop) +
					 4,
		 "lb_way");

static inline __u64 *lb_way_of(struct lb_flow *line)
{
	return (__u64 *)&line->nexthop;
}

/* ---- the hash ---------------------------------------------------------- */

static inline __u64 lb_load64(const void *from)
{
	__u64 value;

	__builtin_memcpy(&value, from, sizeof(value));
	return value;
}

/*
 * One word into a chain. The shift comes before the multiplication: a
 * difference in high bits alone must not pass through it unchanged, or
 * colliding addresses could be made without knowing the seed.
 */
static inline __u64 lb_hash_step(__u64 hash, __u64 word)
{
	hash ^= word;
	hash ^= hash >> 32;
	return hash * 0xd6e8feb86659fd93ull;
}

/*
 * Eight bytes of an address. Both halves are keyed before they are multiplied,
 * to the full width of the product: no difference passes it unchanged.
 */
static inline __u64 lb_hash_half(const __be32 *words, __u64 key)
{
	const __u32 a = words[0] + (__u32)key,
		    b = words[1] + (__u32)(key >> 32);

	return (__u64)a * b;
}

/*
 * IPv6: stands in for the two addresses in lb_tuple (src low, dst high). Four
 * products with keys of their own, none of which waits for another.
 */
static inline __u64 lb_hash_addresses(const struct lb_addr *src,
				      const struct lb_addr *dst, __u64 seed)
{
	return lb_hash_half(&src->ip[0], seed * 0x9e3779b97f4a7c15ull) +
	       lb_hash_half(&src->ip[2], seed * 0xd1342543de82ef95ull) +
	       lb_hash_half(&dst->ip[0], seed * 0xaef17502108ef2d9ull) +
	       lb_hash_half(&dst->ip[2], seed * 0xd6e8feb86659fd93ull);
}

static inline __u64 lb_hash_tuple(const struct lb_tuple *tuple, __u64 seed)
{
	const char *words = (const char *)tuple;
	__u64 hash = lb_load64(words) ^ seed;

	hash *= 0x9e3779b97f4a7c15ull;
	hash ^= hash >> 32;
	hash += lb_load64(words + 8);
	hash *= 0xd6e8feb86659fd93ull;
	hash ^= hash >> 32;
	return hash * 0xd6e8feb86659fd93ull;
}

/*
 * A client of a service, by its address under the service's mask. Chained as
 * a tuple is; the low bits are the service's id, which is never 0.
 */
static inline __u64 lb_client_who(const struct lb_addr *client, __u32 service,
				  __u64 seed)
{
	__u64 hash = lb_hash_step(seed, service);

	hash = lb_hash_step(hash, lb_load64(&client->ip[0]));
	hash = lb_hash_step(hash, lb_load64(&client->ip[2]));
	return (hash & ~(__u64)LB_CLIENT_SERVICE) | service;
}

static inline __u32 lb_client_service(__u64 who)
{
	return (__u32)who & LB_CLIENT_SERVICE;
}

/*
 * The backend, which counts only while it is of the service's pool; and the
 * tick of lb_clock of the last flow that was opened.
 */
static inline __u64 lb_client_has(__u32 backend, __u32 seen)
{
	return (__u64)seen << 32 | backend;
}

static inline __u32 lb_client_backend(__u64 has)
{
	return (__u32)has;
}

static inline __u32 lb_client_seen(__u64 has)
{
	return (__u32)(has >> 32);
}

static inline __u32 lb_client_home(__u64 who)
{
	return (__u32)(who >> 32) / (0xffffffffu / LB_CLIENT_BUCKETS + 1);
}

/* ---- the buckets ------------------------------------------------------- */

/* of the lock */
#define LB_BUCKET_HELD 1u
#define LB_BUCKET_SPILLED 2u /* for ever */
#define LB_BUCKET_ROUND 4u /* counts the holders */

/* the preferred line; its bucket (all lines ^ 0 .. 7) is the home bucket */
static inline __u32 lb_home_line(__u64 hash, __u32 lines)
{
	return (__u32)(hash >> 20) & (lines - 1);
}

/* the same for the second bucket, which is never the home bucket */
static inline __u32 lb_second_line(__u64 hash, __u32 lines)
{
	__u32 home = lb_home_line(hash, lines);

	return (home ^ ((__u32)hash | 1) * LB_FLOW_WAYS) & (lines - 1);
}

#endif
