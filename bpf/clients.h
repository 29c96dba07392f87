/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The table of clients that are remembered: buckets of places, no lock. A full
 * bucket is shared fairly: a newcomer gets the place of the service that has
 * most of it, so that none can push out the clients of one that has less.
 */
#ifndef LB_CLIENTS_H
#define LB_CLIENTS_H

#include "bpf/flow_find.h"
#include "bpf/maps.h"

#define CLIENT_TRIES 4

static __always_inline struct lb_client_bucket *client_bucket(__u64 who)
{
	__u32 index = lb_client_home(who);

	return bpf_map_lookup_elem(&lb_clients, &index);
}

/*
 * The place that it has; LB_CLIENT_WAYS: none. Looked for by a function of its
 * own, so that whoever asks goes on in one way, not in one for each place.
 */
__noinline __u32 place_of_client(__u64 who)
{
	const struct lb_client_bucket *bucket = client_bucket(who);

	if (!bucket)
		return LB_CLIENT_WAYS;
#pragma unroll
	for (__u32 i = 0; i < LB_CLIENT_WAYS; i++)
		if (LB_READ(bucket->clients[i].who) == who)
			return i;
	return LB_CLIENT_WAYS;
}

/* Null: it is not remembered. */
static __always_inline struct lb_client *find_client(__u64 who)
{
	const __u32 place = place_of_client(who);
	struct lb_client_bucket *bucket;

	if (place >= LB_CLIENT_WAYS)
		return 0;
	bucket = client_bucket(who);
	return bucket ? &bucket->clients[place] : 0;
}

static __always_inline void forget_client(struct lb_client *client, __u64 who)
{
	__sync_val_compare_and_swap(&client->who, who, LB_CLIENT_FREE);
}

/* ---- a place for a newcomer --------------------------------------------- */

/*
 * 1 or 0, of numbers below 2^31: without a branch, each of which the verifier
 * would follow both ways, with the counts that come of it.
 */
static __always_inline __u64 is_same(__u32 a, __u32 b)
{
	__u32 differs = a ^ b;

	/* else the compiler makes a branch of it again */
	asm volatile("" : "+r"(differs));
	return (differs - 1) >> 31;
}

static __always_inline __u64 clients_of(const struct lb_client_bucket *bucket,
					__u32 service)
{
	__u64 count = 0;

#pragma unroll
	for (int i = 0; i < LB_CLIENT_WAYS; i++)
		count += is_same(
			lb_client_service(LB_READ(bucket->clients[i].who)),
			service);
	return count;
}

/* The place that goes first has the highest: of the service that has most. */
static __always_inline __u64 rank_of(const struct lb_client_bucket *bucket,
				     __u32 place, __u32 newcomer, __u32 now)
{
	const struct lb_client *client = &bucket->clients[place];
	const __u32 service = lb_client_service(LB_READ(client->who));
	/* another CPU may have seen a later tick: then it is as if unseen */
	const __u32 unseen = now - lb_client_seen(LB_READ(client->has));

	return (clients_of(bucket, service) + is_same(service, newcomer))
		       << 40 |
	       (__u64)unseen << 8 | place;
}

/*
 * A free one; else, of the service that has most, the newcomer counted, that
 * which was not seen for the longest time.
 */
__noinline __u32 client_place(const struct lb_client_bucket *bucket,
			      __u32 newcomer)
{
	const __u32 now = flow_tick();
	__u64 best, rank;

	if (!bucket)
		return 0;
#pragma unroll
	for (__u32 i = 0; i < LB_CLIENT_WAYS; i++)
		if (LB_READ(bucket->clients[i].who) == LB_CLIENT_FREE)
			return i;
	best = rank_of(bucket, 0, newcomer, now);
	for (__u32 i = 1; i < LB_CLIENT_WAYS; i++) {
		rank = rank_of(bucket, i, newcomer, now);
		if (rank > best)
			best = rank;
	}
	return best % LB_CLIENT_WAYS;
}

/*
 * If another CPU has just remembered the same client in another place, the
 * one that is found first stays. Of the two at least one sees the other: each
 * looks after its own is to be seen.
 */
static __always_inline void drop_twins(struct lb_client_bucket *bucket,
				       __u32 own, __u64 who)
{
#pragma unroll
	for (__u32 i = 0; i < LB_CLIENT_WAYS; i++) {
		if (i == own || LB_READ(bucket->clients[i].who) != who)
			continue;
		forget_client(&bucket->clients[i < own ? own : i], who);
		if (i < own)
			return;
	}
}

/* A client that was not found; the service is in `who`. */
__noinline int add_client(__u64 who, __u32 backend)
{
	struct lb_client_bucket *bucket = client_bucket(who);
	const __u32 now = flow_tick();

	if (!bucket)
		return 0;
	for (int i = 0; i < CLIENT_TRIES; i++) {
		__u32 place = client_place(bucket, lb_client_service(who));
		struct lb_client *client;
		__u64 before;

		if (place >= LB_CLIENT_WAYS)
			return 0;
		client = &bucket->clients[place];
		before = LB_READ(client->who);
		if (before == LB_CLIENT_BUSY ||
		    __sync_val_compare_and_swap(&client->who, before,
						LB_CLIENT_BUSY) != before)
			continue;
		LB_WRITE(client->has, lb_client_has(backend, now));
		/* a full barrier: twins are looked for after it */
		__sync_lock_test_and_set(&client->who, who);
		drop_twins(bucket, place, who);
		return 1;
	}
	return 0;
}

#endif
