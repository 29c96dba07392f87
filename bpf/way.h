/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The way back to the client of a flow that exists. When routes have changed
 * the agent marks the clients' next hops, and each flow asks once more, with
 * its next packet.
 */
#ifndef LB_WAY_H
#define LB_WAY_H

#include "bpf/flow_find.h"
#include "bpf/maps.h"
#include "bpf/nexthop.h"
#include "bpf/request.h"

static __always_inline void set_way_request(struct request *r,
					    const struct lb_flow *reply,
					    const int family)
{
	const struct lb_flow6 *line = (const struct lb_flow6 *)reply;

	*r = (struct request){.proto = reply->tuple.proto, .family = family};
	if (family == LB_IPV6) {
		copy_address(&r->vip, &line->new_src);
		copy_address(&r->client, &line->new_dst);
	} else {
		r->vip.ip[0] = reply->rewrite.src;
		r->client.ip[0] = reply->rewrite.dst;
	}
}

/*
 * The next hop that the flow has now; that of the kernel is not kept, so that
 * it asks again. What the line names is changed together with its owner and
 * its peer: a line that is another flow's by now has others.
 */
static __always_inline __u32 find_way(hook_ctx *ctx, __u32 index, __u64 word,
				      const int family)
{
	const struct flow_hit hit = {flow_line(index, family), word, index};
	struct scratch *own = own_scratch();
	union way_word old, now;
	int id;

	if (!hit.line || !own)
		return NEXTHOP_KERNEL;
	old.word = LB_READ(*lb_way_of(hit.line));
	set_way_request(&own->request, hit.line, family);
	if (!flow_is_still(&hit))
		return NEXTHOP_KERNEL;
	id = find_nexthop(ctx, &own->request, family);
	if (id <= NEXTHOP_KERNEL || id >= LB_MAX_NEXTHOPS)
		return NEXTHOP_KERNEL;
	now = old;
	now.as.nexthop = (old.as.nexthop & ~LB_NEXTHOP_ID) | id;
	if (flow_is_still(&hit))
		__sync_val_compare_and_swap(lb_way_of(hit.line), old.word,
					    now.word);
	return id;
}

__noinline __u32 find_way4(hook_ctx *ctx, __u32 index, __u64 word)
{
	return find_way(ctx, index, word, LB_IPV4);
}

__noinline __u32 find_way6(hook_ctx *ctx, __u32 index, __u64 word)
{
	return find_way(ctx, index, word, LB_IPV6);
}

static __always_inline const struct lb_nexthop *
hop_named(const struct lb_flow *line)
{
	const __u32 id = line->nexthop & LB_NEXTHOP_ID;

	return bpf_map_lookup_elem(&lb_nexthops, &id);
}

/* Null: there is none such. */
static __always_inline const struct lb_nexthop *
hop_of(hook_ctx *ctx, const struct flow_hit *hit, const int family)
{
	const struct lb_nexthop *hop = hop_named(hit->line);
	__u32 id;

	if (!hop || !__builtin_expect(hop->flags & LB_NEXTHOP_ASK, 0))
		return hop;
	/* a member's way is the agent's to know */
	if (lb_word_is_forward(hit->word))
		return hop;
	id = family == LB_IPV6 ? find_way6(ctx, hit->index, hit->word)
			       : find_way4(ctx, hit->index, hit->word);
	return bpf_map_lookup_elem(&lb_nexthops, &id);
}

#endif
