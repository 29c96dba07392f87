/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The slow path, before there is any state: whether a packet without a flow
 * may begin one, with which backend, and the way back to its client.
 */
#ifndef LB_CHOOSE_H
#define LB_CHOOSE_H

#include "bpf/awaited.h"
#include "bpf/nexthop.h"
#include "bpf/persist.h"
#include "bpf/pick.h"
#include "bpf/service.h"

static __always_inline enum lb_verdict choose(hook_ctx *ctx, struct request *r,
					      const int family)
{
	const struct lb_service *service = find_service(r);
	enum lb_verdict why;
	int back;

	if (!service)
		return of_no_service(ctx, r, family);
	r->service = service->id;
	why = may_enter(service, r, family);
	if (why == LB_NO_FLOW)
		return unless_awaited(ctx, why, family);
	if (why)
		return why;
	r->remembers = !!(service->flags & LB_SERVICE_PERSISTENT);
	r->backend = r->remembers ? persistent_backend(service, r, family)
				  : pick_backend(service, r, family);
	if (!r->backend)
		return LB_NO_BACKEND;
	back = find_nexthop(ctx, r, family);
	if (back == NEXTHOP_OWN)
		return LB_BAD_SOURCE;
	if (back == NEXTHOP_NONE)
		return LB_NO_ROUTE;
	r->back = back;
	return LB_CONTINUE;
}

__noinline int choose4(hook_ctx *ctx, struct request *r)
{
	return r ? choose(ctx, r, LB_IPV4) : LB_INTERNAL;
}

__noinline int choose6(hook_ctx *ctx, struct request *r)
{
	return r ? choose(ctx, r, LB_IPV6) : LB_INTERNAL;
}

#endif
