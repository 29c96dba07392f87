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
#include "bpf/request.h"

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

/*
 * What walk_extensions() found, in one scalar; the flag: it is the first
 * fragment of several.
 */
#define WALKED(why, proto, length) ((why) << 24 | (proto) << 16 | (length))
#define WALKED_FIRST 0x80000000u

enum walked_fragment {
	FRAGMENT_WHOLE, /* the header is there, but no other (RFC 6946) */
	FRAGMENT_FIRST,
	FRAGMENT_LATER,
};

/* `at`: where the header is in the frame; it is noted. */
static __always_inline enum walked_fragment
walk_fragment(const struct extension_head *head, __u32 at)
{
	const struct ipv6_fragment *fragment = (const void *)head;
	const __u32 field = bpf_ntohs(fragment->offset_and_more);
	struct scratch *own = own_scratch();

	if (!(field & (IPV6_FRAGMENT_AT | IPV6_MORE_FRAGMENTS)))
		return FRAGMENT_WHOLE;
	if (own)
		own->fragment.at = at;
	return field & IPV6_FRAGMENT_AT ? FRAGMENT_LATER : FRAGMENT_FIRST;
}

#define MOST_IPV6_AT 576 /* quoted in an ICMP error, too */

/* `at`: where the IPv6 header begins in the frame */
__noinline __u32 walk_extensions(hook_ctx *ctx, __u32 at)
{
	const struct extension_head *head;
	const struct ipv6hdr *ip;
	__u32 length = 0, first = 0, size;
	enum walked_fragment kind;
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
		if (proto == IPPROTO_FRAGMENT) {
			kind = walk_fragment(head, at + sizeof(*ip) + length);
			if (kind == FRAGMENT_LATER)
				return WALKED(LB_FRAGMENT, 0, 0);
			if (kind == FRAGMENT_FIRST)
				first = WALKED_FIRST;
		}
		/* the destination in the header is not the last one */
		if (proto == IPPROTO_ROUTING && head->segments_left)
			return first | WALKED(LB_EXTENSION_HEADER, 0, 0);
		/* of a fragment header it is no length */
		size = proto == IPPROTO_FRAGMENT ? 8 : (head->length + 1) * 8;
		length += size;
		c.pos = (void *)head + size;
		proto = head->next;
		if (!is_extension(proto))
			return first | WALKED(LB_CONTINUE, proto, length);
	}
	return first | WALKED(LB_EXTENSION_HEADER, 0, 0);
}

#define MAX_EXTENSION_BYTES (MAX_EXTENSIONS * 256 * 8)

/*
 * Adds their length to `header`, and says what comes after them, and whether
 * this is the first fragment.
 */
static __always_inline enum lb_verdict skip_extensions(hook_ctx *ctx, __u32 at,
						       __u8 *proto,
						       __u32 *header,
						       __u16 *first)
{
	__u32 walked = walk_extensions(ctx, at);
	__u32 length = walked & 0xffff;

	*first = (walked & WALKED_FIRST) >> 16;
	walked &= ~WALKED_FIRST;
	if (walked >> 24)
		return walked >> 24;
	if (length > MAX_EXTENSION_BYTES)
		return LB_INTERNAL;
	*proto = walked >> 16;
	*header += length;
	return LB_CONTINUE;
}

#endif
