/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The flow table, as the packet's steps use it. docs/flow-table.md says why
 * it is the way it is. `family` is LB_IPV4 or LB_IPV6, always a constant.
 *
 * A packet of a flow:
 *	IPv6: flow_hash_addresses(&key.tuple, &key.src, &key.dst)
 *	hash = flow_hash(&key.tuple)
 *	if (flow_find(&key, hash, family, &hit))
 *		rewrite the packet from hit.line; look up its next hop
 *		if (!flow_is_still(&hit)) LB_RECYCLED
 *		flow_count(hit.line, flow_tick(), payload bytes)
 *		if (flow_is_eventful(hit.word, flags))
 *			flow_note(&hit, flags, family)
 *	`flags` is the flags byte of TCP, or FLOW_DATAGRAM. Which direction the
 *	packet has is in the word: lb_word_is_forward().
 *
 * A SYN on a flow that flow_is_ending(), or whose backend is gone:
 *	flow_end(&hit, family), and on as if nothing had been found. 0: it
 *	changed meanwhile; use it as it was found.
 *
 * A new flow: fill one struct lb_flow6 (IPv4: its first part, .line):
 *	made.line.word = flow_position(family): takes a place in the ring
 *	the reply line: tuple of the member's packets (source member,
 *destination SNAT address and port), rewrite towards the client, its next hop,
 *owner = backend id, peer = LB_FLOW_NONE, seen = flow_tick(), packets = bytes
 *	= 0; IPv6: src and dst of the tuple, new_src and new_dst, and
 *	flow_hash_addresses() on the tuple
 *	reply = flow_insert(&made, family): FLOW_EXISTS and FLOW_NO_ROOM: try
 *	another SNAT port, FLOW_BUSY_BUCKET: give up
 *	the forward line in the same struct: the client's tuple, rewrite, next
 *	hop, owner = service id, peer = reply, the same word; packets and bytes
 *	are this packet's
 *	forward = flow_insert(&made, family); if it is a refusal:
 *	flow_give_back(reply, family), and with FLOW_EXISTS another CPU was
 *	first: flow_find() again and use that flow
 *	A retry loop must carry nothing but its counter, for kernel 6.1.
 *
 * The use counters (lb_service_use, lb_backend_use) are kept here: up when
 * the forward line comes, down when the flow ends. So is what a flow that is
 * ended here had counted: it goes to its service in lb_service_cnt.
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
		return state == LB_FLOW_REPLY;
	return (flags & FLOW_TCP_FLAGS) || state == LB_FLOW_HALF_OPEN ||
	       state == LB_FLOW_RESET;
}

/* Follows the flow's life; nonzero: its state has changed. */
static __always_inline int flow_note(const struct flow_hit *hit, __u32 flags,
				     const int family)
{
	return family == LB_IPV6 ? flow_follow6(hit->index, hit->word, flags)
				 : flow_follow4(hit->index, hit->word, flags);
}

/* Is the word that of a forward line whose flow a SYN may begin anew? */
static __always_inline int flow_is_ending(__u64 word)
{
	return lb_word_state(word) >= LB_FLOW_CLOSING_CLIENT;
}

/* Ends the flow of a forward line in the very word that was found. */
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
