/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* A SYN on a flow that exists: a retransmission, or a new beginning. */
#ifndef LB_RESTART_H
#define LB_RESTART_H

#include "bpf/flow_table.h"
#include "bpf/packet.h"
#include "bpf/pick.h"
#include "bpf/request.h"
#include "bpf/rewrite.h"

/*
 * So many SYNs go to a backend that does not answer, the next one to another:
 * what HAProxy's redispatch does, timed by the client's retransmissions.
 */
#define UNANSWERED_SYNS 2

/* Does the SYN begin a new flow, and if so, with another backend? */
enum restart {
	RESTART_NOT,
	RESTART_AFRESH,
	RESTART_ELSEWHERE = 2, /* own_scratch() says which were tried */
};

/* Has the backend left its SYNs unanswered, or refused? Not with a number. */
static __always_inline int is_turned_down(const struct lb_flow *reply,
					  __u32 next, __u64 word)
{
	/* `next` was read before: once the line is marked it is a number */
	flow_order_loads();
	return lb_word_state(word) == LB_FLOW_HALF_OPEN &&
	       lb_word_state(LB_READ(reply->word)) == LB_FLOW_REPLY &&
	       ((next & LB_REFUSED) || (next & LB_SYNS) >= UNANSWERED_SYNS);
}

static __always_inline void note_tried(const struct lb_flow *reply, __u32 next)
{
	const __u32 others = next >> LB_OTHERS_SHIFT & LB_OTHERS;
	struct scratch *own = own_scratch();

	if (!own)
		return;
	own->tried = LB_READ(reply->bytes) << 16 | reply->owner;
	own->others = others ? others - 1 : 0;
}

/*
 * What is read of the reply line counts only if the flow can then be ended in
 * the very word it was found in: it was its reply line all the time.
 */
static __always_inline enum restart restart_reason(const struct flow_hit *hit,
						   const int family)
{
	const struct lb_flow *reply =
		flow_line(LB_READ(hit->line->peer), family);
	const struct lb_backend *backend;
	__u32 id, next;

	if (flow_is_over(hit->word))
		return RESTART_AFRESH;
	if (!reply)
		return RESTART_NOT;
	id = reply->owner;
	backend = bpf_map_lookup_elem(&lb_backends, &id);
	if (!backend || !backend_is_usable(backend))
		return RESTART_AFRESH;
	next = LB_READ(reply->next);
	if (!is_turned_down(reply, next, hit->word))
		return RESTART_NOT;
	note_tried(reply, next);
	return RESTART_ELSEWHERE;
}

/* Ends the flow if the SYN begins a new one: not without a hop left for it. */
static __always_inline __u32 restart_flow(__u32 index, __u64 word, __u32 hops,
					  const int family)
{
	const struct flow_hit hit = {flow_line(index, family), word, index};
	enum restart why;

	if (hops <= 1 || !hit.line)
		return RESTART_NOT;
	why = restart_reason(&hit, family);
	return why && flow_end(&hit, family) ? why : RESTART_NOT;
}

__noinline __u32 restart4(__u32 index, __u64 word, __u32 hops)
{
	return restart_flow(index, word, hops, LB_IPV4);
}

__noinline __u32 restart6(__u32 index, __u64 word, __u32 hops)
{
	return restart_flow(index, word, hops, LB_IPV6);
}

/* Does this packet begin anew? Then the flow that it was found by has ended. */
static __always_inline int restart(struct packet *p, const struct flow_hit *hit,
				   const int family)
{
	__u32 hops, why;

	if (!is_first_syn(p->flags) || !lb_word_is_forward(hit->word))
		return 0;
	/* No branches: 6.1's verifier follows each through all that comes. */
	hops = hops_left(p, family);
	why = family == LB_IPV6 ? restart6(hit->index, hit->word, hops)
				: restart4(hit->index, hit->word, hops);
	p->elsewhere = why >> 1; /* RESTART_ELSEWHERE */
	return why != RESTART_NOT;
}

#endif
