/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Making and ending flows. Slow paths are global functions: the verifier
 * looks at each once, whoever calls it. They come in two instances of one
 * body, because a global function cannot be told a constant.
 */
#ifndef LB_FLOW_CHANGE_H
#define LB_FLOW_CHANGE_H

#include "bpf/flow_changed.h"
#include "bpf/flow_ended.h"
#include "bpf/flow_find.h"
#include "bpf/flow_use.h"

#define FLOW_LOCK_TRIES 64

static __always_inline struct lb_half *flow_half(__u32 position,
						 const int family)
{
	if (family == LB_IPV6)
		return bpf_map_lookup_elem(&lb_half6, &position);
	return bpf_map_lookup_elem(&lb_half, &position);
}

/* ---- the lock of a bucket ---------------------------------------------- */

/*
 * What to unlock with; 0: busy. Only programs hold it, and they cannot be
 * killed, so it never stays locked.
 */
static __always_inline __u32 flow_lock(struct lb_bucket *bucket)
{
	for (int i = 0; i < FLOW_LOCK_TRIES; i++) {
		__u32 open = LB_READ(bucket->lock) & ~LB_BUCKET_HELD;

		if (__sync_val_compare_and_swap(&bucket->lock, open,
						open | LB_BUCKET_HELD) == open)
			return (open + LB_BUCKET_ROUND) | LB_BUCKET_HELD;
	}
	return 0;
}

static __always_inline void flow_unlock(struct lb_bucket *bucket, __u32 held)
{
	__u32 open = held & ~LB_BUCKET_HELD;

	LB_BARRIER();
	if (lb_weak_order)
		__sync_lock_test_and_set(&bucket->lock, open);
	else
		LB_WRITE(bucket->lock, open);
	LB_BARRIER();
}

/* ---- ending ------------------------------------------------------------ */

/* The flow is ours to end: its counters go to the service, its use away. */
static __always_inline void flow_settle(const struct lb_flow *forward,
					const struct lb_flow *reply,
					__u32 state)
{
	__u32 service = forward->owner;
	struct lb_service_counters *sum;

	flow_use(service, reply->owner, lb_state_uses(state), -1);
	sum = bpf_map_lookup_elem(&lb_service_cnt, &service);
	if (!sum)
		return;
	sum->bytes_in += LB_READ(forward->bytes);
	if (lb_counts_answers(forward, state))
		sum->bytes_out += LB_READ(reply->bytes);
}

/* A reply line that got no forward line. */
static __always_inline int flow_give_back(__u32 reply, const int family)
{
	struct lb_flow *line = flow_line(reply, family);

	if (line)
		flow_publish(&line->word, lb_word_next(LB_READ(line->word)));
	return 0;
}

/*
 * Ends the flow whose forward line is still in this word, and gives both
 * lines back at once. 0: somebody else changed it first.
 */
static __always_inline int flow_end_line(__u32 forward, __u64 word,
					 const int family)
{
	struct lb_flow *line = flow_line(forward, family), *reply;
	__u64 next = lb_word_next(word);

	if (!line)
		return 0;
	if (__sync_val_compare_and_swap(&line->word, word,
					next | LB_FLOW_BUSY) != word)
		return 0;
	reply = flow_line(LB_READ(line->peer), family);
	if (reply) {
		flow_settle(line, reply, lb_word_state(word));
		flow_tell_end(line, forward, word, family);
		flow_tell_step(forward, word, LB_FLOW_FREE, family);
		/* it stays this flow's as long as the forward line is busy */
		flow_publish(&reply->word, lb_word_next(LB_READ(reply->word)));
	}
	flow_publish(&line->word, next);
	return 1;
}

/* ---- the rings of half-open flows -------------------------------------- */

/* May a newer flow take its place? A reset one that was open is not there. */
static __always_inline int flow_gives_way(__u64 word, __u64 entry)
{
	__u32 state = lb_word_state(word);

	return (state == LB_FLOW_HALF_OPEN || state == LB_FLOW_RESET) &&
	       lb_word_same_generation(word, entry);
}

