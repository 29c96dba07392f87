/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The load balancer, a list of steps. docs/packet.md tells the life of a
 * packet, docs/verdicts.md how it can end.
 */
#ifndef LB_BALANCE_H
#define LB_BALANCE_H

#include "bpf/before.h"
#include "bpf/challenge.h"
#include "bpf/choose.h"
#include "bpf/flow_table.h"
#include "bpf/follow.h"
#include "bpf/forward.h"
#include "bpf/hook.h"
#include "bpf/maps.h"
#include "bpf/new_flow.h"
#include "bpf/parse.h"
#include "bpf/restart.h"
#include "bpf/send.h"
#include "bpf/side.h"
#include "bpf/tell.h"
#include "bpf/trace.h"
#include "bpf/translate.h"

/* So many members are asked for a port, if those before have none left. */
#define MEMBERS_TRIED 3

static __always_inline enum lb_verdict
make_one(hook_ctx *ctx, struct request *r, const int family)
{
	enum lb_verdict why = LB_NO_SNAT_PORT;

	for (int i = 0; i < MEMBERS_TRIED && why == LB_NO_SNAT_PORT; i++) {
		why = family == LB_IPV6 ? choose6(ctx, r) : choose4(ctx, r);
		if (!why)
			why = new_flow(ctx, family);
		r->tried = r->tried << 16 | r->backend;
	}
	return why;
}

/* The flow that the packet begins is found like any other. */
static __always_inline enum lb_verdict begin_flow(hook_ctx *ctx,
						  struct packet *p,
						  const int family,
						  struct flow_hit *hit)
{
	struct scratch *own = own_scratch();
	enum lb_verdict why;

	if (!own)
		return LB_INTERNAL;
	set_request(own, p, family);
	why = make_one(ctx, &own->request, family);
	p->service = own->request.service;
	if (why) {
		if (p->fragment)
			leave_others(ctx, p, family);
		return why;
	}
	return flow_read(own->request.line, &p->key.tuple, &p->key.src, family,
			 hit)
		       ? LB_CONTINUE
		       : LB_RECYCLED;
}

/* As the packet of the flow that it was found by: `sent`, or why it is not. */
static __always_inline enum lb_verdict
go_on(hook_ctx *ctx, struct packet *p, const struct flow_hit *hit,
      const struct lb_nexthop *hop, enum lb_verdict sent, const int family)
{
	enum lb_verdict why = LB_CONTINUE;

	if (__builtin_expect(p->fragment, 0))
		why = read_first(ctx, p, family);
	if (!why)
		why = hop ? forward(ctx, p, hit, hop, family)
			  : cold(LB_INTERNAL);
	if (__builtin_expect(p->fragment, 0))
		why = lead(ctx, p, hit, why, family);
	if (!why)
		return sent;
	p->service = service_of(hit, family);
	if (hop && (why == LB_TTL_EXPIRED || why == LB_TOO_BIG))
		why = tell(ctx, p, why, hop->mtu, family);
	return cold(why);
}

static __always_inline enum lb_verdict balance(hook_ctx *ctx, struct packet *p,
					       const int family)
{
	const __u64 hash = flow_hash(&p->key.tuple);
	const struct lb_nexthop *hop;
	enum lb_verdict why;
	struct flow_hit hit;

	if (flow_find(&p->key, hash, family, &hit)) {
		hop = hop_of(ctx, &hit, family);
		if (hop && is_of_other_side(ctx, &hit, hop, family)) {
			p->service = service_of(&hit, family);
			return cold(LB_WRONG_SIDE);
		}
		if (can_resend(p, &hit, family)) {
			if (!resend(ctx, p, &hit, family))
				return cold(LB_RECYCLED);
		} else if (!restart(p, &hit, family)) {
			return go_on(ctx, p, &hit, hop, LB_ESTABLISHED, family);
		}
	}
	if (lb_handover)
		return cold(LB_OF_BEFORE);
	why = begin_flow(ctx, p, family, &hit);
	if (why)
		return cold(why);
	return go_on(ctx, p, &hit, hop_of(ctx, &hit, family), LB_NEW_FLOW,
		     family);
}

/* What begins no flow, and has no ends that it could be found by. */
static __always_inline enum lb_verdict
not_ours(hook_ctx *ctx, struct packet *p, enum lb_verdict why, const int family)
{
	/* one that comes in pieces is nobody's error */
	if (p->fragment)
		leave_others(ctx, p, family);
	else if (why == LB_FRAGMENT)
		return follow(ctx, p, family);
	else if (why == LB_ICMP_ERROR)
		return take_error(ctx, p, family);
	return why;
}

static __always_inline enum lb_verdict process(hook_ctx *ctx, struct packet *p)
{
	enum lb_verdict why = hook_begin(ctx);
	struct cursor c = cursor_of(ctx);

	if (!why)
		why = parse_ethernet(&c, p);
	if (why)
		return why;
	if (p->ethertype == bpf_htons(ETH_P_IPV6)) {
		why = parse_ipv6(ctx, &c, p);
		return why ? not_ours(ctx, p, why, LB_IPV6)
			   : balance(ctx, p, LB_IPV6);
	}
	why = parse_ipv4(ctx, &c, p);
	return why ? not_ours(ctx, p, why, LB_IPV4) : balance(ctx, p, LB_IPV4);
}

/* What becomes of the packet, in the words of the hook. */
static __always_inline int run(hook_ctx *ctx)
{
	struct packet p = {};
	enum lb_verdict why = process(ctx, &p);

	if (lb_handover && why == LB_OF_BEFORE)
		why = leave_to_before(ctx);
	return leave(ctx, &p, why);
}

#endif
