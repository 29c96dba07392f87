/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * SCTP (RFC 9260), in the words of TCP that the flow table is told: what the
 * chunks of a packet say, and its checksum.
 */
#ifndef LB_SCTP_H
#define LB_SCTP_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#include "bpf/crc32c.h"
#include "bpf/cursor.h"
#include "bpf/flow_terms.h"

const volatile struct lb_crc32c lb_crc32c; /* lb_crc32c_set() */

struct sctp_chunk {
	__u8 type;
	__u8 flags;
	__be16 length; /* with these four bytes, without padding */
};

/* The common header, and what every packet has behind it. */
struct sctp_head {
	__be32 ports;
	__be32 tag;
	__u32 checksum;
	struct sctp_chunk first;
};

#define SCTP_COMMON_HEADER 12
#define SCTP_LEAST_INIT 20

#define SCTP_DATA 0
#define SCTP_INIT 1
#define SCTP_INIT_ACK 2
#define SCTP_ABORT 6
#define SCTP_SHUTDOWN 7
#define SCTP_SHUTDOWN_ACK 8
#define SCTP_COOKIE_ECHO 10
#define SCTP_COOKIE_ACK 11
#define SCTP_SHUTDOWN_COMPLETE 14

#define SCTP_TAG_REFLECTED 1 /* T, of ABORT and SHUTDOWN COMPLETE */

#define SCTP_CHUNKS_READ 4 /* what matters is in front */
#define SCTP_BYTES_READ 0x3fff

/* Not of INIT, which is never one of several. */
static __always_inline __u32 sctp_says(const struct sctp_chunk *chunk)
{
	const __u32 reflected =
		chunk->flags & SCTP_TAG_REFLECTED ? FLOW_REFLECTED : 0;

	switch (chunk->type) {
	case SCTP_INIT_ACK:
		return FLOW_SYN | FLOW_ACK;
	case SCTP_ABORT:
		return FLOW_RST | reflected;
	case SCTP_SHUTDOWN:
	case SCTP_SHUTDOWN_ACK:
		return FLOW_FIN;
	case SCTP_SHUTDOWN_COMPLETE:
		return FLOW_FIN | reflected;
	case SCTP_COOKIE_ECHO:
	case SCTP_COOKIE_ACK:
		return FLOW_COOKIE;
	}
	return 0;
}

/*
 * What asks for an association has no tag yet, but says one, and has nothing
 * beside it. `c` is behind the head.
 */
static __always_inline int
sctp_is_init(struct cursor *c, const struct sctp_head *head, __u32 length)
{
	const __be32 *initiate = cursor_take(c, sizeof(*initiate));

	return head->first.type == SCTP_INIT && !head->tag && initiate &&
	       *initiate && bpf_ntohs(head->first.length) >= SCTP_LEAST_INIT &&
	       length >= SCTP_COMMON_HEADER + SCTP_LEAST_INIT;
}

/*
 * The flags of a packet that begins there and has so many bytes. A function of
 * its own, which the verifier looks at once.
 */
__noinline __u32 sctp_flags(hook_ctx *ctx, __u32 at, __u32 length)
{
	__u32 flags = FLOW_SCTP, to = SCTP_COMMON_HEADER, size;
	const struct sctp_chunk *chunk;
	const struct sctp_head *head;
	struct cursor c;

	if (at > SCTP_BYTES_READ)
		return flags;
	c = cursor_of(ctx);
	c.pos += at;
	head = cursor_take(&c, sizeof(*head));
	if (!head)
		return flags;
	if (sctp_is_init(&c, head, length))
		return flags | FLOW_SYN;
	for (int i = 0; i < SCTP_CHUNKS_READ; i++) {
		if (to > SCTP_BYTES_READ || to + sizeof(*chunk) > length)
			return flags;
		c = cursor_of(ctx);
		c.pos += at + to;
		chunk = cursor_take(&c, sizeof(*chunk));
		size = chunk ? bpf_ntohs(chunk->length) : 0;
		/* behind the first data there is only data */
		if (size < sizeof(*chunk) || chunk->type == SCTP_DATA)
			return flags;
		flags |= sctp_says(chunk);
		to += (size + 3) & ~3u;
	}
	return flags;
}

/*
 * The Verification Tag, and above it what is in the place of INIT's and INIT
 * ACK's Initiate Tag, if the packet is so long.
 */
__noinline __u64 sctp_tags(hook_ctx *ctx, __u32 at)
{
	const struct sctp_head *head;
	struct cursor c;
	const __be32 *initiate;

	if (at > SCTP_BYTES_READ)
		return 0;
	c = cursor_of(ctx);
	c.pos += at;
	head = cursor_take(&c, sizeof(*head));
	if (!head)
		return 0;
	initiate = cursor_take(&c, sizeof(*initiate));
	return (initiate ? (__u64)bpf_ntohl(*initiate) << 32 : 0) |
	       bpf_ntohl(head->tag);
}

__noinline __u32 sctp_checksum_change(__u32 change, __u32 length)
{
	return lb_crc32c_change(&lb_crc32c, change, length);
}

#endif
