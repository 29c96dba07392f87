/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Which service a packet is for, and whether it may begin a flow there. */
#ifndef LB_SERVICE_H
#define LB_SERVICE_H

#include <bpf/bpf_endian.h>

#include "bpf/flow_use.h"
#include "bpf/maps.h"
#include "bpf/packet.h"
#include "bpf/rate.h"
#include "bpf/request.h"

static __always_inline const struct lb_service *
find_service(const struct request *r)
{
	struct lb_service_key key = {
		.vip = r->vip,
		.port = r->port,
		.proto = r->proto,
		.family = r->family,
	};

	return bpf_map_lookup_elem(&lb_services, &key);
}

/*
 * Nobody's address (RFC 1122 3.2.1.3, RFC 4291 2): an answer to it would come
 * back to us or go to many. The kernel drops such a packet as martian.
 */
static __always_inline int source_is_nobodys(const struct request *r,
					     const int family)
{
	const __u32 top = bpf_ntohl(r->client.ip[0]) >> 24;
	const __u64 *high = (const __u64 *)&r->client.ip[0];
	const __u64 *low = (const __u64 *)&r->client.ip[2];

	if (*high == *(const __u64 *)&r->vip.ip[0] &&
	    *low == *(const __u64 *)&r->vip.ip[2])
		return 1;
	if (family == LB_IPV4)
		return top == 0 || top == 127 || top >= 224;
	if (top == 0xff)
		return 1;
	return !*high && bpf_be64_to_cpu(*low) <= 1;
}

static __always_inline int source_is_allowed(const struct lb_service *service,
					     const struct request *r,
					     const int family)
{
	struct lb_cidr_key key = {
		.prefixlen = LB_CIDR_SET_BITS + (family == LB_IPV6 ? 128 : 32),
		.set = bpf_htonl(service->cidr_set),
		.addr = r->client,
	};

	return !service->cidr_set || bpf_map_lookup_elem(&lb_cidrs, &key);
}

static __always_inline enum lb_verdict
may_enter(const struct lb_service *service, const struct request *r,
	  const int family)
{
	if (service->flags & LB_SERVICE_DISABLED)
		return LB_DISABLED;
	/* what is not ours to begin is the proxy's, if it has a connection */
	if (!may_begin(r->flags))
		return service->flags & LB_SERVICE_TO_KERNEL ? LB_L7
							     : LB_NO_FLOW;
	if (source_is_nobodys(r, family))
		return LB_BAD_SOURCE;
	if (!source_is_allowed(service, r, family))
		return LB_SOURCE_DENIED;
	if (is_over_rate(&service->rates, r, family))
		return LB_RATE_LIMITED;
	if (service->flags & LB_SERVICE_TO_KERNEL)
		return LB_L7;
	/* more may be admitted than become connections: flow_step() counts */
	if (flow_at_limit(service->id, FLOW_LIMIT_REACHED))
		return LB_CONNECTION_LIMIT;
	return LB_CONTINUE;
}

#endif
