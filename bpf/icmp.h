/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * ICMP and ICMPv6. The kernel answers requests to our addresses and takes
 * errors about its own packets; errors about ours are counted apart.
 */
#ifndef LB_ICMP_H
#define LB_ICMP_H

#include <linux/in.h>
#include <linux/in6.h>

#include "bpf/cursor.h"
#include "bpf/lb_abi.h"

/* linux/icmp.h cannot be included for this target */
#define ICMP_DEST_UNREACH 3
#define ICMP_SOURCE_QUENCH 4
#define ICMP_REDIRECT 5
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETERPROB 12
#define ICMPV6_INFOMSG_MASK 0x80

struct icmp_head {
	__u8 type;
	__u8 code;
	__be16 check;
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

static __always_inline enum lb_verdict take_icmp(struct cursor *c, __u8 proto)
{
	const struct icmp_head *icmp = cursor_take(c, sizeof(*icmp));

	if (!icmp)
		return LB_TRUNCATED;
	return is_icmp_error(icmp->type, proto) ? LB_ICMP_ERROR : LB_ICMP;
}

#endif
