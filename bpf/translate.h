/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * An ICMP error about a packet of a flow, for its sender: in the quoted packet
 * his own addresses and ports, as he sent it. The error comes from who he sent
 * to, whoever said it, as with the kernel's full NAT (nf_nat): he may know no
 * way to an address of the other side, nor need he know that there is one.
 */
#ifndef LB_TRANSLATE_H
#define LB_TRANSLATE_H

#include "bpf/before.h"
#include "bpf/quote.h"
#include "bpf/rewrite.h"

/* What the line turns a source and a destination into. */
struct new_ends {
	const __be32 *src;
	const __be32 *dst;
	__be16 sport;
	__be16 dport;
};

static __always_inline struct new_ends ends_of_line(const struct lb_flow *line,
						    const int family)
{
	const struct lb_flow6 *six = (const struct lb_flow6 *)line;
	const int ipv6 = family == LB_IPV6;

	return (struct new_ends){
		.src = ipv6 ? six->new_src.ip : &line->rewrite.src,
		.dst = ipv6 ? six->new_dst.ip : &line->rewrite.dst,
		.sport = line->rewrite.sport,
		.dport = line->rewrite.dport,
	};
}

/* ---- pieces of a packet; each says what it adds to a sum that covers it -- */

static __always_inline __u64 put_word(__be32 *at, __be32 word)
{
	const __u64 delta = checksum_delta(*at, word);

	*at = word;
	return delta;
}

/* Source and destination of an IP header. */
static __always_inline __u64 put_addresses(void *ip, const __be32 *src,
					   const __be32 *dst, const int family)
{
	const int words = family == LB_IPV6 ? 4 : 1;
	__be32 *at = family == LB_IPV6
			     ? (__be32 *)&((struct ipv6hdr *)ip)->saddr
			     : &((struct iphdr *)ip)->saddr;
	__u64 delta = 0;

#pragma unroll
	for (int i = 0; i < words; i++)
		delta += put_word(&at[i], src[i]) +
			 put_word(&at[words + i], dst[i]);
	return delta;
}

static __always_inline __u64 put_checksum(__be16 *check, __u64 delta)
{
	const __u16 old = *check;

	checksum_adjust(check, checksum_fold(delta));
	return (__u64)(__u16)~old + *check;
}

/* Where the quoted checksum of L4 is, behind the ports; 0: nowhere. */
static __always_inline __u32 l4_checksum_at(__u8 proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return 16;
	case IPPROTO_UDP:
		return 6;
	}
	return 0; /* SCTP's is no sum, and covers more than is quoted */
}

static __always_inline __u64 put_l4_checksum(__be16 *check, __u8 proto,
					     __u64 delta)
{
	__u64 sum;

	if (proto == IPPROTO_UDP && !*check)
		return 0;
	sum = put_checksum(check, delta);
	/* adds as much as zero does, which would say that there is none */
	if (proto == IPPROTO_UDP && !*check)
		*check = 0xffff;
	return sum;
}

/* ---- the quoted packet, as its sender has sent it ----------------------- */

static __always_inline __u64 restore_l3(struct cursor *c,
					const struct new_ends *to,
					__u64 *l4_delta, const int family)
{
	struct ipv6hdr *ip6;
	struct iphdr *ip;

	if (family == LB_IPV6) {
		ip6 = cursor_take(c, sizeof(*ip6));
		if (ip6)
			*l4_delta =
				put_addresses(ip6, to->dst, to->src, family);
		return *l4_delta;
	}
	ip = cursor_take(c, sizeof(*ip));
	if (!ip)
		return 0;
	*l4_delta = put_addresses(ip, to->dst, to->src, family);
	return *l4_delta + put_checksum(&ip->check, *l4_delta);
}

/* What the changes add to ICMP's sum. */
static __always_inline __u64 restore_quoted(hook_ctx *ctx,
					    const struct quote *q,
					    const struct lb_flow *line,
					    const int family)
{
	const __u32 inner = q->icmp + sizeof(struct icmp_error_head),
		    l4 = q->l4, check = l4_checksum_at(line->tuple.proto);
	const struct new_ends to = ends_of_line(line, family);
	const __be16 ports[2] = {to.dport, to.sport};
	struct cursor c = cursor_at(ctx, inner);
	__u64 sum, delta = 0, l4_delta;
	__be16 *found;
	__be32 *port;

	sum = restore_l3(&c, &to, &delta, family);
	c = cursor_at(ctx, l4);
	port = cursor_take(&c, sizeof(*port));
	if (!port)
		return sum;
	l4_delta = put_word(port, *(const __be32 *)ports);
	sum += l4_delta;
	if (!check || l4 + check + sizeof(*found) > q->end)
		return sum;
	c.pos = (void *)port + check;
	found = cursor_take(&c, sizeof(*found));
	if (found)
		sum += put_l4_checksum(found, line->tuple.proto,
				       delta + l4_delta);
	return sum;
}

/* ---- the error itself ---------------------------------------------------- */

