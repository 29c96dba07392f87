/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * A flow's line into the packet. Checksums are only ever changed by the
 * difference (RFC 1624), so that damage on the way in stays visible.
 */
#ifndef LB_REWRITE_H
#define LB_REWRITE_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>

#include "bpf/checksum.h"
#include "bpf/packet.h"
#include "bpf/sctp.h"

enum hop_count {
	HOP_KEEP, /* the kernel forwards, and counts itself */
	HOP_DOWN,
};

/* of the header without options and extensions */
static __always_inline __u32 l3_bytes(const int family)
{
	return family == LB_IPV6 ? sizeof(struct ipv6hdr)
				 : sizeof(struct iphdr);
}

static __always_inline __u8 hops_left(const struct packet *p, const int family)
{
	if (family == LB_IPV6)
		return ((const struct ipv6hdr *)p->l3)->hop_limit;
	return ((const struct iphdr *)p->l3)->ttl;
}

/* the TTL is the high byte of its word: what one less adds to the sum */
#define TTL_DOWN (0xffffu ^ bpf_htons(0x0100))

static __always_inline void
rewrite_ipv4(struct iphdr *ip, const struct lb_rewrite *to, enum hop_count hop)
{
	__u32 delta = to->ip_delta;

	if (hop == HOP_DOWN) {
		ip->ttl--;
		delta += TTL_DOWN;
	}
	*(__u64 *)&ip->saddr = *(const __u64 *)&to->src;
	checksum_adjust(&ip->check, delta);
}

static __always_inline void rewrite_ipv6(struct ipv6hdr *ip,
					 const struct lb_flow6 *line,
					 enum hop_count hop)
{
	const __u64 *from = (const __u64 *)&line->new_src;
	__u64 *to = (__u64 *)&ip->saddr;

	if (hop == HOP_DOWN)
		ip->hop_limit--;
	to[0] = from[0];
	to[1] = from[1];
	to[2] = from[2];
	to[3] = from[3];
}

/*
 * Zero stays: left to an interface, or not wanted (RFC 9653). What the change
 * adds to a sum.
 */
static __always_inline __u64 rewrite_sctp(struct packet *p,
					  const struct lb_flow *line)
{
	struct sctp_head *sctp = (struct sctp_head *)p->ports;
	const __be32 change = *(const __be32 *)&line->tuple.sport ^
			      *(const __be32 *)&line->rewrite.sport;
	const __be32 before = sctp->checksum;

	if (change && before)
		sctp->checksum ^= sctp_checksum_change(
			change, p->payload + SCTP_COMMON_HEADER);
	return checksum_delta(before, sctp->checksum);
}

static __always_inline __u64 delta_of_ports(const struct lb_flow *line)
{
	return checksum_delta(*(const __be32 *)&line->tuple.sport,
			      *(const __be32 *)&line->rewrite.sport);
}

static __always_inline void rewrite(struct packet *p,
				    const struct lb_flow *line,
				    enum hop_count hop, const int family)
{
	__be16 *check;

	if (family == LB_IPV6)
		rewrite_ipv6(p->l3, (const struct lb_flow6 *)line, hop);
	else
		rewrite_ipv4(p->l3, &line->rewrite, hop);
	*p->ports = *(const __be32 *)&line->rewrite.sport;
	if (!(p->flags & (FLOW_DATAGRAM | FLOW_SCTP))) {
		check = &((struct tcphdr *)p->ports)->check;
		hook_change_l4(&p->sum, (void *)check - (void *)p->eth, check,
			       line, hop == HOP_DOWN, 0, family);
		return;
	}
	if (p->flags & FLOW_SCTP) {
		hook_change_rest(&p->sum,
				 rewrite_sctp(p, line) + delta_of_ports(line),
				 line, hop == HOP_DOWN, family);
		return;
	}
	check = &((struct udphdr *)p->ports)->check;
	/* UDP: zero says that there is none, and stays */
	if (*check)
		hook_change_l4(&p->sum, (void *)check - (void *)p->eth, check,
			       line, hop == HOP_DOWN, 1, family);
	else
		hook_change_rest(&p->sum, delta_of_ports(line), line,
				 hop == HOP_DOWN, family);
}

#endif
