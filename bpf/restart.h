/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* A SYN on a flow that exists: a retransmission, or a new beginning. */
#ifndef LB_RESTART_H
#define LB_RESTART_H

#include "bpf/flow_table.h"
#include "bpf/packet.h"
#include "bpf/pick.h"

/*
 * So many SYNs go to a backend that does not answer, the next one to another:
 * what HAProxy's redispatch does, timed by the client's retransmissions.
 */
#define UNANSWERED_SYNS 2

/*
 * Does the SYN begin a new flow? If so for want of an answer, then with
 * another backend than the one in the low bits, if there is any.
 */
#define RESTART_NOT 0u
#define RESTART_AFRESH 0x10000u
#define RESTART_AVOIDS 0xffffu

static __always_inline int is_unanswered(const struct lb_flow *reply,
					 __u64 word)
{
	const __u32 syns = LB_READ(reply->next);

	/* first the count: once the line is marked it is a number */
	flow_order_loads();
	return lb_word_state(word) == LB_FLOW_HALF_OPEN &&
	       lb_word_state(LB_READ(reply->word)) == LB_FLOW_REPLY &&
	       syns >= UNANSWERED_SYNS;
}

/*
 * What is read of the reply line counts only if the flow can then be ended in
 * the very word it was found in: it was its reply line all the time.
 */
static __always_inline __u32 restart_reason(const struct flow_hit *hit,
					    const int family)
{
	const struct lb_flow *reply =
		flow_line(LB_READ(hit->line->peer), family);
	const struct lb_backend *backend;
	__u32 id;

	if (flow_is_over(hit->word))
		return RESTART_AFRESH;
	if (!reply)
		return RESTART_NOT;
	id = reply->owner;
	backend = bpf_map_lookup_elem(&lb_backends, &id);
	if (!backend || !backend_is_usable(backend))
		return RESTART_AFRESH;
	return is_unanswered(reply, hit->word) ? RESTART_AFRESH | id
					       : RESTART_NOT;
}

/* Ends the flow if the SYN begins a new one. */
static __always_inline __u32 restart_flow(__u32 index, __u64 word,
					  const int family)
{
	const struct flow_hit hit = {flow_line(index, family), word, index};
	__u32 why;

	if (!hit.line)
		return RESTART_NOT;
	why = restart_reason(&hit, family);
	return why && flow_end(&hit, family) ? why : RESTART_NOT;
}

__noinline __u32 restart4(__u32 index, __u64 word)
{
	return restart_flow(index, word, LB_IPV4);
}

__noinline __u32 restart6(__u32 index, __u64 word)
{
	return restart_flow(index, word, LB_IPV6);
}

/* Does this packet begin anew? Then the flow that it was found by has ended. */
static __always_inline int restart(struct packet *p, const struct flow_hit *hit,
				   const int family)
{
	__u32 why;

	if (!is_first_syn(p->flags) || !lb_word_is_forward(hit->word))
		return 0;
	why = family == LB_IPV6 ? restart6(hit->index, hit->word)
				: restart4(hit->index, hit->word);
	p->avoid = why & RESTART_AVOIDS;
	return why != RESTART_NOT;
}

#endif
