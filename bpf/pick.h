/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Which backend a new flow goes to: the service's scheduler over its ring. */
#ifndef LB_PICK_H
#define LB_PICK_H

#include "bpf/flow_change.h"
#include "bpf/maps.h"
#include "bpf/request.h"

/* Of more backends, the one whose turn it is and so many others by lot. */
#define MOST_COMPARED 32
#define DRAWN 3
/* So many slots are looked at for another backend than the one whose turn it
 * is. */
#define MOST_SLOTS 1024

struct ring {
	void *map;
	__u32 slots;
	__u32 members;
};

static __always_inline struct lb_ring_cell *ring_cell(void *map, __u32 index)
{
	return bpf_map_lookup_elem(map, &index);
}

/* The backend in this slot; 0: none. */
static __always_inline __u32 ring_at(void *map, __u32 slot)
{
	const struct lb_ring_cell *cell =
		ring_cell(map, LB_RING_HEAD + slot / LB_RING_CELL_SLOTS);

	return cell ? cell->backend[slot % LB_RING_CELL_SLOTS] : 0;
}

static __always_inline int find_ring(const struct lb_service *service,
				     const int family, struct ring *ring)
{
	__u32 index = service->ring;
	const struct lb_ring_cell *head;

	if (!index)
		return 0;
	ring->map = bpf_map_lookup_elem(&lb_rings, &index);
	if (!ring->map)
		return 0;
	head = ring_cell(ring->map, 0);
	if (!head || head->head.family != family)
		return 0;
	ring->slots = head->head.slots;
	ring->members = head->head.members;
	return ring->slots != 0;
}

/*
 * One count for all CPUs: exact, and on a cache line that the new flow's use
 * count needs anyway.
 */
static __always_inline __u32 next_turn(const struct lb_service *service)
{
	__u32 id = service->id;
	struct lb_use *use = bpf_map_lookup_elem(&lb_service_use, &id);

	return use ? __sync_fetch_and_add(&use->turn, 1) : 0;
}

/*
 * Keyed with the pool's id, which clients do not know: the same source finds
 * the same slot on another node and after the maps were made anew.
 */
static __always_inline __u32 slot_of_source(const struct ring *ring,
					    const struct request *r,
					    const int family, __be16 port)
{
	const struct lb_ring_cell *low = ring_cell(ring->map, 1);
	const struct lb_ring_cell *high = ring_cell(ring->map, 2);
	__u64 hash;

	if (!low || !high)
		return 0;
	hash = lb_hash_step(lb_load64(low->pool), lb_load64(&r->client.ip[0]));
	if (family == LB_IPV6)
		hash = lb_hash_step(hash, lb_load64(&r->client.ip[2]));
	hash = lb_hash_step(hash, port);
	hash = lb_hash_step(hash, lb_load64(high->pool));
	return (hash >> 32) * ring->slots >> 32;
}

/* ---- backends that did not answer, or refused --------------------------- */

#define MOST_TRIED 4 /* as many as are remembered */

static __always_inline int was_tried(__u64 tried, __u32 id)
{
	return (tried & 0xffff) == id || (tried >> 16 & 0xffff) == id ||
	       (tried >> 32 & 0xffff) == id || tried >> 48 == id;
}

/*
 * How many others may have the flow after this one. Of those that were tried
 * so many are avoided that one is left.
 */
static __always_inline void note_others(const struct ring *ring,
					struct request *r)
{
	__u32 others = ring->members ? ring->members - 1 : 0;

	if (!r->tried)
		r->others = others < LB_OTHERS ? others : LB_OTHERS;
	if (others < MOST_TRIED)
		r->tried &= (1ull << 16 * others) - 1;
}

static __always_inline void count_others(const struct lb_service *service,
					 struct request *r, const int family)
{
	struct ring ring;

	if (find_ring(service, family, &ring))
		note_others(&ring, r);
}

/* ---- the ring ------------------------------------------------------------ */

static __always_inline int backend_is_usable(const struct lb_backend *backend)
{
	return (backend->flags & (LB_BACKEND_PRESENT | LB_BACKEND_GONE)) ==
	       LB_BACKEND_PRESENT;
}

static __always_inline int is_usable(__u32 id, const int family)
{
	const struct lb_backend *backend =
		bpf_map_lookup_elem(&lb_backends, &id);

	return id && backend && backend_is_usable(backend) &&
	       backend->family == family;
}

struct look {
	void *map;
	__u32 slots;
	__u32 first;
	__u64 tried;
	__u32 found; /* 0: none yet */
	__u32 last; /* one that was tried, which would do */
	int family;
};

