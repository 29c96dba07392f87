/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Packets of flows that another node has begun and this one does not have yet
 * (docs/pair.md): the kernel would refuse them, and end the connection.
 */
#ifndef LB_AWAITED_H
#define LB_AWAITED_H

#include <bpf/bpf_endian.h>

#include "bpf/flow_maps.h"
#include "bpf/kernel_port.h"
#include "bpf/nexthop.h"
#include "bpf/request.h"

static __always_inline int flows_are_awaited(void)
{
	const __u32 zero = 0;
	const struct lb_clock *clock = bpf_map_lookup_elem(&lb_clock, &zero);

	return clock && LB_READ(clock->awaits_until) > bpf_ktime_get_ns();
}

/*
 * Of the request: a socket here has the connection, or waits for it, or the
 * kernel forwards the packet, which is to none of our addresses.
 */
static __always_inline int is_of_kernel(hook_ctx *ctx, const int family)
{
	struct scratch *own = own_scratch();
	struct lb_tuple *tuple;
	struct request *r;

	if (!own)
		return 1;
	r = &own->request;
	tuple = &own->made.line.tuple;
	tuple->src = r->client.ip[0];
	tuple->dst = r->vip.ip[0];
	tuple->sport = r->client_port;
	tuple->proto = r->proto;
	copy_address(&own->made.src, &r->client);
	copy_address(&own->made.dst, &r->vip);
	return kernel_has(ctx, &own->made, r->port, family) ||
	       (!r->service && is_forwarded(ctx, r, family));
}

__noinline int is_of_kernel4(hook_ctx *ctx)
{
	return is_of_kernel(ctx, LB_IPV4);
}

__noinline int is_of_kernel6(hook_ctx *ctx)
{
	return is_of_kernel(ctx, LB_IPV6);
}

/* The verdict, but of what may be of a flow that has not come yet. */
static __always_inline enum lb_verdict
unless_awaited(hook_ctx *ctx, enum lb_verdict why, const int family)
{
	if (!flows_are_awaited())
		return why;
	if (family == LB_IPV6 ? is_of_kernel6(ctx) : is_of_kernel4(ctx))
		return why;
	return LB_NO_FLOW_YET;
}

/*
 * To no service: of a member perhaps, to where a flow comes from. Those ports
 * may be a client's own, and so the kernel's, too; checks have theirs.
 */
static __always_inline enum lb_verdict
of_no_service(hook_ctx *ctx, const struct request *r, const int family)
{
	const __u32 port = bpf_ntohs(r->port);

	if (may_begin(r->flags) || port < lb_snat_port_min ||
	    port > lb_snat_port_max ||
	    (is_kernels(port) && kernel_may_take(port, 0)))
		return LB_NO_SERVICE;
	return unless_awaited(ctx, LB_NO_SERVICE, family);
}

#endif
