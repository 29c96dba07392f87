/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * What was chosen becomes a flow. The reply line comes first, because it is
 * the SNAT port's; then the forward line, and with it the flow.
 */
#ifndef LB_NEW_FLOW_H
#define LB_NEW_FLOW_H

#include "bpf/direction.h"
#include "bpf/flow_table.h"
#include "bpf/maps.h"
#include "bpf/request.h"
#include "bpf/snat_port.h"
#include "bpf/syn.h"

/* ---- the reply line, and with it the SNAT port ------------------------- */

static __always_inline void aim_reply(struct lb_flow6 *made,
				      const struct request *r,
				      const struct lb_backend *backend,
				      const int family)
{
	const struct lb_addr *snat =
		backend->flags & LB_BACKEND_SNAT_VIP ? &r->vip : &backend->snat;

	set_addresses(made, &backend->addr, snat, family);
	set_new_addresses(made, &r->vip, &r->client, family);
	made->line.tuple.sport = backend->port;
	made->line.tuple.proto = r->proto;
	made->line.tuple.family = family;
	made->line.rewrite.sport = r->port;
	made->line.rewrite.dport = r->client_port;
	made->line.peer = LB_FLOW_NONE;
	made->line.seen = flow_tick();
}

/* ---- the forward line -------------------------------------------------- */

/* The reply line that was made says the rest: its addresses and ports are the
 * new ones. */
static __always_inline void
aim_forward(struct lb_flow6 *made, const struct request *r, const int family)
{
	struct lb_tuple *tuple = &made->line.tuple;
	struct lb_rewrite *to = &made->line.rewrite;

	if (family == LB_IPV6) {
		copy_address(&made->new_src, &made->dst);
		copy_address(&made->new_dst, &made->src);
	} else {
		to->src = tuple->dst;
		to->dst = tuple->src;
	}
	to->sport = tuple->dport;
	to->dport = tuple->sport;
	set_addresses(made, &r->client, &r->vip, family);
	tuple->sport = r->client_port;
	tuple->dport = r->port;
	finish_direction(made, family);
}

static __always_inline void count_flow(const struct request *r)
{
	__u32 service = r->service;
	struct lb_service_counters *counters =
		bpf_map_lookup_elem(&lb_service_cnt, &service);

	if (!counters)
		return;
	counters->flows += !r->tries;
	counters->persisted += r->persisted;
}

/* ---- the flow ---------------------------------------------------------- */

static __always_inline enum lb_verdict why_refused(int refusal)
{
	switch (refusal) {
	case FLOW_EXISTS:
		return LB_NO_SNAT_PORT;
	case FLOW_BUSY_BUCKET:
		return LB_BUCKET_BUSY;
	}
	return LB_TABLE_FULL;
}

static __always_inline int begin_reply(hook_ctx *ctx, const int family)
{
	const struct lb_backend *backend;
	struct scratch *own = own_scratch();
	struct lb_flow6 *made;
	__u32 id;

	if (!own)
		return FLOW_NO_ROOM;
	id = own->request.backend;
	backend = bpf_map_lookup_elem(&lb_backends, &id);
	if (!backend)
		return FLOW_NO_ROOM;
	made = &own->made;
	made->line = (struct lb_flow){};
	aim_reply(made, &own->request, backend, family);
	made->line.nexthop = own->request.back;
	made->line.owner = id;
	if (own->request.proto != IPPROTO_UDP) {
		made->line.next = (__u32)own->request.others << LB_OTHERS_SHIFT;
		made->line.bytes = own->request.tried;
	}
	own->forth = backend->nexthop;
	own->proxied = backend->flags & LB_BACKEND_PROXIED;
	return find_port(ctx, own, family);
}

/*
 * Where the client's packets go. Those of one who is on the member's side from
 * the beginning may come from there.
 */
static __always_inline __u16 way_forth(const hook_ctx *ctx,
				       const struct scratch *own)
{
	__u32 id = own->forth & LB_NEXTHOP_ID;
	const struct lb_nexthop *hop = bpf_map_lookup_elem(&lb_nexthops, &id);

	if (hop && hop->ifindex == hook_ifindex(ctx))
		id |= LB_LINE_TURNS;
	return own->request.remembers ? id | LB_LINE_REMEMBERS : id;
}

static __always_inline enum lb_verdict finish_flow(hook_ctx *ctx, int reply,
						   const int family)
{
	struct scratch *own = own_scratch();
	struct lb_flow6 *made;
	struct request *r;
	int forward;

	if (!own)
		return LB_INTERNAL;
	r = &own->request;
	made = &own->made;
	/* only now: a flow that comes to nothing must not end an older one */
	made->line.word = flow_position(family);
	made->line.nexthop = way_forth(ctx, own);
	made->line.owner = r->service;
	made->line.peer = reply;
	made->line.next = 0;
	made->line.bytes = 0;
	aim_forward(made, r, family);
	forward = flow_insert(made, family);
	if (forward >= 0) {
		r->line = forward;
		keep_syn(ctx, r, family);
		count_flow(r);
		return LB_CONTINUE;
	}
	flow_give_back(reply, family);
	if (forward != FLOW_EXISTS)
		return why_refused(forward);
	/* another CPU was first: its flow is this packet's */
	r->line = find_line(made, family);
	return LB_CONTINUE;
}

__noinline int begin_reply4(hook_ctx *ctx)
{
	return begin_reply(ctx, LB_IPV4);
}

__noinline int begin_reply6(hook_ctx *ctx)
{
	return begin_reply(ctx, LB_IPV6);
}

__noinline int finish_flow4(hook_ctx *ctx, int reply)
{
	return finish_flow(ctx, reply, LB_IPV4);
}

__noinline int finish_flow6(hook_ctx *ctx, int reply)
{
	return finish_flow(ctx, reply, LB_IPV6);
}

/* Of the request that is in the scratch entry; in steps, to spare stack. */
static __always_inline enum lb_verdict new_flow(hook_ctx *ctx, const int family)
{
	int reply = family == LB_IPV6 ? begin_reply6(ctx) : begin_reply4(ctx);

	if (reply == FLOW_EXISTS)
		reply = family == LB_IPV6 ? walk_ports6() : walk_ports4();
	if (reply < 0)
		return why_refused(reply);
	return family == LB_IPV6 ? finish_flow6(ctx, reply)
				 : finish_flow4(ctx, reply);
}

#endif
