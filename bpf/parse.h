/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * From the frame to its 5-tuple. What claims more bytes than there are is not
 * followed; bytes behind the IP packet (Ethernet pads) are left alone.
 */
#ifndef LB_PARSE_H
#define LB_PARSE_H

#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>

#include "bpf/cursor.h"
#include "bpf/extension.h"
#include "bpf/fragment.h"
#include "bpf/icmp.h"
#include "bpf/option.h"
#include "bpf/packet.h"
#include "bpf/sctp.h"

struct vlan_tag {
	__be16 tci;
	__be16 ethertype;
};

#define VLAN_ID_MASK 0x0fff

static __always_inline int is_ip(__be16 ethertype)
{
	return ethertype == bpf_htons(ETH_P_IP) ||
	       ethertype == bpf_htons(ETH_P_IPV6);
}

static __always_inline int is_vlan(__be16 ethertype)
{
	return ethertype == bpf_htons(ETH_P_8021Q) ||
	       ethertype == bpf_htons(ETH_P_8021AD);
}

/*
 * A frame of a VLAN is for the interface that stands for it, not for this
 * one. VLAN 0 says only a priority: the tag stays on, the rest is ours.
 */
static __always_inline enum lb_verdict parse_tag(struct cursor *c,
						 struct packet *p)
{
	const struct vlan_tag *tag;

	if (!is_vlan(p->ethertype))
		return LB_NOT_IP;
	tag = cursor_take(c, sizeof(*tag));
	if (!tag)
		return cold(LB_TRUNCATED);
	if (tag->tci & bpf_htons(VLAN_ID_MASK) || is_vlan(tag->ethertype))
		return LB_VLAN;
	p->ethertype = tag->ethertype;
	return is_ip(p->ethertype) ? LB_CONTINUE : LB_NOT_IP;
}

static __always_inline enum lb_verdict parse_ethernet(struct cursor *c,
						      struct packet *p)
{
	enum lb_verdict why;

	p->eth = cursor_take(c, sizeof(*p->eth));
	if (!p->eth)
		return cold(LB_TRUNCATED);
	/* struct ethhdr is packed: this is one load, not two */
	p->ethertype = *(const __be16 *)((void *)p->eth + 2 * ETH_ALEN);
	if (!is_ip(p->ethertype)) {
		why = parse_tag(c, p);
		if (why)
			return why;
	}
	/* what is sent to a group is no connection of ours */
	if (p->eth->h_dest[0] & 1)
		return cold(LB_NOT_UNICAST);
	return LB_CONTINUE;
}

/* `length`: bytes from here to the end of the IP packet, as in the two below */
static __always_inline enum lb_verdict parse_tcp(struct cursor *c,
						 struct packet *p, __u32 length)
{
	struct tcphdr *tcp = cursor_take(c, sizeof(*tcp));
	__u32 header;

	if (!tcp)
		return cold(LB_TRUNCATED);
	header = tcp->doff * 4;
	if (header < sizeof(*tcp) || header > length)
		return cold(LB_MALFORMED);
	p->ports = (__be32 *)tcp;
	p->flags = ((__u8 *)tcp)[13];
	p->payload = length - header;
	return LB_CONTINUE;
}

static __always_inline enum lb_verdict parse_udp(struct cursor *c,
						 struct packet *p, __u32 length)
{
	struct udphdr *udp = cursor_take(c, sizeof(*udp));
	__u32 claimed;

	if (!udp)
		return cold(LB_TRUNCATED);
	claimed = bpf_ntohs(udp->len);
	if (claimed > length) {
		if (!p->fragment)
			return cold(LB_MALFORMED);
		claimed = length;
	}
	if (claimed < sizeof(*udp))
		return cold(LB_MALFORMED);
	p->ports = (__be32 *)udp;
	p->flags = FLOW_DATAGRAM;
	p->payload = claimed - sizeof(*udp);
	return LB_CONTINUE;
}

