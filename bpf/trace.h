/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * What the first fragment of a packet leaves for the others: the line it went
 * by, and which bytes have come. Nobody puts the packet together here: each
 * fragment leaves as soon as it comes, and of each byte only the first one.
 */
#ifndef LB_TRACE_H
#define LB_TRACE_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>

#include "bpf/checksum.h"
#include "bpf/cursor.h"
#include "bpf/flow_table.h"
#include "bpf/fragment.h"
#include "bpf/maps.h"
#include "bpf/packet.h"
#include "bpf/request.h"
#include "bpf/rewrite.h"

#define TRACE_MS 1000000ull
/*
 * A sender comes back to an id sooner. A first fragment after a second is
 * another packet's; before, it is a second one of the same.
 */
#define TRACE_ONE_PACKET (1000 * TRACE_MS)
#define MOST_FRAGMENTS 128 /* more than 65,535 bytes over a link of 576 are */
#define MOST_COVERED_WORDS 24 /* of a fragment: 12 KiB */
#define LARGEST_PACKET 65535

/* ---- the fragment's own header ------------------------------------------ */

static __always_inline int read_fragment4(struct fragment *f,
					  const struct iphdr *ip)
{
	const __u32 field = bpf_ntohs(ip->frag_off);

	f->key = (struct lb_trace_key){
		.src.ip[0] = ip->saddr,
		.dst.ip[0] = ip->daddr,
		.id = ip->id,
		.proto = ip->protocol,
		.family = LB_IPV4,
	};
	f->from = (field & IPV4_FRAGMENT_AT) * LB_FRAGMENT_UNIT;
	f->more = field & IPV4_MORE_FRAGMENTS;
	f->bytes = bpf_ntohs(ip->tot_len) - ip->ihl * 4;
	return 1;
}

static __always_inline int read_fragment6(hook_ctx *ctx, struct fragment *f,
					  const struct ipv6hdr *ip, __u32 l3)
{
	const __u32 at = f->at,
		    end = l3 + sizeof(*ip) + bpf_ntohs(ip->payload_len);
	struct cursor c = cursor_at(ctx, at);
	const struct ipv6_fragment *head = cursor_take(&c, sizeof(*head));
	__u32 field;

	if (!head || at > CURSOR_DEEPEST || at + sizeof(*head) > end)
		return 0;
	field = bpf_ntohs(head->offset_and_more);
	f->key = (struct lb_trace_key){.id = head->id, .family = LB_IPV6};
	copy_address(&f->key.src, &ip->saddr);
	copy_address(&f->key.dst, &ip->daddr);
	f->from = field & IPV6_FRAGMENT_AT;
	f->more = field & IPV6_MORE_FRAGMENTS;
	f->bytes = end - at - sizeof(*head);
	return 1;
}

/* Into the scratch entry; 0: it cannot be one. `l3`: where IP begins. */
static __always_inline int read_fragment(hook_ctx *ctx, __u32 l3,
					 const int family)
{
	struct cursor c = cursor_at(ctx, l3);
	void *ip = cursor_take(&c, l3_bytes(family));
	struct scratch *own = own_scratch();
	struct fragment *f;

	if (!ip || !own)
		return 0;
	f = &own->fragment;
	if (!(family == LB_IPV6 ? read_fragment6(ctx, f, ip, l3)
				: read_fragment4(f, ip)))
		return 0;
	return f->bytes && f->from + f->bytes <= LARGEST_PACKET &&
	       !(f->more && f->bytes % LB_FRAGMENT_UNIT);
}

static __always_inline __u64 trace_hash(const struct lb_trace_key *key)
{
	const __u64 *word = (const __u64 *)key;
	__u64 hash = lb_seed;

#pragma unroll
	for (int i = 0; i < 5; i++)
		hash = lb_hash_step(hash, word[i]);
	return hash;
}

/* ---- what has come ------------------------------------------------------ */

static __always_inline __u32 units(__u32 bytes)
{
	return (bytes + LB_FRAGMENT_UNIT - 1) / LB_FRAGMENT_UNIT;
}

/* The bits of word `i` of those from..to-1. */
static __always_inline __u64 unit_mask(__u32 i, __u32 from, __u32 to)
{
	__u64 mask = ~0ull;

	if (i * 64 < from)
		mask <<= from & 63;
	if ((i + 1) * 64 > to)
		mask &= ~0ull >> (-to & 63);
	return mask;
}

/*
 * Takes what has not come yet. 0: some of it had. What overlaps only in part
 * spoils the whole packet (RFC 5722), because what was sent cannot be taken
 * back; a fragment that came twice is none the worse.
 */
__noinline int cover(struct lb_trace *trace, __u32 from, __u32 to)
{
	__u64 again = 0, fresh = 0;

	if (!trace)
		return 0;
	for (__u32 i = 0; i < MOST_COVERED_WORDS; i++) {
		const __u32 word = from / 64 + i;
		__u64 mask, old;

		if (word * 64 >= to)
			break;
		mask = unit_mask(word, from, to);
		old = __sync_fetch_and_or(
			&trace->covered[word & (LB_TRACE_WORDS - 1)], mask);
		again |= old & mask;
		fresh |= mask & ~old;
	}
	if (!again)
		return 1;
	if (fresh)
		LB_WRITE(trace->spoilt, 1);
	return 0;
}

static __always_inline int take_units(struct lb_trace *trace,
				      const struct fragment *f)
{
	return cover(trace, f->from / LB_FRAGMENT_UNIT,
		     units(f->from + f->bytes));
}

