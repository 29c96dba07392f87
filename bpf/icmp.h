/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * ICMP and ICMPv6. The kernel answers requests to our addresses and takes
 * errors about its own packets; those about ours are translated.
 */
#ifndef LB_ICMP_H
#define LB_ICMP_H

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include "bpf/cursor.h"
#include "bpf/packet.h"

/* linux/icmp.h cannot be included for this target */
#define ICMP_DEST_UNREACH 3
#define ICMP_SOURCE_QUENCH 4
#define ICMP_REDIRECT 5
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETERPROB 12
#define ICMP_FRAG_NEEDED 4 /* a code of the first */

#define ICMPV6_DEST_UNREACH 1
#define ICMPV6_PKT_TOOBIG 2
#define ICMPV6_TIME_EXCEEDED 3
#define ICMPV6_PARAMPROB 4
#define ICMPV6_UNK_NEXTHDR 1
#define ICMPV6_INFOMSG_MASK 0x80

struct icmp_head {
	__u8 type;
	__u8 code;
	__be16 check;
};

/* of an error: the packet that it is about begins behind it */
struct icmp_error_head {
	struct icmp_head head;
	__be32 rest; /* by the type: an MTU, a pointer, nothing */
};

/*
 * An error of our own (tell.h). ICMP and the quote are what bpf_csum_diff takes
 * at once, and no more than every host has to take.
 */
#define TOLD_QUOTE 504
#define TOLD_LINK 18 /* Ethernet and a tag */

struct told_packet {
	union {
		struct ipv6hdr ip6;
		struct {
			__u8 unused[sizeof(struct ipv6hdr) -
				    sizeof(struct iphdr)];
			struct iphdr ip;
		};
	};
	struct icmp_error_head icmp;
	__u8 quote[TOLD_QUOTE];
	__u8 link[TOLD_LINK]; /* the link header before it */
};

static __always_inline int is_icmp_error(__u8 type, __u8 proto)
{
	/* RFC 4443: errors have the high bit clear */
	if (proto == IPPROTO_ICMPV6)
		return !(type & ICMPV6_INFOMSG_MASK);
	return type == ICMP_DEST_UNREACH || type == ICMP_SOURCE_QUENCH ||
	       type == ICMP_REDIRECT || type == ICMP_TIME_EXCEEDED ||
	       type == ICMP_PARAMETERPROB;
}

/*
 * Is it for the sender of the quoted packet? A redirect is for the next hop
 * only, and nobody sends or takes a source quench any more (RFC 6633).
 */
static __always_inline int is_for_sender(__u8 type, const int family)
{
	if (family == LB_IPV6)
		return type >= ICMPV6_DEST_UNREACH && type <= ICMPV6_PARAMPROB;
	return type == ICMP_DEST_UNREACH || type == ICMP_TIME_EXCEEDED ||
	       type == ICMP_PARAMETERPROB;
}

/*
 * Does it say that the destination cannot be had? A host that knows another IP,
 * but not the protocol, calls that a parameter problem (RFC 4443 3.4).
 */
static __always_inline int is_unreachable(const struct icmp_head *icmp,
					  const int family)
{
	if (family == LB_IPV6)
		return icmp->type == ICMPV6_DEST_UNREACH ||
		       (icmp->type == ICMPV6_PARAMPROB &&
			icmp->code == ICMPV6_UNK_NEXTHDR);
	return icmp->type == ICMP_DEST_UNREACH &&
	       icmp->code != ICMP_FRAG_NEEDED;
}

/* The packet's `ports` are where ICMP begins: it has none. */
static __always_inline enum lb_verdict take_icmp(struct cursor *c,
						 struct packet *p, __u8 proto)
{
	const struct icmp_head *icmp = cursor_take(c, sizeof(*icmp));

	if (!icmp)
		return LB_TRUNCATED;
	p->ports = (__be32 *)icmp;
	return is_icmp_error(icmp->type, proto) ? LB_ICMP_ERROR : LB_ICMP;
}

#endif