/* Its own ends; what they add to a sum that covers them. */
static __always_inline __u64 redirect_l3(void *ip, const struct lb_flow *line,
					 enum hop_count hops, const int family)
{
	const struct new_ends to = ends_of_line(line, family);
	const __u64 delta = put_addresses(ip, to.src, to.dst, family);
	struct iphdr *ip4 = ip;

	if (family == LB_IPV6) {
		if (hops == HOP_DOWN)
			((struct ipv6hdr *)ip)->hop_limit--;
		return delta;
	}
	checksum_adjust(&ip4->check, checksum_fold(delta) +
					     (hops == HOP_DOWN ? TTL_DOWN : 0));
	if (hops == HOP_DOWN)
		ip4->ttl--;
	return delta;
}

static __always_inline int redirect_error(hook_ctx *ctx, const struct quote *q,
					  const struct lb_flow *line,
					  enum hop_count hops, __u64 sum,
					  const int family)
{
	struct cursor c = cursor_at(ctx, q->l3);
	struct icmp_head *icmp;
	__u64 ends;
	void *ip;

	ip = cursor_take(&c, l3_bytes(family));
	c = cursor_at(ctx, q->icmp);
	icmp = cursor_take(&c, sizeof(*icmp));
	if (!ip || !icmp)
		return 0;
	ends = redirect_l3(ip, line, hops, family);
	/* only ICMPv6 has a pseudo header */
	if (family == LB_IPV6)
		sum += ends;
	checksum_adjust(&icmp->check, checksum_fold(sum));
	return 1;
}

static __always_inline __u8 error_hops(hook_ctx *ctx, __u32 l3,
				       const int family)
{
	struct cursor c = cursor_at(ctx, l3);
	void *ip = cursor_take(&c, l3_bytes(family));

	if (!ip)
		return 0;
	return family == LB_IPV6 ? ((struct ipv6hdr *)ip)->hop_limit
				 : ((struct iphdr *)ip)->ttl;
}

/* No error is sent for an error (RFC 1122 3.2.2): it is dropped in silence. */
static __always_inline enum lb_verdict
check_error_hop(hook_ctx *ctx, const struct quote *q,
		const struct lb_nexthop *hop, const int family)
{
	if (error_hops(ctx, q->l3, family) <= 1)
		return LB_TTL_EXPIRED;
	/* the flow's next packet asks for the way; the kernel knows it */
	if (!is_open(ctx, hop) || hop->flags & LB_NEXTHOP_ASK)
		return LB_NEXTHOP_UNRESOLVED;
	return q->end - q->l3 > hop->mtu ? LB_TOO_BIG : LB_ICMP_TRANSLATED;
}

static __always_inline int set_link(hook_ctx *ctx, const struct lb_nexthop *hop)
{
	struct cursor c = cursor_of(ctx);
	struct ethhdr *eth = cursor_take(&c, sizeof(*eth));

	if (!eth)
		return 0;
	set_link_header(eth, hop);
	return 1;
}

/* The error that find_quoted() has found a flow for. */
static __always_inline enum lb_verdict translate(hook_ctx *ctx,
						 const int family)
{
	struct scratch *own = own_scratch();
	const struct lb_nexthop *hop;
	enum lb_verdict way;
	struct flow_hit hit;
	__u64 sum;

	if (!own)
		return LB_INTERNAL;
	hit = (struct flow_hit){flow_line(own->quote.line, family),
				own->quote.word, own->quote.line};
	hop = hit.line ? hop_named(hit.line) : 0;
	if (!hop)
		return LB_INTERNAL;
	way = check_error_hop(ctx, &own->quote, hop, family);
	if (way == LB_TTL_EXPIRED || way == LB_TOO_BIG)
		return way;
	sum = restore_quoted(ctx, &own->quote, hit.line, family);
	if (!redirect_error(ctx, &own->quote, hit.line,
			    way == LB_ICMP_TRANSLATED ? HOP_DOWN : HOP_KEEP,
			    sum, family))
		return LB_INTERNAL;
	if (!flow_is_still(&hit))
		return LB_RECYCLED;
	own->parting.out = hop->ifindex;
	return way == LB_ICMP_TRANSLATED && !set_link(ctx, hop) ? LB_INTERNAL
								: way;
}

__noinline int translate4(hook_ctx *ctx)
{
	return translate(ctx, LB_IPV4);
}

__noinline int translate6(hook_ctx *ctx)
{
	return translate(ctx, LB_IPV6);
}

/* ---- what the steps call ------------------------------------------------- */

static __always_inline enum lb_verdict
take_error(hook_ctx *ctx, struct packet *p, const int family)
{
	const __u32 l3 = p->l3 - (void *)p->eth,
		    icmp = (void *)p->ports - (void *)p->eth;
	struct scratch *own = own_scratch();
	enum lb_verdict why;

	if (!own)
		return LB_INTERNAL;
	own->quote.end = l3 + p->length;
	why = family == LB_IPV6 ? find_quoted6(ctx, l3, icmp)
				: find_quoted4(ctx, l3, icmp);
	if (!why)
		why = family == LB_IPV6 ? translate6(ctx) : translate4(ctx);
	p->service = own->parting.service;
	p->out = own->parting.out;
	return why;
}

#endif