/* ---- the trace ---------------------------------------------------------- */

/* 1: another packet's fragments are to come, or have come, by this one. */
static __always_inline int has_begun(const struct lb_trace *trace)
{
	return trace &&
	       bpf_ktime_get_ns() - LB_READ(trace->began) < TRACE_ONE_PACKET;
}

/*
 * The source is ours now: ids of senders that leave by the same address must
 * not meet at the receiver. Of each pair of ends in turn, from somewhere on.
 */
static __always_inline __u32 next_id(const struct lb_flow *line,
				     const int family)
{
	const struct lb_flow6 *six = (const struct lb_flow6 *)line;
	__u64 hash = lb_hash_step(
		lb_seed, family == LB_IPV6
				 ? lb_hash_addresses(&six->new_src,
						     &six->new_dst, lb_seed)
				 : lb_load64(&line->rewrite.src));
	__u32 index = (hash >> 40) & (LB_FRAGMENT_IDS - 1);
	__u32 *count = bpf_map_lookup_elem(&lb_frag_ids, &index);

	return (__u32)hash + (count ? __sync_fetch_and_add(count, 1) : 0);
}

static __always_inline void put_id4(struct iphdr *ip, __u32 id)
{
	const __be16 now = (__u16)id;

	checksum_adjust(&ip->check, (__u16)~ip->id + now);
	ip->id = now;
}

/* `ip`: the frame's IP header, at `l3` */
static __always_inline int put_id(hook_ctx *ctx, __u32 l3,
				  const struct fragment *f, __u32 id,
				  const int family)
{
	struct cursor c = cursor_at(ctx, family == LB_IPV6 ? f->at : l3);
	struct ipv6_fragment *head;
	struct iphdr *ip;

	if (family == LB_IPV6) {
		head = cursor_take(&c, sizeof(*head));
		if (!head)
			return 0;
		hook_add_to_sum(ctx, checksum_delta(head->id, id));
		head->id = id;
		return 1;
	}
	ip = cursor_take(&c, sizeof(*ip));
	if (ip)
		put_id4(ip, id);
	return ip != 0;
}

/* The first fragment, rewritten already, of the flow of this line. */
static __always_inline enum lb_verdict
leave_trace(hook_ctx *ctx, __u32 l3, __u32 index, __u64 word, const int family)
{
	struct flow_hit hit = {flow_line(index, family), word, index};
	struct scratch *own = own_scratch();
	struct lb_trace *old, *made;

	if (!own || !hit.line)
		return LB_INTERNAL;
	old = bpf_map_lookup_elem(&lb_traces, &own->fragment.key);
	if (has_begun(old)) {
		take_units(old, &own->fragment);
		return LB_BAD_FRAGMENT;
	}
	made = &own->trace;
	__builtin_memset(made->covered, 0, sizeof(made->covered));
	made->who = trace_hash(&own->fragment.key);
	made->word = word;
	made->line = index;
	made->began = bpf_ktime_get_ns();
	made->id = next_id(hit.line, family);
	made->fragments = 1;
	made->units = units(own->fragment.bytes);
	made->end = 0;
	made->spoilt = 0;
	if (!flow_is_still(&hit))
		return LB_RECYCLED;
	if (!take_units(made, &own->fragment) ||
	    !put_id(ctx, l3, &own->fragment, made->id, family) ||
	    bpf_map_update_elem(&lb_traces, &own->fragment.key, made, BPF_ANY))
		return LB_BAD_FRAGMENT;
	return LB_CONTINUE;
}

__noinline int leave_trace4(hook_ctx *ctx, __u32 l3, __u32 index, __u64 word)
{
	return leave_trace(ctx, l3, index, word, LB_IPV4);
}

__noinline int leave_trace6(hook_ctx *ctx, __u32 l3, __u32 index, __u64 word)
{
	return leave_trace(ctx, l3, index, word, LB_IPV6);
}

__noinline int read_first4(hook_ctx *ctx, __u32 l3)
{
	return read_fragment(ctx, l3, LB_IPV4);
}

__noinline int read_first6(hook_ctx *ctx, __u32 l3)
{
	return read_fragment(ctx, l3, LB_IPV6);
}

/* ---- what the steps call ------------------------------------------------ */

static __always_inline __u32 l3_at(const struct packet *p)
{
	return p->l3 - (void *)p->eth;
}

/* Before it is rewritten: the others come with its addresses. */
static __always_inline enum lb_verdict
read_first(hook_ctx *ctx, const struct packet *p, const int family)
{
	return (family == LB_IPV6 ? read_first6(ctx, l3_at(p))
				  : read_first4(ctx, l3_at(p)))
		       ? LB_CONTINUE
		       : LB_BAD_FRAGMENT;
}

/* Once it has been: `why` it goes to the kernel, if it does. */
static __always_inline enum lb_verdict
lead(hook_ctx *ctx, const struct packet *p, const struct flow_hit *hit,
     enum lb_verdict why, const int family)
{
	enum lb_verdict bad;

	if (why && why != LB_NEXTHOP_UNRESOLVED && why != LB_NEEDS_FRAGMENTS)
		return why;
	bad = family == LB_IPV6
		      ? leave_trace6(ctx, l3_at(p), hit->index, hit->word)
		      : leave_trace4(ctx, l3_at(p), hit->index, hit->word);
	return bad ? bad : why;
}

#endif
