/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* One direction of a flow that is being made: its tuple and its rewrite. */
#ifndef LB_DIRECTION_H
#define LB_DIRECTION_H

#include "bpf/checksum.h"
#include "bpf/flow_find.h"
#include "bpf/packet.h"

static __always_inline void set_addresses(struct lb_flow6 *made,
					  const struct lb_addr *src,
					  const struct lb_addr *dst,
					  const int family)
{
	if (family == LB_IPV6) {
		copy_address(&made->src, src);
		copy_address(&made->dst, dst);
	} else {
		made->line.tuple.src = src->ip[0];
		made->line.tuple.dst = dst->ip[0];
	}
}

static __always_inline void set_new_addresses(struct lb_flow6 *made,
					      const struct lb_addr *src,
					      const struct lb_addr *dst,
					      const int family)
{
	if (family == LB_IPV6) {
		copy_address(&made->new_src, src);
		copy_address(&made->new_dst, dst);
	} else {
		made->line.rewrite.src = src->ip[0];
		made->line.rewrite.dst = dst->ip[0];
	}
}

/* Everything that follows from addresses and ports. */
static __always_inline void finish_direction(struct lb_flow6 *made,
					     const int family)
{
	struct lb_tuple *tuple = &made->line.tuple;
	struct lb_rewrite *to = &made->line.rewrite;
	__u64 sum;

	if (family == LB_IPV6) {
		flow_hash_addresses(tuple, &made->src, &made->dst);
		sum = checksum_delta_of_address(&made->src, &made->new_src) +
		      checksum_delta_of_address(&made->dst, &made->new_dst);
	} else {
		sum = checksum_delta(tuple->src, to->src) +
		      checksum_delta(tuple->dst, to->dst);
	}
	to->ip_delta = checksum_fold(sum);
	sum += checksum_delta(*(const __be32 *)&tuple->sport,
			      *(const __be32 *)&to->sport);
	to->l4_delta = checksum_fold(sum);
}

#endif
