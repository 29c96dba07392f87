/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Who uses what: the connections of services and backends, which a flow counts
 * among by its state, and the limit of a listener.
 */
#ifndef LB_FLOW_USE_H
#define LB_FLOW_USE_H

#include "bpf/flow_terms.h"

/* `uses`: LB_USE_*; `by`: one more or one less */
static __always_inline void flow_use_service(__u32 service, __u32 uses, int by)
{
	struct lb_use *use = bpf_map_lookup_elem(&lb_service_use, &service);

	if (use && (uses & LB_USE_FLOWS))
		__sync_fetch_and_add(&use->flows, by);
	if (use && (uses & LB_USE_CLOSING))
		__sync_fetch_and_add(&use->closing, by);
}

static __always_inline void flow_use_backend(__u32 backend, __u32 uses, int by)
{
	struct lb_use *use = bpf_map_lookup_elem(&lb_backend_use, &backend);

	if (use && (uses & LB_USE_FLOWS))
		__sync_fetch_and_add(&use->flows, by);
	if (use && (uses & LB_USE_OPENING))
		__sync_fetch_and_add(&use->opening, by);
}

/* A function of its own, which the verifier looks at once. */
__noinline int flow_use(__u32 service, __u32 backend, __u32 uses, int by)
{
	if (uses & (LB_USE_FLOWS | LB_USE_CLOSING))
		flow_use_service(service, uses, by);
	if (uses & (LB_USE_FLOWS | LB_USE_OPENING))
		flow_use_backend(backend, uses, by);
	return 0;
}

enum flow_limit {
	FLOW_LIMIT_REACHED, /* a SYN asks: what closes makes room for it */
	FLOW_LIMIT_EXCEEDED, /* a flow asks that is counted already */
};

/* Of the service's listener, by its connections on all its addresses. */
__noinline int flow_at_limit(__u32 service, __u32 asked)
{
	const struct lb_limit *limit =
		bpf_map_lookup_elem(&lb_limits, &service);
	const struct lb_use *use;
	__u32 id = service;
	/* below zero for a moment: the two counts are not changed at once */
	__s64 most, flows = 0;

	if (!limit || !limit->connections)
		return 0;
	most = limit->connections;
	for (int i = 0; i < LB_MAX_VIPS; i++) {
		use = bpf_map_lookup_elem(&lb_service_use, &id);
		limit = bpf_map_lookup_elem(&lb_limits, &id);
		if (!use || !limit)
			break;
		flows += LB_READ(use->flows);
		if (asked == FLOW_LIMIT_REACHED)
			flows -= LB_READ(use->closing);
		id = LB_READ(limit->next);
		if (id == service || !id)
			break;
	}
	return asked == FLOW_LIMIT_REACHED ? flows >= most : flows > most;
}

#endif
