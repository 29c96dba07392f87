/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Packets of flows that another node has begun and this one does not have yet
 * (docs/pair.md): the kernel would refuse them, and end the connection.
 */
#ifndef LB_AWAITED_H
#define LB_AWAITED_H

#include <bpf/bpf_endian.h>

#include "bpf/flow_ended.h"
#include "bpf/kernel_port.h"
#include "bpf/request.h"

/* Of a client, to a service. */
static __always_inline enum lb_verdict of_no_flow(void)
{
	return flow_is_asked_for(LB_AWAITS_FLOWS) ? LB_NO_FLOW_YET : LB_NO_FLOW;
}

/* Of the request: a socket of ours has the connection, or waits for it. */
static __always_inline int is_of_socket(hook_ctx *ctx, const int family)
{
	struct scratch *own = own_scratch();
	struct request *r;
	struct lb_tuple *tuple;

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
	return kernel_has(ctx, &own->made, r->port, family);
}

__noinline int is_of_socket4(hook_ctx *ctx)
{
	return is_of_socket(ctx, LB_IPV4);
}

__noinline int is_of_socket6(hook_ctx *ctx)
{
	return is_of_socket(ctx, LB_IPV6);
}

/*
 * To no service: of a member perhaps, to where a flow comes from. Those ports
 * may be a client's own, and so the kernel's, too.
 */
static __always_inline enum lb_verdict
of_no_service(hook_ctx *ctx, const struct request *r, const int family)
{
	const __u32 port = bpf_ntohs(r->port);

	if (may_begin(r->flags) || port < lb_snat_port_min ||
	    port > lb_snat_port_max || !flow_is_asked_for(LB_AWAITS_FLOWS))
		return LB_NO_SERVICE;
	if (family == LB_IPV6 ? is_of_socket6(ctx) : is_of_socket4(ctx))
		return LB_NO_SERVICE;
	return LB_NO_FLOW_YET;
}

#endif