/* A half-open flow has ended for the sake of a newer one. */
static __always_inline void flow_note_gave_way(void)
{
	const __u32 cpu = bpf_get_smp_processor_id() & (lb_half_cpus - 1);
	struct lb_flow_cpu *own = bpf_map_lookup_elem(&lb_flow_cpu, &cpu);

	if (own)
		own->overwritten++;
}

static __always_inline __u64 flow_next_position(const int family)
{
	const __u32 cpu = bpf_get_smp_processor_id() & (lb_half_cpus - 1);
	struct lb_flow_cpu *own = bpf_map_lookup_elem(&lb_flow_cpu, &cpu);
	__u32 length = flow_lines(family) / LB_HALF_SHARE / lb_half_cpus;
	__u32 position = cpu * length;
	struct lb_flow *forward;
	struct lb_half *half;
	__u64 entry, word;

	if (!own)
		return 0;
	if (length)
		position += own->ring[family == LB_IPV6]++ & (length - 1);
	half = flow_half(position, family);
	entry = half ? LB_READ(half->entry) : 0;
	forward = entry ? flow_line((__u32)entry, family) : 0;
	if (forward) {
		word = LB_READ(forward->word);
		if (flow_gives_way(word, entry) &&
		    flow_end_line((__u32)entry, word, family))
			own->overwritten++;
	}
	return (__u64)(position & LB_WORD_POSITION_MASK)
	       << LB_WORD_POSITION_SHIFT;
}

#define FLOW_LEAST_CROWD 128 /* a shorter ring says nothing */

/*
 * Is the flow still half-open, and without an answer, that took its place an
 * eighth of this CPU's ring ago? Then there are so many that some will have to
 * give way before they can open: more senders of one-way datagrams than
 * positions. Questions that are answered are not of these, however many.
 */
static __always_inline int flow_is_crowded(const int family)
{
	const __u32 cpu = bpf_get_smp_processor_id() & (lb_half_cpus - 1);
	const struct lb_flow_cpu *own = bpf_map_lookup_elem(&lb_flow_cpu, &cpu);
	__u32 length = flow_lines(family) / LB_HALF_SHARE / lb_half_cpus;
	const struct lb_flow *forward, *reply;
	const struct lb_half *half;
	__u64 entry, word;
	__u32 at;

	if (!own || length < FLOW_LEAST_CROWD)
		return 0;
	at = own->ring[family == LB_IPV6] - 1 - length / 8;
	half = flow_half(cpu * length + (at & (length - 1)), family);
	entry = half ? LB_READ(half->entry) : 0;
	forward = entry ? flow_line((__u32)entry, family) : 0;
	reply = forward ? flow_line(LB_READ(forward->peer), family) : 0;
	if (!reply || lb_word_state(LB_READ(reply->word)) != LB_FLOW_REPLY)
		return 0;
	word = LB_READ(forward->word);
	return lb_word_state(word) == LB_FLOW_HALF_OPEN &&
	       lb_word_same_generation(word, entry);
}

/* Open now: the ring need not look at it when it comes round. */
static __always_inline void flow_leave_ring(__u32 forward, __u64 word,
					    const int family)
{
	struct lb_half *half = flow_half(lb_word_position(word), family);
	__u64 entry = (word & LB_WORD_GENERATION) | forward;

	if (half)
		__sync_val_compare_and_swap(&half->entry, entry, 0ull);
}

/* ---- making ------------------------------------------------------------ */

/* A free line of this bucket, busy for us now; else LB_FLOW_NONE. */
static __always_inline __u32 flow_claim(__u32 preferred, __u64 position,
					const int family)
{
	for (__u32 i = 0; i < LB_FLOW_WAYS; i++) {
		struct lb_flow *line = flow_line(preferred ^ i, family);
		__u64 word, ours;

		if (!line)
			return LB_FLOW_NONE;
		word = LB_READ(line->word);
		ours = (word & LB_WORD_GENERATION) |
		       lb_word_with_state(position, LB_FLOW_BUSY);
		if (lb_word_state(word) == LB_FLOW_FREE &&
		    __sync_val_compare_and_swap(&line->word, word, ours) ==
			    word)
			return preferred ^ i;
	}
	return LB_FLOW_NONE;
}

