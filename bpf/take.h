/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Puts a flow of other maps into these, as it was there. */
#ifndef LB_TAKE_H
#define LB_TAKE_H

#include "bpf/direction.h"
#include "bpf/flow_table.h"
#include "bpf/handover.h"

static __always_inline int why_not(int refusal)
{
	return refusal == FLOW_BUSY_BUCKET ? LB_TAKE_BUSY : LB_TAKE_NO_ROOM;
}

static __always_inline int is_there(const struct lb_flow6 *made,
				    const int family)
{
	struct flow_key key = {.tuple = made->line.tuple};
	struct flow_hit hit;

	if (family == LB_IPV6) {
		key.src = made->src;
		key.dst = made->dst;
	}
	return flow_find(&key, flow_hash(&key.tuple), family, &hit);
}

/*
 * As new_flow.h makes one: the reply line first. What follows from addresses
 * is these maps' own: the hash that stands for them, and the deltas.
 */
static __always_inline int take(struct lb_take *flow, const int family)
{
	struct lb_flow *reply = &flow->reply.line, *line = &flow->forward.line;
	const __u32 state = lb_word_state(line->word);
	int other, forward;

	finish_direction(&flow->reply, family);
	finish_direction(&flow->forward, family);
	reply->word = lb_word_state(reply->word);
	reply->peer = LB_FLOW_NONE;
	other = flow_insert(&flow->reply, family);
	if (other == FLOW_EXISTS)
		return is_there(&flow->forward, family) ? LB_TAKE_THERE
							: LB_TAKE_PORT;
	if (other < 0)
		return why_not(other);
	line->word = state;
	if (state == LB_FLOW_HALF_OPEN)
		line->word |= flow_position(family);
	line->peer = other;
	flow_note_raise();
	forward = flow_insert(&flow->forward, family);
	if (forward >= 0)
		return forward;
	flow_give_back(other, family);
	return forward == FLOW_EXISTS ? LB_TAKE_THERE : why_not(forward);
}

#endif
