/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Whether a flow may begin by how many have begun: of its client, of the
 * client's network, of its listener. A flow that one of them refuses is not
 * charged to the next, so that a client who asks too much does not use up what
 * the others may have.
 */
#ifndef LB_RATE_H
#define LB_RATE_H

#include <bpf/bpf_endian.h>

#include "bpf/flow_terms.h"
#include "bpf/maps.h"
#include "bpf/request.h"

#define RATE_SECOND 1000000000ull
#define RATE_TRIES 4 /* others who take from the same bucket meanwhile */

/*
 * One flow more is taken from a bucket (GCRA, as ATM has it: I.371). It is
 * empty if it will not be full again within a second. Who meets others at
 * each try is refused: only a flood makes that likely.
 */
static __always_inline int take_one(struct lb_rate_bucket *bucket, __u32 rate,
				    __u64 now)
{
	const __u64 price = RATE_SECOND / rate;
	__u64 full, then;

#pragma unroll
	for (int i = 0; i < RATE_TRIES; i++) {
		full = LB_READ(bucket->full);
		then = (full > now ? full : now) + price;
		if (then - now > RATE_SECOND)
			return 0;
		if (__sync_bool_compare_and_swap(&bucket->full, full, then))
			return 1;
	}
	return 0;
}

static __always_inline void
set_prefix(struct lb_addr *prefix, const struct lb_addr *address, __u32 bits)
{
	const __be32 last =
		bits % 32 ? bpf_htonl(~0u << (32 - bits % 32)) : ~0u;

	if (bits <= 32) {
		prefix->ip[0] = address->ip[0] & last;
		return;
	}
	prefix->ip[0] = address->ip[0];
	prefix->ip[1] = address->ip[1] & last;
}

/* Functions of their own, which the verifier looks at once. */
__noinline int source_may_begin(const struct request *r, __u32 bucket,
				__u32 bits, __u32 rate)
{
	const __u64 now = bpf_ktime_get_ns();
	struct lb_rate_source source = {.bucket = bucket, .bits = bits};
	struct lb_rate_bucket first, *own;

	if (!r || !rate)
		return 1;
	set_prefix(&source.prefix, &r->client, bits);
	own = bpf_map_lookup_elem(&lb_rate_sources, &source);
	if (own)
		return take_one(own, rate, now);
	first.full = now + RATE_SECOND / rate;
	/* without room nobody is refused: then the listener's rate is left */
	bpf_map_update_elem(&lb_rate_sources, &source, &first, BPF_ANY);
	return 1;
}

__noinline int listener_may_begin(__u32 bucket, __u32 rate)
{
	struct lb_rate_bucket *own =
		bpf_map_lookup_elem(&lb_rate_listeners, &bucket);

	return !own || !rate || take_one(own, rate, bpf_ktime_get_ns());
}

/* A packet is charged once, whatever its flow is tried with. */
static __always_inline int is_over_rate(const struct lb_rates *rates,
					const struct request *r,
					const int family)
{
	const __u32 client = family == LB_IPV6 ? 64 : 32;
	const __u32 network = family == LB_IPV6 ? 56 : 24;

	if (r->tried || r->tries)
		return 0;
	if (rates->client &&
	    !source_may_begin(r, rates->bucket, client, rates->client))
		return 1;
	if (rates->network &&
	    !source_may_begin(r, rates->bucket, network, rates->network))
		return 1;
	return rates->listener &&
	       !listener_may_begin(rates->bucket, rates->listener);
}

#endif
