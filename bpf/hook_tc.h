/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * hook.h for tc ingress: the packet is an skb already. It may be several that
 * are cut apart when they leave (GSO), have its bytes in pieces, its tag beside
 * it, and its checksum left to the interface that it leaves by.
 */
#ifndef LB_HOOK_TC_H
#define LB_HOOK_TC_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/checksum.h"
#include "bpf/lb_abi.h"

typedef struct __sk_buff hook_ctx;

#define HOOK_SEND TC_ACT_REDIRECT
/* To the next program of the interface, if there is one, then to the kernel. */
#define HOOK_PASS TC_ACT_UNSPEC
#define HOOK_DROP TC_ACT_SHOT
#define HOOK_BROKEN TC_ACT_SHOT

#define HOOK_BEFORE lb_before_tc

#define HOOK_MENDS_CHECKSUMS 1
#define HOOK_SENDS_BY_ALL 1

#define TC_VLAN_ID 0x0fff
/* What headers may need in one piece, as long as cursor.h looks at them. */
#define TC_MOST_HEADERS 2048
#define TC_BY_FRAGS 0xffff /* gso_size: each piece is as it is (SCTP) */

static __always_inline __u32 hook_ifindex(const hook_ctx *ctx)
{
	return ctx->ifindex;
}

static __always_inline __u32 hook_bytes(const hook_ctx *ctx)
{
	return ctx->len;
}

static __always_inline __u32 hook_left(const hook_ctx *ctx, const void *pos,
				       const void *end)
{
	return ctx->len - (pos - (void *)(long)ctx->data);
}

/* ---- before anything is looked at --------------------------------------- */

/* Bytes that are in one piece. */
static __always_inline __u32 tc_linear(const hook_ctx *ctx)
{
	__u64 bytes = (void *)(long)ctx->data_end - (void *)(long)ctx->data;

	/* else the compiler may subtract halves of pointers */
	asm volatile("" : "+r"(bytes));
	return bytes;
}

/* Few packets need more than their fixed headers and TCP's. */
static __always_inline __u32 tc_headers(const hook_ctx *ctx)
{
	const struct ethhdr *eth = (void *)(long)ctx->data;
	const void *end = (void *)(long)ctx->data_end;
	const struct ipv6hdr *ip6 = (const void *)(eth + 1);
	const struct iphdr *ip = (const void *)(eth + 1);
	__u32 bytes = sizeof(*eth) + sizeof(struct tcphdr);
	__u8 proto;

	if ((const void *)(ip + 1) > end)
		return TC_MOST_HEADERS;
	if (eth->h_proto == bpf_htons(ETH_P_IP)) {
		proto = ip->protocol;
		bytes += ip->ihl * 4;
	} else {
		if ((const void *)(ip6 + 1) > end)
			return TC_MOST_HEADERS;
		proto = ip6->nexthdr;
		bytes += sizeof(*ip6);
	}
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP ? bytes
							    : TC_MOST_HEADERS;
}

static __always_inline enum lb_verdict hook_begin(hook_ctx *ctx)
{
	__u32 bytes = tc_headers(ctx);

	/* of VLAN 0, as parse_tag() has it */
	if (ctx->vlan_present && ctx->vlan_tci & TC_VLAN_ID)
		return LB_VLAN;
	if (bytes > ctx->len)
		bytes = ctx->len;
	/* what cannot be had is seen to be missing */
	if (tc_linear(ctx) < bytes && ctx->gso_size != TC_BY_FRAGS)
		bpf_skb_pull_data(ctx, bytes);
	return LB_CONTINUE;
}

static __always_inline __u32 hook_largest(const hook_ctx *ctx, __u32 length,
					  __u32 payload)
{
	const __u32 each = ctx->gso_size;

	if (!each)
		return length;
	return length - payload + (each == TC_BY_FRAGS ? 0 : each);
}

/* ---- changes ------------------------------------------------------------ */

static __always_inline long hook_load(hook_ctx *ctx, __u32 at, void *to,
				      __u32 bytes)
{
	return bpf_skb_load_bytes(ctx, at, to, bytes);
}

static __always_inline long hook_store(hook_ctx *ctx, __u32 at, void *from,
				       __u32 bytes)
{
	return bpf_skb_store_bytes(ctx, at, from, bytes, 0);
}

static __always_inline long hook_add_head(hook_ctx *ctx, int bytes)
{
	return bpf_skb_change_head(ctx, bytes, 0);
}

