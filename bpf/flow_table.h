/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The flow table, as the packet's steps use it: forward.h for a packet of a
 * flow, restart.h for a SYN on one, new_flow.h for a new one.
 * docs/flow-table.md says why it is the way it is. `family` is LB_IPV4 or
 * LB_IPV6, always a constant. `said` is what the packet says: the flags byte
 * of TCP, or FLOW_SCTP with the like, or FLOW_DATAGRAM; and its numbers.
 *
 * What the steps have to keep:
 * - whatever was read from a hit's line counts only if flow_is_still() says so
 *   afterwards;
 * - a new flow is one struct lb_flow6 (IPv4: its first part, .line), used for
 *   the reply line first, then for the forward line with .peer = reply;
 * - flow_position() is asked between the two, when the reply line is there: it
 *   may end an older flow, and one that comes to nothing must not do that. The
 *   forward line carries it in .word;
 * - a reply line whose forward line was refused goes back by flow_give_back();
 *   FLOW_EXISTS says that another CPU was first, and its flow is the packet's.
 *
 * The use counters (lb_service_use, lb_backend_use) are kept here, by the
 * state that a flow is in, and with them the listener's limit. So is what a
 * flow that is ended here had counted: it goes to its service in
 * lb_service_cnt.
 */
#ifndef LB_FLOW_TABLE_H
#define LB_FLOW_TABLE_H

#include "bpf/flow_change.h"
#include "bpf/flow_find.h"
#include "bpf/flow_follow.h"

/* Can this packet change the life of its flow? Mostly not. */
static __always_inline int flow_is_eventful(__u64 word, __u32 flags)
{
	const __u32 state = lb_word_state(word);

	if (flags & FLOW_DATAGRAM)
		return state == LB_FLOW_REPLY || state == LB_FLOW_HALF_OPEN;
	return (flags & (FLOW_TCP_FLAGS | FLOW_COOKIE)) ||
	       state == LB_FLOW_HALF_OPEN || state == LB_FLOW_RESET ||
	       state == LB_FLOW_REPLY_RESET;
}

/* Follows the flow's life: an enum flow_change, without FLOW_LOST. */
static __always_inline int flow_note(const struct flow_hit *hit,
				     const struct flow_said *said,
				     const int family)
{
	const __u32 what = flow_what(said);

	return family == LB_IPV6 ? flow_follow6(hit->index, hit->word, what,
						said->seq, said->ack)
				 : flow_follow4(hit->index, hit->word, what,
						said->seq, said->ack);
}

/* Of a forward line: it is over, so that a SYN begins anew. */
static __always_inline int flow_is_over(__u64 word)
{
	return lb_word_state(word) >= LB_FLOW_CLOSED;
}

/*
 * Ends the flow of a forward line in the very word that was found. 0: it has
 * changed meanwhile; the packet uses it as it was found.
 */
static __always_inline int flow_end(const struct flow_hit *hit,
				    const int family)
{
	return family == LB_IPV6 ? flow_end6(hit->index, hit->word)
				 : flow_end4(hit->index, hit->word);
}

/* Ends the half-open flow whose turn it is; the position, for lb_flow.word. */
static __always_inline __u64 flow_position(const int family)
{
	return family == LB_IPV6 ? flow_position6() : flow_position4();
}

/* The line's index, or an enum flow_refusal. */
static __always_inline int flow_insert(const struct lb_flow6 *made,
				       const int family)
{
	return family == LB_IPV6 ? flow_make6(made) : flow_make4(&made->line);
}

#endif