static __always_inline enum lb_verdict
parse_sctp(hook_ctx *ctx, struct cursor *c, struct packet *p, __u32 length)
{
	struct sctp_head *sctp = cursor_take(c, sizeof(*sctp));

	if (!sctp)
		return cold(LB_TRUNCATED);
	if (length < sizeof(*sctp))
		return cold(LB_MALFORMED);
	p->ports = &sctp->ports;
	p->flags = sctp_flags(ctx, (void *)sctp - (void *)p->eth, length);
	p->flags = (p->flags & FLOW_SCTP_FLAGS) | FLOW_SCTP;
	p->payload = length - SCTP_COMMON_HEADER;
	return LB_CONTINUE;
}

static __always_inline enum lb_verdict parse_l4(hook_ctx *ctx, struct cursor *c,
						struct packet *p, __u8 proto,
						__u32 length, const int family)
{
	enum lb_verdict why;

	/* its checksum changes by the length of the whole packet */
	if (proto == IPPROTO_SCTP && p->fragment)
		return cold(LB_FRAGMENT);
	if (proto == IPPROTO_TCP)
		why = parse_tcp(c, p, length);
	else if (proto == IPPROTO_UDP)
		why = parse_udp(c, p, length);
	else if (proto == IPPROTO_SCTP)
		why = parse_sctp(ctx, c, p, length);
	else if (proto == (family == LB_IPV6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
		return cold(take_icmp(c, p, proto));
	else
		return cold(LB_OTHER_PROTOCOL);
	/* of a fragment it says less than it must */
	if (why)
		return p->fragment ? cold(LB_BAD_FRAGMENT) : why;
	p->length = hook_largest(ctx, p->length, p->payload);
	*(__be32 *)&p->key.tuple.sport = *p->ports;
	p->key.tuple.proto = proto;
	p->key.tuple.zero = 0;
	return LB_CONTINUE;
}

static __always_inline enum lb_verdict
parse_ipv4(hook_ctx *ctx, struct cursor *c, struct packet *p)
{
	__u32 left = cursor_left(ctx, c), header;
	struct iphdr *ip = cursor_take(c, sizeof(*ip));

	if (!ip)
		return cold(LB_TRUNCATED);
	header = ip->ihl * 4;
	p->length = bpf_ntohs(ip->tot_len);
	if (ip->version != 4 || header < sizeof(*ip) || header > p->length ||
	    p->length > left)
		return cold(LB_MALFORMED);
	if (__builtin_expect(header > sizeof(*ip), 0) &&
	    has_source_route(ctx, (void *)ip - (void *)p->eth,
			     header - sizeof(*ip)))
		return cold(LB_SOURCE_ROUTE);
	p->l3 = ip;
	if (ip->frag_off & bpf_htons(IPV4_FRAGMENT_AT))
		return cold(LB_FRAGMENT);
	p->fragment = ip->frag_off & bpf_htons(IPV4_MORE_FRAGMENTS);
	*(__u64 *)&p->key.tuple.src = *(const __u64 *)&ip->saddr;
	p->key.tuple.family = LB_IPV4;
	c->pos = (void *)ip + header;
	return parse_l4(ctx, c, p, ip->protocol, p->length - header, LB_IPV4);
}

static __always_inline enum lb_verdict
parse_ipv6(hook_ctx *ctx, struct cursor *c, struct packet *p)
{
	__u32 left = cursor_left(ctx, c), header = sizeof(struct ipv6hdr);
	struct ipv6hdr *ip = cursor_take(c, sizeof(*ip));
	enum lb_verdict why;
	__u8 proto;

	if (!ip)
		return cold(LB_TRUNCATED);
	p->length = sizeof(*ip) + bpf_ntohs(ip->payload_len);
	if (ip->version != 6 || p->length > left)
		return cold(LB_MALFORMED);
	p->l3 = ip;
	proto = ip->nexthdr;
	if (is_extension(proto)) {
		why = skip_extensions(ctx, (void *)ip - (void *)p->eth, &proto,
				      &header, &p->fragment);
		if (why)
			return why;
		if (header > p->length)
			return cold(LB_MALFORMED);
		c->pos = (void *)ip + header;
	}
	copy_address(&p->key.src, &ip->saddr);
	copy_address(&p->key.dst, &ip->daddr);
	flow_hash_addresses(&p->key.tuple, &p->key.src, &p->key.dst);
	p->key.tuple.family = LB_IPV6;
	return parse_l4(ctx, c, p, proto, p->length - header, LB_IPV6);
}

#endif
