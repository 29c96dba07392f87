/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * ICMP errors that say that a member cannot be had, sent for a SYN of ours:
 * by its host, whose port is closed or whose firewall rejects, or by a router.
 * Another member is tried, as after an RST.
 */
#ifndef LB_UNREACHABLE_H
#define LB_UNREACHABLE_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>

#include "bpf/cursor.h"
#include "bpf/flow_table.h"
#include "bpf/forward.h"
#include "bpf/icmp.h"
#include "bpf/packet.h"
#include "bpf/side.h"

#define ICMP_FRAG_NEEDED 4
#define ICMPV6_DEST_UNREACH 1

/* behind the type, the code, and the checksum: nothing that is used */
struct icmp_error_head {
	struct icmp_head head;
	__be32 unused;
};

/* as much of our packet as every ICMP error brings back */
struct quoted {
	__be16 sport;
	__be16 dport;
	__be32 seq;
};

/* The error's own headers, without options: whoever sends errors has none. */
static __always_inline int take_unreachable(struct cursor *c, const int family)
{
	const struct icmp_error_head *error;
	const struct ipv6hdr *ip6;
	const struct iphdr *ip;

	if (!cursor_take(c, sizeof(struct ethhdr)))
		return 0;
	if (family == LB_IPV6) {
		ip6 = cursor_take(c, sizeof(*ip6));
		if (!ip6 || ip6->nexthdr != IPPROTO_ICMPV6)
			return 0;
		error = cursor_take(c, sizeof(*error));
		return error && error->head.type == ICMPV6_DEST_UNREACH;
	}
	ip = cursor_take(c, sizeof(*ip));
	if (!ip || ip->ihl != 5 || ip->protocol != IPPROTO_ICMP)
		return 0;
	error = cursor_take(c, sizeof(*error));
	return error && error->head.type == ICMP_DEST_UNREACH &&
	       error->head.code != ICMP_FRAG_NEEDED;
}

/* By what the answer to our packet would have been found; 0: it is not TCP. */
static __always_inline int take_quoted(struct cursor *c, struct flow_key *key,
				       __u32 *seq, const int family)
{
	const struct quoted *tcp;
	const struct ipv6hdr *ip6;
	const struct iphdr *ip;

	if (family == LB_IPV6) {
		ip6 = cursor_take(c, sizeof(*ip6));
		if (!ip6 || ip6->nexthdr != IPPROTO_TCP)
			return 0;
		copy_address(&key->src, &ip6->daddr);
		copy_address(&key->dst, &ip6->saddr);
		flow_hash_addresses(&key->tuple, &key->src, &key->dst);
	} else {
		ip = cursor_take(c, sizeof(*ip));
		if (!ip || ip->ihl != 5 || ip->protocol != IPPROTO_TCP)
			return 0;
		key->tuple.src = ip->daddr;
		key->tuple.dst = ip->saddr;
	}
	tcp = cursor_take(c, sizeof(*tcp));
	if (!tcp)
		return 0;
	key->tuple.sport = tcp->dport;
	key->tuple.dport = tcp->sport;
	key->tuple.proto = IPPROTO_TCP;
	key->tuple.family = family;
	*seq = bpf_ntohl(tcp->seq);
	return 1;
}

/* The service whose member was refused, and will be passed over; else 0. */
static __always_inline __u32 refused_service(struct xdp_md *ctx,
					     const int family)
{
	struct cursor c = cursor_of(ctx);
	const struct lb_nexthop *hop;
	struct flow_key key = {};
	struct flow_hit hit;
	__u32 seq;

	if (!take_unreachable(&c, family) ||
	    !take_quoted(&c, &key, &seq, family) ||
	    !flow_find(&key, flow_hash(&key.tuple), family, &hit) ||
	    lb_word_state(hit.word) != LB_FLOW_REPLY)
		return 0;
	hop = hop_named(hit.line);
	if (!hop || is_of_other_side(ctx, &hit, hop, family) ||
	    !flow_refuse(&hit, seq, family))
		return 0;
	return service_of(&hit, family);
}

__noinline __u32 refused_service4(struct xdp_md *ctx)
{
	return refused_service(ctx, LB_IPV4);
}

__noinline __u32 refused_service6(struct xdp_md *ctx)
{
	return refused_service(ctx, LB_IPV6);
}

/* What is not for the load balancer, but may tell it something. */
static __always_inline enum lb_verdict not_ours(struct xdp_md *ctx,
						struct packet *p,
						enum lb_verdict why,
						const int family)
{
	if (why != LB_ICMP_ERROR)
		return why;
	p->service = family == LB_IPV6 ? refused_service6(ctx)
				       : refused_service4(ctx);
	return p->service ? LB_MEMBER_REFUSED : LB_ICMP_ERROR;
}

#endif