static __always_inline long hook_set_bytes(hook_ctx *ctx, __u32 bytes)
{
	return bpf_skb_change_tail(ctx, bytes, 0);
}

/*
 * Only such a packet is left alone by a change of what is no part of its pseudo
 * header; wherever that would be, so it is asked of any two bytes.
 */
static __always_inline int hook_is_partial(hook_ctx *ctx, __u32 at)
{
	__be16 before, after;

	if (bpf_skb_load_bytes(ctx, at, &before, sizeof(before)) ||
	    bpf_l4_csum_replace(ctx, at, 0, 1, 0) ||
	    bpf_skb_load_bytes(ctx, at, &after, sizeof(after)))
		return 0;
	if (before == after)
		return 1;
	bpf_skb_store_bytes(ctx, at, &before, sizeof(before), 0);
	return 0;
}

/*
 * What is still to be done about the checksum of L4: the kernel knows whether
 * it is one, or only the sum of the pseudo header; and it may have the sum of
 * the whole packet (CHECKSUM_COMPLETE), as the interface has computed it.
 */
struct hook_sum {
	__u16 at; /* 0: there is none; TC_OF_UDP */
	/* what each adds to a sum that covers it */
	__u16 addresses;
	__u16 ports;
	__u16 rest; /* to that of the whole packet, beside these */
};

#define TC_OF_UDP 0x8000

/* IPv4's own checksum takes back what addresses and TTL add to the packet. */
static __always_inline __u16 tc_rest(const struct lb_flow *line, int hops_down,
				     const int family)
{
	const __u32 hop = hops_down ? 0xffff ^ bpf_htons(1) : 0;

	return family == LB_IPV6 ? checksum_fold(line->rewrite.ip_delta + hop)
				 : 0;
}

static __always_inline void hook_change_l4(struct hook_sum *sum, __u32 at,
					   __be16 *check,
					   const struct lb_flow *line,
					   int hops_down, int is_udp,
					   const int family)
{
	const __be32 from = *(const __be32 *)&line->tuple.sport,
		     to = *(const __be32 *)&line->rewrite.sport;

	sum->at = is_udp ? at | TC_OF_UDP : at;
	sum->addresses = line->rewrite.ip_delta;
	sum->ports = from == to ? 0 : checksum_fold(checksum_delta(from, to));
	sum->rest = tc_rest(line, hops_down, family);
}

static __always_inline void hook_change_rest(struct hook_sum *sum, __u64 delta,
					     const struct lb_flow *line,
					     int hops_down, const int family)
{
	sum->rest = checksum_fold(delta + tc_rest(line, hops_down, family));
}

static __always_inline void hook_change_l3(hook_ctx *ctx,
					   const struct lb_flow *line,
					   int hops_down, const int family)
{
	if (family == LB_IPV6)
		bpf_csum_update(ctx, tc_rest(line, hops_down, family));
}

static __always_inline void hook_add_to_sum(hook_ctx *ctx, __u64 delta)
{
	bpf_csum_update(ctx, checksum_fold(delta));
}

static __always_inline void tc_change_l4(hook_ctx *ctx,
					 const struct hook_sum *sum)
{
	const __u32 at = sum->at & ~TC_OF_UDP;
	const __u64 flags = sum->at & TC_OF_UDP ? BPF_F_MARK_MANGLED_0 : 0;

	bpf_l4_csum_replace(ctx, at, 0, sum->addresses,
			    flags | BPF_F_PSEUDO_HDR);
	if (sum->ports)
		bpf_l4_csum_replace(ctx, at, 0, sum->ports, flags);
}

static __always_inline void hook_finish(hook_ctx *ctx,
					const struct hook_sum *sum)
{
	if (sum->at)
		tc_change_l4(ctx, sum);
	if (sum->rest)
		bpf_csum_update(ctx, sum->rest);
}

/* A packet that becomes longer loses the sum that it came with. */
static __always_inline void hook_forget_sum(hook_ctx *ctx)
{
	const __u32 bytes = ctx->len;

	if (bpf_csum_update(ctx, 0) < 0)
		return;
	if (!bpf_skb_change_tail(ctx, bytes + 1, 0))
		bpf_skb_change_tail(ctx, bytes, 0);
}

/* Any interface takes it. */
static __always_inline int hook_send(const hook_ctx *ctx, void *devices,
				     __u32 out)
{
	return bpf_redirect(out, 0);
}

#endif
