/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Packets whose sender left the checksum to its interface (CHECKSUM_PARTIAL),
 * as a veth does: the frame has only the sum of the pseudo header, and what is
 * rewritten by difference is wrong for ever. Nobody computes it any more, so
 * it can only be said, with each packet that asks for a connection or grants
 * one.
 */
#ifndef LB_OFFLOAD_H
#define LB_OFFLOAD_H

#include <linux/in.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>

#include "bpf/checksum.h"
#include "bpf/maps.h"
#include "bpf/packet.h"
#include "bpf/request.h"

static __always_inline __u64 sum_of_address(const struct lb_addr *address)
{
	return (__u64)address->ip[0] + address->ip[1] + address->ip[2] +
	       address->ip[3];
}

/* As the packet came: by the tuple of the line that it was found by. */
static __always_inline __u64 pseudo_sum(const struct lb_flow *line, __u32 bytes,
					const int family)
{
	const struct lb_flow6 *six = (const struct lb_flow6 *)line;
	__u64 sum = bpf_htons(IPPROTO_TCP) + bpf_htons(bytes);

	if (family == LB_IPV6)
		return sum + sum_of_address(&six->src) +
		       sum_of_address(&six->dst);
	return sum + line->tuple.src + line->tuple.dst;
}

static __always_inline struct lb_checksums *checksums_of(__u32 ifindex)
{
	struct lb_checksums *seen =
		bpf_map_lookup_elem(&lb_checksums, &ifindex);
	const struct lb_checksums none = {};

	if (seen)
		return seen;
	bpf_map_update_elem(&lb_checksums, &ifindex, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&lb_checksums, &ifindex);
}

/* Of TCP, rewritten: `at` is where it begins, `payload` what is behind it. */
static __always_inline int note_checksum(hook_ctx *ctx, __u32 index, __u32 at,
					 __u32 payload, const int family)
{
	const struct lb_flow *line = flow_line(index, family);
	__u32 ifindex = hook_ifindex(ctx);
	struct lb_checksums *seen = checksums_of(ifindex);
	struct scratch *own = own_scratch();
	__be16 partial;

	if (!line || !seen || !own ||
	    hook_load(ctx, at, &own->tcp, sizeof(own->tcp)))
		return 0;
	partial = checksum_fold(
		pseudo_sum(line, payload + own->tcp.doff * 4, family));
	checksum_adjust(&partial, line->rewrite.l4_delta);
	__sync_fetch_and_add(&seen->asked, 1);
	if (partial == own->tcp.check)
		__sync_fetch_and_add(&seen->partial, 1);
	return 0;
}

__noinline int note_checksum4(hook_ctx *ctx, __u32 index, __u32 at,
			      __u32 payload)
{
	return note_checksum(ctx, index, at, payload, LB_IPV4);
}

__noinline int note_checksum6(hook_ctx *ctx, __u32 index, __u32 at,
			      __u32 payload)
{
	return note_checksum(ctx, index, at, payload, LB_IPV6);
}

static __always_inline void note_offload(hook_ctx *ctx, const struct packet *p,
					 const struct flow_hit *hit,
					 const int family)
{
	const __u32 at = (void *)p->ports - (void *)p->eth;

	if (family == LB_IPV6)
		note_checksum6(ctx, hit->index, at, p->payload);
	else
		note_checksum4(ctx, hit->index, at, p->payload);
}

#endif
