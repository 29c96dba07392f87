/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Fragments behind the first one, which have no ports: they go where it went,
 * by the trace that it left.
 */
#ifndef LB_FOLLOW_H
#define LB_FOLLOW_H

#include "bpf/before.h"
#include "bpf/forward.h"
#include "bpf/hold.h"
#include "bpf/side.h"
#include "bpf/trace.h"

/* What is read of a trace counts if it was of this packet all the time. */
static __always_inline int read_trace(struct lb_trace *trace,
				      const struct lb_trace_key *key,
				      struct flow_hit *hit, const int family)
{
	hit->index = LB_READ(trace->line);
	hit->word = LB_READ(trace->word);
	flow_order_loads();
	hit->line = flow_line(hit->index, family);
	return LB_READ(trace->who) == trace_hash(key) && hit->line;
}

/* May it still go, as far as it and the trace say? */
static __always_inline int fits(struct lb_trace *trace,
				const struct fragment *f)
{
	const __u32 end = LB_READ(trace->end), to = units(f->from + f->bytes);

	if (LB_READ(trace->spoilt) ||
	    bpf_ktime_get_ns() - LB_READ(trace->began) > LB_TRACE_LASTS_NS ||
	    __sync_fetch_and_add(&trace->fragments, 1) >= MOST_FRAGMENTS)
		return 0;
	/* two last ones, or one behind the last */
	if (end && (to > end || (!f->more && to != end))) {
		LB_WRITE(trace->spoilt, 1);
		return 0;
	}
	return take_units(trace, f);
}

/* The id is free for another packet once all of this one have come. */
static __always_inline void note_come(struct lb_trace *trace,
				      const struct fragment *f)
{
	const __u32 size = units(f->bytes);
	__u32 come;

	if (!f->more)
		LB_WRITE(trace->end, units(f->from + f->bytes));
	come = __sync_fetch_and_add(&trace->units, size) + size;
	if (come == LB_READ(trace->end))
		bpf_map_delete_elem(&lb_traces, &f->key);
}

static __always_inline enum lb_verdict check_way(const hook_ctx *ctx, void *l3,
						 __u32 length,
						 const struct lb_nexthop *hop,
						 const int family)
{
	const struct packet p = {.l3 = l3, .length = length};

	if (hop->flags & LB_NEXTHOP_ASK)
		return LB_NEXTHOP_UNRESOLVED;
	return check_hop(ctx, &p, hop, family);
}

static __always_inline int send_after(hook_ctx *ctx, __u32 l3,
				      const struct lb_flow *line,
				      const struct lb_nexthop *hop,
				      enum lb_verdict why, const int family)
{
	const enum hop_count hops = why ? HOP_KEEP : HOP_DOWN;
	struct cursor c = cursor_at(ctx, l3), start = cursor_of(ctx);
	struct ethhdr *eth = cursor_take(&start, sizeof(*eth));
	void *ip = cursor_take(&c, l3_bytes(family));

	if (!eth || !ip)
		return 0;
	if (family == LB_IPV6)
		rewrite_ipv6(ip, (const struct lb_flow6 *)line, hops);
	else
		rewrite_ipv4(ip, &line->rewrite, hops);
	hook_change_l3(ctx, line, hops == HOP_DOWN, family);
	if (!why)
		set_link_header(eth, hop);
	return 1;
}

static __always_inline enum lb_verdict
way_of_fragment(hook_ctx *ctx, __u32 l3, __u32 length,
		const struct flow_hit *hit, const int family)
{
	const struct lb_nexthop *hop = hop_named(hit->line);
	struct cursor c = cursor_at(ctx, l3);
	void *ip = cursor_take(&c, l3_bytes(family));

	if (!hop || !ip)
		return LB_INTERNAL;
	if (is_of_other_side(ctx, hit, hop, family))
		return LB_WRONG_SIDE;
	return check_way(ctx, ip, length, hop, family);
}

static __always_inline enum lb_verdict
rewrite_after(hook_ctx *ctx, __u32 l3, const struct flow_hit *hit, __u32 id,
	      enum lb_verdict why, const int family)
{
	const struct lb_nexthop *hop = hop_named(hit->line);
	struct scratch *own = own_scratch();

	if (!own || !hop || !send_after(ctx, l3, hit->line, hop, why, family) ||
	    !put_id(ctx, l3, &own->fragment, id, family))
		return LB_INTERNAL;
	if (!flow_is_still(hit))
		return LB_RECYCLED;
	flow_count(hit->line, flow_tick(), own->fragment.bytes);
	own->parting.out = hop->ifindex;
	return why ? why : LB_ESTABLISHED;
}

static __always_inline enum lb_verdict
follow_fragment(hook_ctx *ctx, __u32 l3, __u32 length, const int family)
{
	struct scratch *own = own_scratch();
	struct lb_trace *trace;
	struct flow_hit hit;
	enum lb_verdict why;
	__u32 id;

	if (!own)
		return LB_INTERNAL;
	own->parting = (struct parting){};
	if (!read_fragment(ctx, l3, family))
		return LB_BAD_FRAGMENT;
	trace = bpf_map_lookup_elem(&lb_traces, &own->fragment.key);
	if (!trace)
		return lb_handover ? LB_OF_BEFORE : LB_FRAGMENT;
	id = LB_READ(trace->id);
	if (!read_trace(trace, &own->fragment.key, &hit, family) ||
	    !flow_is_still(&hit))
		return LB_RECYCLED;
	own->parting.service = service_of(&hit, family);
	why = way_of_fragment(ctx, l3, length, &hit, family);
	if (why && why != LB_NEXTHOP_UNRESOLVED && why != LB_NEEDS_FRAGMENTS)
		return why;
	if (!fits(trace, &own->fragment))
		return LB_BAD_FRAGMENT;
	note_come(trace, &own->fragment);
	return rewrite_after(ctx, l3, &hit, id, why, family);
}

__noinline int follow_fragment4(hook_ctx *ctx, __u32 l3, __u32 length)
{
	return follow_fragment(ctx, l3, length, LB_IPV4);
}

__noinline int follow_fragment6(hook_ctx *ctx, __u32 l3, __u32 length)
{
	return follow_fragment(ctx, l3, length, LB_IPV6);
}

static __always_inline enum lb_verdict follow(hook_ctx *ctx, struct packet *p,
					      const int family)
{
	struct scratch *own = own_scratch();
	enum lb_verdict why;

	if (!own)
		return LB_INTERNAL;
	why = family == LB_IPV6 ? follow_fragment6(ctx, l3_at(p), p->length)
				: follow_fragment4(ctx, l3_at(p), p->length);
	p->out = own->parting.out;
	p->service = own->parting.service;
	return why == LB_FRAGMENT ? hold_fragment(ctx) : why;
}

#endif
