/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * IPv6 extension headers. Few packets have any, so they are walked by a
 * function of its own, which the verifier looks at once.
 */
#ifndef LB_EXTENSION_H
#define LB_EXTENSION_H

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ipv6.h>

#include <bpf/bpf_endian.h>

#include "bpf/cursor.h"
#include "bpf/fragment.h"
#include "bpf/lb_abi.h"

#define IPV6_FRAGMENT_AT 0xfff9 /* offset, and whether more follow */
#define MAX_EXTENSIONS 6 /* RFC 8200 has a use for fewer */

struct extension_head {
	__u8 next;
	__u8 length; /* in 8 bytes, without the first 8 */
	__u8 type; /* of a routing header */
	__u8 segments_left;
	__u8 rest[4];
};

static __always_inline int is_extension(__u8 proto)
{
	return proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING ||
	       proto == IPPROTO_FRAGMENT || proto == IPPROTO_DSTOPTS;
}

/* A fragment that is the whole packet (RFC 6946): offset 0, and none follows.
 */
static __always_inline int is_atomic(const struct extension_head *head)
{
	const __be16 *offset_and_more = (const __be16 *)&head->type;

	return !(*offset_and_more & bpf_htons(IPV6_FRAGMENT_AT));
}

/* what walk_extensions() found, in one scalar */
#define WALKED(why, proto, length) ((why) << 24 | (proto) << 16 | (length))

#define MOST_IPV6_AT 576 /* quoted in an ICMP error, too */

/* `at`: where the IPv6 header begins in the frame */
__noinline __u32 walk_extensions(struct xdp_md *ctx, __u32 at)
{
	const struct extension_head *head;
	const struct ipv6hdr *ip;
	__u32 length = 0, size;
	struct cursor c;
	__u8 proto;

	if (at > MOST_IPV6_AT)
		return WALKED(LB_INTERNAL, 0, 0);
	c = cursor_at(ctx, at);
	ip = cursor_take(&c, sizeof(*ip));
	if (!ip)
		return WALKED(LB_TRUNCATED, 0, 0);
	proto = ip->nexthdr;
	for (int i = 0; i < MAX_EXTENSIONS; i++) {
		head = cursor_take(&c, sizeof(*head));
		if (!head)
			return WALKED(LB_TRUNCATED, 0, 0);
		if (proto == IPPROTO_FRAGMENT && !is_atomic(head))
			return WALKED(take_fragment(), 0, 0);
		/* the destination in the header is not the last one */
		if (proto == IPPROTO_ROUTING && head->segments_left)
			return WALKED(LB_EXTENSION_HEADER, 0, 0);
		/* of a fragment header it is no length */
		size = proto == IPPROTO_FRAGMENT ? 8 : (head->length + 1) * 8;
		length += size;
		c.pos = (void *)head + size;
		proto = head->next;
		if (!is_extension(proto))
			return WALKED(LB_CONTINUE, proto, length);
	}
	return WALKED(LB_EXTENSION_HEADER, 0, 0);
}

#define MAX_EXTENSION_BYTES (MAX_EXTENSIONS * 256 * 8)

/* Adds their length to `header`, and says what comes after them. */
static __always_inline enum lb_verdict
skip_extensions(struct xdp_md *ctx, __u32 at, __u8 *proto, __u32 *header)
{
	__u32 walked = walk_extensions(ctx, at);
	__u32 length = walked & 0xffff;

	if (walked >> 24)
		return walked >> 24;
	if (length > MAX_EXTENSION_BYTES)
		return LB_INTERNAL;
	*proto = walked >> 16;
	*header += length;
	return LB_CONTINUE;
}

#endif
