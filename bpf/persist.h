/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Session persistence by source address: which member a client had. An element
 * of an LRU map may be given to another key while it is read or written here.
 * So nothing is believed of it: its backend counts if it is of the service's
 * pool and may be used, and the worst that comes of such a moment is a client
 * that has another member of its pool.
 */
#ifndef LB_PERSIST_H
#define LB_PERSIST_H

#include "bpf/flow_find.h"
#include "bpf/maps.h"
#include "bpf/pick.h"
#include "bpf/request.h"

/* struct lb_persist as one word */
#define PERSIST_VALUE(backend, seen) ((__u64)(seen) << 32 | (backend))

static __always_inline struct lb_persist_key
persist_key(const struct lb_service *service, const struct request *r)
{
	struct lb_persist_key key = {.service = service->id};

#pragma unroll
	for (int i = 0; i < 4; i++)
		key.client.ip[i] =
			r->client.ip[i] & service->persistence_mask.ip[i];
	return key;
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
				      const struct request *r, __u32 id,
				      const int family)
{
	const __u8 needed = LB_BACKEND_PRESENT | LB_BACKEND_RETURNING;
	const struct lb_backend *backend =
		bpf_map_lookup_elem(&lb_backends, &id);

	return id && !was_tried(r->tried, id) && backend &&
	       backend->family == family &&
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

/* The member that the client had; 0: none that it could have now. */
static __always_inline __u32 had_backend(const struct lb_service *service,
					 const struct request *r,
					 __u64 remembered, const int family)
{
	const __u32 id = (__u32)remembered, seen = remembered >> 32;

	if (is_forgotten(service, seen, flow_tick()))
		return 0;
	return may_return(service, r, id, family) ? id : 0;
}

/*
 * The client has this backend now. If another CPU has just said otherwise, for
 * another of its flows, then that one is what becomes of both.
 */
static __always_inline __u32 remember(const struct lb_service *service,
				      const struct request *r, __u64 *element,
				      __u64 remembered, __u32 id,
				      const int family)
{
	const __u64 value = PERSIST_VALUE(id, flow_tick());
	const struct lb_persist_key key = persist_key(service, r);
	__u32 other;
	__u64 now;

	if (!element) {
		if (!bpf_map_update_elem(&lb_persist, &key, &value,
					 BPF_NOEXIST))
			return id;
		element = bpf_map_lookup_elem(&lb_persist, &key);
		other = element ? LB_READ(*element) : 0;
	} else {
		now = __sync_val_compare_and_swap(element, remembered, value);
		if (now == remembered)
			return id;
		other = now;
	}
	return may_return(service, r, other, family) ? other : id;
}

static __always_inline __u32 persistent_backend(
	const struct lb_service *service, struct request *r, const int family)
{
	const struct lb_persist_key key = persist_key(service, r);
	__u64 *element = bpf_map_lookup_elem(&lb_persist, &key);
	const __u64 remembered = element ? LB_READ(*element) : 0;
	__u32 id = had_backend(service, r, remembered, family);

	r->persisted = id != 0;
	if (id)
		count_others(service, r, family);
	else
		id = pick_backend(service, r, family);
	return id ? remember(service, r, element, remembered, id, family) : 0;
}

#endif
