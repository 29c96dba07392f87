/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Ports that rest. A member that closes a connection first remembers it for a
 * minute (TIME_WAIT). A SYN on the same addresses and ports is let in only if
 * its timestamp is newer than the last one of that connection: the same
 * client's is, another one's is or is not. So it is kept here who had the port
 * then. Only a hint: what finds no place is forgotten.
 */
#ifndef LB_REST_H
#define LB_REST_H

#include "bpf/flow_find.h"

#define REST_TICKS (60000 / LB_TICK_MS)

/* An entry: tick 32, client 16, tuple 16. */
#define REST_TUPLE 0xffffull
#define REST_CLIENT 0xffff0000ull

static __always_inline struct lb_rest *rest_bucket(__u64 hash)
{
	__u32 index = (hash >> 40) & (lb_lines / LB_REST_SHARE - 1);

	return bpf_map_lookup_elem(&lb_rested, &index);
}

/* Client and VIP: timestamps begin elsewhere between each two addresses. */
static __always_inline __u64 rest_client(const struct lb_flow *reply,
					 const int family)
{
	const struct lb_flow6 *line = (const struct lb_flow6 *)reply;
	__u64 hash;

	if (family == LB_IPV6)
		hash = lb_hash_addresses(&line->new_src, &line->new_dst,
					 lb_seed);
	else
		hash = lb_load64(&reply->rewrite.src);
	return lb_hash_step(lb_seed, hash) >> 32 & REST_CLIENT;
}

static __always_inline __u32 rest_age(__u64 entry, __u32 now)
{
	return now - (__u32)(entry >> 32);
}

static __always_inline void rest_port_of(const struct lb_flow *reply,
					 __u64 client)
{
	const __u64 hash = flow_hash(&reply->tuple), tuple = hash & REST_TUPLE;
	struct lb_rest *bucket = rest_bucket(hash);
	const __u32 now = flow_tick();
	__u64 *place;

	if (!bucket)
		return;
	place = &bucket->way[0];
#pragma unroll
	for (int i = 1; i < LB_REST_WAYS; i++) {
		__u64 *other = &bucket->way[i];

		if ((*place & REST_TUPLE) != tuple &&
		    ((*other & REST_TUPLE) == tuple ||
		     rest_age(*other, now) > rest_age(*place, now)))
			place = other;
	}
	*place = (__u64)now << 32 | client | tuple;
}

/* The member has closed the connection of this reply line. */
static __always_inline void rest_port(const struct lb_flow *reply,
				      const int family)
{
	rest_port_of(reply, rest_client(reply, family));
}

/* The member still has a connection on it: nobody can use the port. */
static __always_inline void rest_for_all(const struct lb_flow *reply)
{
	rest_port_of(reply, 0);
}

/* How long the port of a reply line has yet to rest before it may have it. */
static __always_inline __u32 rest_left(const struct lb_flow *reply,
				       const int family)
{
	const __u64 hash = flow_hash(&reply->tuple);
	const struct lb_rest *bucket = rest_bucket(hash);
	const __u32 now = flow_tick();

	if (!bucket)
		return 0;
#pragma unroll
	for (int i = 0; i < LB_REST_WAYS; i++) {
		const __u64 entry = LB_READ(bucket->way[i]);
		const __u32 age = rest_age(entry, now);

		if ((entry ^ hash) & REST_TUPLE)
			continue;
		if (age >= REST_TICKS ||
		    (entry & REST_CLIENT) == rest_client(reply, family))
			return 0;
		return REST_TICKS - age;
	}
	return 0;
}

#endif
