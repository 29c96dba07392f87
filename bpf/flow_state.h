/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The states of a flow, and how it goes from one to the next. Every change is
 * one compare-and-swap of the forward line's word, with the generation in it.
 */
#ifndef LB_FLOW_STATE_H
#define LB_FLOW_STATE_H

#include <linux/in.h>

#include "bpf/flow_change.h"
#include "bpf/rest.h"

#define FLOW_CHANGE_TRIES 4

/*
 * The forward line of the flow that was found by either of its lines, and its
 * word now. As long as the reply line lives, the line it names is its flow's:
 * so the reply line is asked once more after the word was read.
 */
static __always_inline struct lb_flow *flow_forward(const struct flow_hit *hit,
						    const int family,
						    __u32 *index, __u64 *word)
{
	struct lb_flow *forward;
	__u64 reply;

	if (lb_word_is_forward(hit->word)) {
		*index = hit->index;
		*word = LB_READ(hit->line->word);
		return lb_word_same_generation(*word, hit->word) ? hit->line
								 : 0;
	}
	*index = LB_READ(hit->line->peer);
	forward = flow_line(*index, family);
	if (!forward)
		return 0;
	*word = LB_READ(forward->word);
	flow_order_loads();
	reply = LB_READ(hit->line->word);
	return lb_word_is_live(reply) &&
			       lb_word_same_generation(reply, hit->word)
		       ? forward
		       : 0;
}

/*
 * A half-open flow needs an answer before anything but RST counts, and leaves
 * the ring then. An RST whose numbers are near need not be one that its
 * receiver believes: it is taken back when either side of an answered flow
 * goes on. What is astray changes nothing.
 */
static __always_inline __u32 flow_next_state(__u32 state, __u32 flags)
{
	const int member = flags & FLOW_FROM_MEMBER;

	if (flags & FLOW_ASTRAY)
		return state;
	if (flags & FLOW_RST)
		return LB_FLOW_RESET;
	if (state == LB_FLOW_HALF_OPEN || state == LB_FLOW_RESET) {
		if (!(flags & FLOW_ANSWERED) || (flags & FLOW_SYN))
			return state;
		if (!(flags & FLOW_FIN))
			return member && state == LB_FLOW_HALF_OPEN
				       ? state
				       : LB_FLOW_OPEN;
		if (state == LB_FLOW_RESET)
			return state;
	} else if (!(flags & FLOW_FIN)) {
		return state;
	}
	switch (state) {
	case LB_FLOW_CLOSING_CLIENT:
		return member ? LB_FLOW_CLOSED : state;
	case LB_FLOW_CLOSING_MEMBER:
		return member ? state : LB_FLOW_CLOSED;
	case LB_FLOW_CLOSED:
		return state;
	}
	return member ? LB_FLOW_CLOSING_MEMBER : LB_FLOW_CLOSING_CLIENT;
}

/* Has the member answered? Counts only if a CAS of the word succeeds after. */
static __always_inline __u32 flow_answered(const struct lb_flow *forward,
					   const int family)
{
	struct lb_flow *reply = flow_line(LB_READ(forward->peer), family);
	__u32 state = reply ? lb_word_state(LB_READ(reply->word)) : 0;

	return state == LB_FLOW_REPLY_SEEN || state == LB_FLOW_REPLY_RESET
		       ? FLOW_ANSWERED
		       : 0;
}

#define FLOW_MARK_TRIES 3

/*
 * The member's packets do not see the forward line: its RST state is marked on
 * the reply line, too, so that they come here and can take it back. Somebody
 * may change the flow again, and find no mark to change, before ours is there:
 * so who has written one looks whether it is still true.
 */
static __always_inline void flow_mark_reset(const struct lb_flow *forward,
					    __u64 before, __u32 to,
					    const int family)
{
	struct lb_flow *reply = flow_line(LB_READ(forward->peer), family);
	__u64 word, now;
	__u32 from, mark;

	if (!reply ||
	    (to == LB_FLOW_RESET) == (lb_word_state(before) == LB_FLOW_RESET))
		return;
	for (int i = 0; i < FLOW_MARK_TRIES; i++) {
		word = LB_READ(reply->word);
		flow_order_loads();
		now = LB_READ(forward->word);
		/* not another flow's by now, nor the agent's */
		if (!lb_word_same_generation(now, before) ||
		    !lb_word_is_forward(now))
			return;
		mark = lb_word_state(now) == LB_FLOW_RESET ? LB_FLOW_REPLY_RESET
							   : LB_FLOW_REPLY_SEEN;
		from = mark == LB_FLOW_REPLY_RESET ? LB_FLOW_REPLY_SEEN
						   : LB_FLOW_REPLY_RESET;
		if (lb_word_state(word) != from)
			return;
		__sync_val_compare_and_swap(&reply->word, word,
					    lb_word_with_state(word, mark));
	}
}