/* A forward line that is not live yet counts where it will. */
static __always_inline void flow_count_in(const struct lb_flow *made,
					  const struct lb_flow *reply,
					  __u32 state)
{
	flow_use_backend(reply->owner, lb_state_uses(state), 1);
	if (__builtin_expect(state != LB_FLOW_HALF_OPEN, 0))
		flow_use_service(made->owner, lb_state_uses(state), 1);
}

/*
 * Fills the line that is ours, ties the flow together, and makes it live: as
 * what `made` says, if it says so (handover), else as the beginning of a flow.
 */
static __always_inline void flow_bring_up(struct lb_flow *line, __u32 index,
					  const struct lb_flow *made,
					  const int family)
{
	const __u64 *from = (const __u64 *)made;
	const int words = (family == LB_IPV6 ? sizeof(struct lb_flow6)
					     : sizeof(struct lb_flow)) /
			  sizeof(__u64);
	__u64 word = LB_READ(line->word);
	__u32 state = lb_word_state(made->word);
	struct lb_flow *reply = 0;
	struct lb_half *half;

#pragma unroll
	for (int i = 1; i < words; i++)
		((__u64 *)line)[i] = from[i];
	if (made->peer != LB_FLOW_NONE)
		reply = flow_line(made->peer, family);
	if (!state)
		state = reply ? LB_FLOW_HALF_OPEN : LB_FLOW_REPLY;
	if (reply) {
		LB_WRITE(reply->peer, index);
		half = state == LB_FLOW_HALF_OPEN
			       ? flow_half(lb_word_position(word), family)
			       : 0;
		if (half)
			LB_WRITE(half->entry,
				 (word & LB_WORD_GENERATION) | index);
		/* before anybody can end it, so that no use is below zero */
		flow_count_in(made, reply, state);
	}
	flow_publish(&line->word, lb_word_with_state(word, state));
}

static __always_inline int flow_make(const struct lb_flow *made,
				     const int family)
{
	const struct lb_addr *addresses = &((const struct lb_flow6 *)made)->src;
	__u64 hash = flow_hash(&made->tuple);
	__u32 home = lb_home_line(hash, flow_lines(family)), held, index;
	__u32 second = lb_second_line(hash, flow_lines(family));
	struct lb_bucket *bucket = flow_bucket(home, family);
	int result = FLOW_NO_ROOM;
	struct lb_flow *line;
	struct flow_hit hit;

	if (!bucket)
		return FLOW_NO_ROOM;
	held = flow_lock(bucket);
	if (!held)
		return FLOW_BUSY_BUCKET;
	if (flow_scan(home, &made->tuple, addresses, family, &hit) ||
	    ((held & LB_BUCKET_SPILLED) &&
	     flow_scan(second, &made->tuple, addresses, family, &hit))) {
		flow_unlock(bucket, held);
		return FLOW_EXISTS;
	}
	index = flow_claim(home, made->word, family);
	if (index == LB_FLOW_NONE) {
		index = flow_claim(second, made->word, family);
		if (index != LB_FLOW_NONE)
			held |= LB_BUCKET_SPILLED;
	}
	line = flow_line(index, family);
	if (line) {
		flow_bring_up(line, index, made, family);
		result = (int)index;
	}
	flow_unlock(bucket, held);
	return result;
}

/* ---- instances --------------------------------------------------------- */

__noinline int flow_make4(const struct lb_flow *made)
{
	return made ? flow_make(made, LB_IPV4) : FLOW_NO_ROOM;
}

__noinline int flow_make6(const struct lb_flow6 *made)
{
	return made ? flow_make(&made->line, LB_IPV6) : FLOW_NO_ROOM;
}

__noinline __u64 flow_position4(void)
{
	return flow_next_position(LB_IPV4);
}

__noinline __u64 flow_position6(void)
{
	return flow_next_position(LB_IPV6);
}

__noinline int flow_end4(__u32 forward, __u64 word)
{
	return flow_end_line(forward, word, LB_IPV4);
}

__noinline int flow_end6(__u32 forward, __u64 word)
{
	return flow_end_line(forward, word, LB_IPV6);
}

#endif
