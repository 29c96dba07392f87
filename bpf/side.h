/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Which side a packet of a flow comes from. One that would leave by the
 * interface it came in by is from the side that it is going to: somebody there
 * speaks as the other one. Unless both are behind that interface, or were not
 * told apart by it from the beginning.
 *
 * A packet that came in by any other interface is believed: its sender may be
 * reached by several.
 */
#ifndef LB_SIDE_H
#define LB_SIDE_H

#include "bpf/flow_find.h"
#include "bpf/maps.h"
#include "bpf/way.h"

/* Answers to the VIP come where clients do, wherever the member is. */
static __always_inline int answers_to_vip(const struct lb_flow *reply)
{
	const __u32 id = reply->owner;
	const struct lb_backend *backend =
		bpf_map_lookup_elem(&lb_backends, &id);

	return !backend || (backend->flags & LB_BACKEND_SNAT_VIP);
}

/*
 * May packets of this line turn on that interface, by where the other line
 * leads? What is found is noted in the line, which is asked first. Where a way
 * is not known nobody is refused, and nothing is noted.
 */
static __always_inline int turns(__u32 index, __u64 word, __u32 ifindex,
				 const int family)
{
	const struct flow_hit hit = {flow_line(index, family), word, index};
	const struct lb_nexthop *there;
	const struct lb_flow *other;
	union way_word old, now;

	if (!hit.line)
		return 1;
	old.word = LB_READ(*lb_way_of(hit.line));
	other = flow_line(old.as.peer, family);
	there = other ? hop_named(other) : 0;
	if (!there || !there->ifindex)
		return 1;
	if (there->ifindex != ifindex &&
	    !answers_to_vip(lb_word_is_forward(word) ? other : hit.line))
		return !flow_is_still(&hit);
	now = old;
	now.as.nexthop |= LB_LINE_TURNS;
	if (flow_is_still(&hit))
		__sync_val_compare_and_swap(lb_way_of(hit.line), old.word,
					    now.word);
	return 1;
}

__noinline int turns4(__u32 index, __u64 word, __u32 ifindex)
{
	return turns(index, word, ifindex, LB_IPV4);
}

__noinline int turns6(__u32 index, __u64 word, __u32 ifindex)
{
	return turns(index, word, ifindex, LB_IPV6);
}

/* `hop`: where the packet of this line is going. */
static __always_inline int is_of_other_side(const hook_ctx *ctx,
					    const struct flow_hit *hit,
					    const struct lb_nexthop *hop,
					    const int family)
{
	const __u32 ifindex = hook_ifindex(ctx);

	if (hop->ifindex != ifindex || (hit->line->nexthop & LB_LINE_TURNS))
		return 0;
	return family == LB_IPV6 ? !turns6(hit->index, hit->word, ifindex)
				 : !turns4(hit->index, hit->word, ifindex);
}

#endif