static __always_inline void flow_note_raise(void)
{
	const __u32 cpu = bpf_get_smp_processor_id() & (LB_MAX_CPUS - 1);
	struct lb_flow_cpu *own = bpf_map_lookup_elem(&lb_flow_cpu, &cpu);

	if (own)
		__sync_fetch_and_add(&own->raised, 1);
}

/*
 * One step of a life, if the flow is still in this word. Its uses grow before
 * and shrink after, so that none is ever below what there is. One more
 * connection than the listener's limit is none yet: the flow stays half-open,
 * and the packet that would have made it one comes again.
 */
static __always_inline int flow_step(__u32 index, __u64 word, __u32 to,
				     const int family)
{
	struct lb_flow *forward = flow_line(index, family);
	const __u32 from = lb_word_state(word);
	const __u32 before = lb_state_uses(from), after = lb_state_uses(to);
	struct lb_flow *reply;
	__u32 service, backend;

	reply = forward ? flow_line(LB_READ(forward->peer), family) : 0;
	if (!reply)
		return FLOW_UNCHANGED;
	service = forward->owner;
	backend = reply->owner;
	if (after & ~before) {
		flow_note_raise();
		flow_use(service, backend, after & ~before, 1);
	}
	if (from == LB_FLOW_HALF_OPEN && (after & LB_USE_FLOWS) &&
	    flow_at_limit(service, FLOW_LIMIT_EXCEEDED)) {
		flow_use(service, backend, after & ~before, -1);
		return FLOW_OVER_LIMIT;
	}
	if (__sync_val_compare_and_swap(&forward->word, word,
					lb_word_with_state(word, to)) != word) {
		flow_use(service, backend, after & ~before, -1);
		return FLOW_LOST;
	}
	flow_use(service, backend, before & ~after, -1);
	if (from == LB_FLOW_HALF_OPEN && to == LB_FLOW_RESET)
		LB_WRITE(reply->bytes, 0);
	flow_mark_reset(forward, word, to, family);
	flow_tell_step(index, word, to, family);
	return FLOW_CHANGED;
}

__noinline int flow_step4(__u32 index, __u64 word, __u32 to)
{
	return flow_step(index, word, to, LB_IPV4);
}

__noinline int flow_step6(__u32 index, __u64 word, __u32 to)
{
	return flow_step(index, word, to, LB_IPV6);
}

/*
 * The port is the flow's: nobody else has the reply line until it ends. SCTP
 * has nothing to wait for: an INIT on an association begins a new one.
 */
static __always_inline void flow_rest_port(const struct lb_flow *forward,
					   const int family)
{
	const struct lb_flow *reply = flow_line(LB_READ(forward->peer), family);

	if (reply && reply->tuple.proto == IPPROTO_TCP)
		rest_port(reply, family);
}

static __always_inline int flow_change(const struct flow_hit *hit, __u32 flags,
				       const int family)
{
	for (int i = 0; i < FLOW_CHANGE_TRIES; i++) {
		__u32 index, to;
		__u64 word;
		int done;
		struct lb_flow *forward =
			flow_forward(hit, family, &index, &word);

		if (!forward || !lb_word_is_forward(word))
			return FLOW_UNCHANGED;
		to = flow_next_state(lb_word_state(word),
				     flags | flow_answered(forward, family));
		if (to == lb_word_state(word))
			return FLOW_UNCHANGED;
		done = family == LB_IPV6 ? flow_step6(index, word, to)
					 : flow_step4(index, word, to);
		if (done == FLOW_LOST)
			continue;
		if (done == FLOW_CHANGED && to != LB_FLOW_RESET)
			flow_leave_ring(index, word, family);
		if (done == FLOW_CHANGED && to == LB_FLOW_CLOSING_MEMBER)
			flow_rest_port(forward, family);
		return done;
	}
	return FLOW_UNCHANGED;
}

#endif