static long look_at_slot(__u32 i, struct look *look)
{
	__u32 id = ring_at(look->map, (look->first + i) % look->slots);

	if (!is_usable(id, look->family))
		return 0;
	if (was_tried(look->tried, id)) {
		look->last = id;
		return 0;
	}
	look->found = id;
	return 1;
}

/*
 * From this slot on, the first backend that can have the flow: a ring may name
 * one that has just gone down. One that was tried has it if there is no other.
 */
static __always_inline __u32 usable_from(const struct ring *ring, __u32 slot,
					 __u64 tried, const int family)
{
	struct look look = {
		.map = ring->map,
		.slots = ring->slots,
		.first = slot + 1,
		.tried = tried,
		.family = family,
	};
	__u32 id = ring_at(ring->map, slot % ring->slots);

	if (is_usable(id, family)) {
		if (!was_tried(tried, id))
			return id;
		look.last = id;
	}
	bpf_loop(ring->slots < MOST_SLOTS ? ring->slots : MOST_SLOTS,
		 look_at_slot, &look, 0);
	return look.found ? look.found : look.last;
}

/* ---- least connections -------------------------------------------------- */

struct least {
	void *map;
	__u32 slots;
	__u32 first;
	__u32 step;
	__u32 best; /* 0: none yet */
	__u32 flows;
	__u32 weight;
	__u64 tried; /* not these, unless there is no other */
};

/* Fewer flows for its weight, with the new one counted, is better. */
static long compare_backend(__u32 i, struct least *least)
{
	__u32 slot = (least->first + i * least->step) % least->slots;
	__u32 id = ring_at(least->map, slot);
	const struct lb_backend *backend =
		bpf_map_lookup_elem(&lb_backends, &id);
	const struct lb_use *use = bpf_map_lookup_elem(&lb_backend_use, &id);
	__u64 flows;

	if (!id || !backend || !use || !backend->weight ||
	    was_tried(least->tried, id) || !backend_is_usable(backend))
		return 0;
	flows = (__u64)LB_READ(use->flows) + LB_READ(use->opening) + 1;
	if (least->best &&
	    flows * least->weight >= (__u64)least->flows * backend->weight)
		return 0;
	least->best = id;
	least->flows = flows;
	least->weight = backend->weight;
	return 0;
}

/*
 * Begins at another backend each time, so that equals take turns. The first
 * is looked at before the loop: until 6.7 the verifier follows a callback with
 * the values of its first call only, and removes whatever these do not reach.
 * From constants that would be the comparison.
 */
static __always_inline __u32 least_loaded(const struct ring *ring, __u32 turn,
					  __u64 tried, const int family)
{
	struct least least = {
		.map = ring->map,
		.slots = ring->slots,
		.first = turn % ring->slots,
		.step = 1,
		.tried = tried,
	};
	__u32 looks = ring->slots - 1, lot;

	compare_backend(0, &least);
	if (looks < MOST_COMPARED) {
		least.first++;
	} else {
		lot = bpf_get_prandom_u32();
		looks = DRAWN;
		least.first = lot % ring->slots;
		least.step = 1 + (lot >> 16) % (ring->slots - 1);
	}
	bpf_loop(looks, compare_backend, &least, 0);
	return least.best ? least.best : usable_from(ring, turn, tried, family);
}

/* ---- all of them ------------------------------------------------------- */

/* Its id; 0: none, and the kernel refuses, as it has the VIP but no socket. */
static __always_inline __u32 pick_backend(const struct lb_service *service,
					  struct request *r, const int family)
{
	struct ring ring;
	__u32 slot;

	if (!find_ring(service, family, &ring))
		return 0;
	note_others(&ring, r);
	switch (service->scheduler) {
	case LB_SCHEDULE_RING:
		/* who has to begin anew with each datagram stays where it is */
		slot = (r->flags & FLOW_DATAGRAM) && flow_is_crowded(family)
			       ? slot_of_source(&ring, r, family,
						r->client_port)
			       : next_turn(service);
		break;
	case LB_LEAST_CONNECTIONS:
		return least_loaded(&ring, next_turn(service), r->tried,
				    family);
	case LB_HASH_SOURCE:
		slot = slot_of_source(&ring, r, family, 0);
		break;
	case LB_HASH_TUPLE:
		slot = slot_of_source(&ring, r, family, r->client_port);
		break;
	default:
		return 0;
	}
	return usable_from(&ring, slot, r->tried, family);
}

#endif
