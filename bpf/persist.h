/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Session persistence by source address: which member a client had. It is
 * remembered once the client's flow is open, because whoever only claims to
 * be there, as forged SYNs do, must not push out those that are.
 *
 * A place may be given to another client while it is read or written here. So
 * nothing is believed of it: its backend counts if it is of the service's pool
 * and may be used, and the worst that comes of such a moment is a client that
 * has another member of its pool.
 */
#ifndef LB_PERSIST_H
#define LB_PERSIST_H

#include <linux/in.h>

#include "bpf/clients.h"
#include "bpf/flow_find.h"
#include "bpf/flow_state.h"
#include "bpf/maps.h"
#include "bpf/pick.h"
#include "bpf/request.h"
#include "bpf/service.h"

static __always_inline __u64 client_of(const struct lb_service *service,
				       const struct lb_addr *address)
{
	struct lb_addr client;

#pragma unroll
	for (int i = 0; i < 4; i++)
		client.ip[i] = address->ip[i] & service->persistence_mask.ip[i];
	return lb_client_who(&client, service->id, lb_seed);
}

static __always_inline int is_of_pool(const struct lb_backend *backend,
				      const struct lb_service *service)
{
	return lb_load64(&backend->pool.uuid[0]) ==
		       lb_load64(&service->pool.uuid[0]) &&
	       lb_load64(&backend->pool.uuid[8]) ==
		       lb_load64(&service->pool.uuid[8]);
}

/* Unlike the ring's, such a backend may be one that drains. */
static __always_inline int may_return(const struct lb_service *service,
				      __u32 id, const int family)
{
	const __u8 needed = LB_BACKEND_PRESENT | LB_BACKEND_RETURNING;
	const struct lb_backend *backend =
		bpf_map_lookup_elem(&lb_backends, &id);

	return id && backend && backend->family == family &&
	       (backend->flags & (needed | LB_BACKEND_GONE)) == needed &&
	       is_of_pool(backend, service);
}

static __always_inline int is_forgotten(const struct lb_service *service,
					__u32 seen, __u32 now)
{
	/* below zero: another CPU has seen a later tick */
	const __s32 age = now - seen;

	return service->persistence_timeout && age > 0 &&
	       (__u64)age * LB_TICK_MS > service->persistence_timeout;
}

/* The member that a client had; 0: none that it could have now. */
static __always_inline __u32 had_backend(const struct lb_service *service,
					 __u64 has, const int family)
{
	const __u32 id = lb_client_backend(has);

	if (is_forgotten(service, lb_client_seen(has), flow_tick()))
		return 0;
	return may_return(service, id, family) ? id : 0;
}

/* ---- a flow begins ------------------------------------------------------ */

/*
 * A member that does not answer, or refuses, is its client's no more: that is
 * the one which is tried now. One that has only no port left stays the
 * client's: it was its member a moment ago, for this very packet.
 */
static __always_inline __u32 another_backend(const struct lb_service *service,
					     struct request *r,
					     struct lb_client *client,
					     __u64 has, const int family)
{
	const __u32 id = pick_backend(service, r, family);

	if (client && id && !r->persisted)
		__sync_val_compare_and_swap(
			&client->has, has,
			lb_client_has(id, lb_client_seen(has)));
	r->persisted = 0;
	return id;
}

static __always_inline __u32 persistent_backend(
	const struct lb_service *service, struct request *r, const int family)
{
	struct lb_client *client = find_client(client_of(service, &r->client));
	const __u64 has = client ? LB_READ(client->has) : 0;
	const __u32 id = client ? had_backend(service, has, family) : 0;

	if (!id || was_tried(r->tried, id))
		return another_backend(service, r, id ? client : 0, has,
				       family);
	r->persisted = 1;
	count_others(service, r, family);
	return id;
}

/* ---- it is open --------------------------------------------------------- */

/*
 * Datagrams count from the first answer on: most have a port of their own for
 * each question.
 */
static __always_inline int is_to_be_remembered(const struct lb_flow *forward,
					       __u64 word, const int family)
{
	return forward->nexthop & LB_LINE_REMEMBERS &&
	       ((lb_state_uses(lb_word_state(word)) & LB_USE_FLOWS) ||
		(forward->tuple.proto == IPPROTO_UDP &&
		 flow_answered(forward, family)));
}

/*
 * The service of a flow as it is now; null: it is another one, or remembers
 * nobody.
 */
static __always_inline const struct lb_service *
remembering_service(const struct lb_flow *forward, const int family)
{
	const struct lb_flow6 *line = (const struct lb_flow6 *)forward;
	struct lb_service_key key = {
		.port = forward->tuple.dport,
		.proto = forward->tuple.proto,
		.family = family,
	};
	const struct lb_service *service;

	if (family == LB_IPV6)
		copy_address(&key.vip, &line->dst);
	else
		key.vip.ip[0] = forward->tuple.dst;
	service = bpf_map_lookup_elem(&lb_services, &key);
	return service && service->id == forward->owner &&
			       (service->flags & LB_SERVICE_PERSISTENT)
		       ? service
		       : 0;
}

/*
 * The client has this backend, unless it has another one by now, from a flow
 * of the same time: then that one is what becomes of both.
 */
static __always_inline void remember_backend(const struct lb_service *service,
					     __u64 who, __u32 backend,
					     const int family)
{
	struct lb_client *client = find_client(who);
	__u64 has;
	__u32 id;

	if (!client) {
		add_client(who, backend);
		return;
	}
	has = LB_READ(client->has);
	id = had_backend(service, has, family);
	__sync_val_compare_and_swap(
		&client->has, has,
		lb_client_has(id ? id : backend, flow_tick()));
}

static __always_inline int remember_flow(__u32 index, __u64 word,
					 const int family)
{
	const struct flow_hit hit = {flow_line(index, family), word, index};
	const struct lb_service *service;
	const struct lb_flow *reply;
	struct flow_hit forward = {};
	struct lb_addr client = {};
	__u32 backend;

	if (hit.line)
		forward.line = flow_forward(&hit, family, &forward.index,
					    &forward.word);
	if (!forward.line ||
	    !is_to_be_remembered(forward.line, forward.word, family))
		return 0;
	service = remembering_service(forward.line, family);
	reply = flow_line(LB_READ(forward.line->peer), family);
	if (!service || !reply)
		return 0;
	backend = reply->owner;
	if (family == LB_IPV6)
		copy_address(&client, &((struct lb_flow6 *)forward.line)->src);
	else
		client.ip[0] = forward.line->tuple.src;
	if (flow_is_still(&forward) && may_return(service, backend, family))
		remember_backend(service, client_of(service, &client), backend,
				 family);
	return 0;
}

__noinline int remember_flow4(__u32 index, __u64 word)
{
	return remember_flow(index, word, LB_IPV4);
}

__noinline int remember_flow6(__u32 index, __u64 word)
{
	return remember_flow(index, word, LB_IPV6);
}

/* Is it a packet that may have, of what it was found as and what it changed? */
static __always_inline int may_have_opened(const struct flow_hit *hit,
					   __u32 flags, int change)
{
	const __u32 state = lb_word_state(hit->word);

	if (change == FLOW_CHANGED)
		return state == LB_FLOW_HALF_OPEN || state == LB_FLOW_RESET;
	return (flags & FLOW_DATAGRAM) && state == LB_FLOW_REPLY;
}

static __always_inline void remember(const struct flow_hit *hit,
				     const int family)
{
	if (family == LB_IPV6)
		remember_flow6(hit->index, hit->word);
	else
		remember_flow4(hit->index, hit->word);
}

#endif
