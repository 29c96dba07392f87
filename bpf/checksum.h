/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* One's complement sums, by difference (RFC 1624). */
#ifndef LB_CHECKSUM_H
#define LB_CHECKSUM_H

#include "bpf/lb_abi.h"

static __always_inline __u16 checksum_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/* Of `bytes`, which begin words that are `most` at most; both divide by four.
 */
static __always_inline __u64 checksum_of(const void *words, __u32 bytes,
					 const __u32 most)
{
	const __be32 *word = words;
	__u64 sum = 0;

#pragma unroll
	for (__u32 i = 0; i < most; i += 4)
		sum += i < bytes ? word[i / 4] : 0;
	return sum;
}

/* What turning `from` into `to` adds to a sum. */
static __always_inline __u64 checksum_delta(__be32 from, __be32 to)
{
	return (__u64)(__u32)~from + to;
}

static __always_inline __u64
checksum_delta_of_address(const struct lb_addr *from, const struct lb_addr *to)
{
	return checksum_delta(from->ip[0], to->ip[0]) +
	       checksum_delta(from->ip[1], to->ip[1]) +
	       checksum_delta(from->ip[2], to->ip[2]) +
	       checksum_delta(from->ip[3], to->ip[3]);
}

/* `delta`: less than 2^17 */
static __always_inline void checksum_adjust(__be16 *check, __u32 delta)
{
	__u32 sum = (__u16) ~*check + delta;

	sum = (sum & 0xffff) + (sum >> 16);
	*check = ~((sum & 0xffff) + (sum >> 16));
}

#endif
