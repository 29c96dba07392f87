/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Tells the agent of flows that a program ends: it would not find them. */
#ifndef LB_FLOW_ENDED_H
#define LB_FLOW_ENDED_H

#include <linux/in.h>

#include "bpf/flow_find.h"

static __always_inline void
copy_line(struct lb_flow6 *to, const struct lb_flow *from, const int family)
{
	const int words = (family == LB_IPV6 ? sizeof(struct lb_flow6)
					     : sizeof(struct lb_flow)) /
			  sizeof(__u64);

#pragma unroll
	for (int i = 0; i < words; i++)
		((__u64 *)to)[i] = ((const __u64 *)from)[i];
}

/* The lines are the caller's. `word`: of the forward line, when it lived. */
static __always_inline int flow_tell(__u32 index, __u64 word, const int family)
{
	const struct lb_flow *forward = flow_line(index, family), *reply;
	struct lb_ended *ended;

	reply = forward ? flow_line(LB_READ(forward->peer), family) : 0;
	if (!reply)
		return 0;
	ended = bpf_ringbuf_reserve(&lb_ended, sizeof(*ended), 0);
	if (!ended)
		return 0;
	ended->index = index;
	ended->family = family;
	copy_line(&ended->forward, forward, family);
	ended->forward.line.word = word;
	copy_line(&ended->reply, reply, family);
	/* the agent looks with each tick */
	bpf_ringbuf_submit(ended, BPF_RB_NO_WAKEUP);
	return 0;
}

__noinline int flow_tell4(__u32 index, __u64 word)
{
	return flow_tell(index, word, LB_IPV4);
}

__noinline int flow_tell6(__u32 index, __u64 word)
{
	return flow_tell(index, word, LB_IPV6);
}

/* `what`: of lb_clock.flags */
static __always_inline int flow_is_asked_for(__u32 what)
{
	const __u32 zero = 0;
	const struct lb_clock *clock = bpf_map_lookup_elem(&lb_clock, &zero);

	return !lb_silent && clock && (LB_READ(clock->flags) & what);
}

/*
 * No connection is told of that never was one: they are the many of a flood.
 */
static __always_inline void flow_tell_end(const struct lb_flow *forward,
					  __u32 index, __u64 word,
					  const int family)
{
	if ((forward->tuple.proto != IPPROTO_UDP &&
	     lb_word_state(word) == LB_FLOW_HALF_OPEN) ||
	    !flow_is_asked_for(LB_TELL_ENDED))
		return;
	if (family == LB_IPV6)
		flow_tell6(index, word);
	else
		flow_tell4(index, word);
}

#endif
