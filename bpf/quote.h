/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * ICMP errors about packets that we sent: whose flow the quoted packet is of,
 * and whether it can be. It left by one line of the flow; an answer to it
 * would be found by the other one, and so is the error.
 */
#ifndef LB_QUOTE_H
#define LB_QUOTE_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>

#include "bpf/cursor.h"
#include "bpf/extension.h"
#include "bpf/flow_table.h"
#include "bpf/forward.h"
#include "bpf/icmp.h"
#include "bpf/request.h"
#include "bpf/side.h"

/* as much of our packet as every ICMP error brings back (RFC 792) */
struct quoted {
	__be16 sport;
	__be16 dport;
	__be32 seq; /* TCP; SCTP: the tag */
};

/* They begin no later in the frame; behind longer headers nobody looks. */
#define MOST_ICMP_AT 512
#define MOST_QUOTED_AT (CURSOR_DEEPEST / 2)

/* ---- the quoted packet -------------------------------------------------- */

static __always_inline __u32 take_quoted_ipv4(struct cursor *c,
					      struct flow_key *key)
{
	const struct iphdr *ip = cursor_take(c, sizeof(*ip));
	__u32 header;

	if (!ip)
		return 0;
	header = ip->ihl * 4;
	if (ip->version != 4 || header < sizeof(*ip) ||
	    ip->frag_off & bpf_htons(IPV4_FRAGMENT_AT))
		return 0;
	key->tuple.src = ip->daddr;
	key->tuple.dst = ip->saddr;
	key->tuple.proto = ip->protocol;
	key->tuple.family = LB_IPV4;
	c->pos = (void *)ip + header;
	return header;
}

static __always_inline __u32 take_quoted_ipv6(hook_ctx *ctx, __u32 at,
					      struct cursor *c,
					      struct flow_key *key)
{
	const struct ipv6hdr *ip = cursor_take(c, sizeof(*ip));
	__u32 header = sizeof(*ip);
	__u16 first;
	__u8 proto;

	if (!ip || ip->version != 6)
		return 0;
	copy_address(&key->src, &ip->daddr);
	copy_address(&key->dst, &ip->saddr);
	flow_hash_addresses(&key->tuple, &key->src, &key->dst);
	proto = ip->nexthdr;
	if (is_extension(proto) &&
	    skip_extensions(ctx, at, &proto, &header, &first))
		return 0;
	key->tuple.proto = proto;
	key->tuple.family = LB_IPV6;
	c->pos = (void *)ip + header;
	return header;
}

/* The error's own destination has to be who sent the quoted packet. */
static __always_inline int is_for(hook_ctx *ctx, __u32 l3,
				  const struct flow_key *key, const int family)
{
	struct cursor c = cursor_at(ctx, l3);
	const struct ipv6hdr *ip6;
	const struct iphdr *ip;

	if (family == LB_IPV6) {
		ip6 = cursor_take(&c, sizeof(*ip6));
		return ip6 && flow_same_words(&ip6->daddr, &key->dst, 2);
	}
	ip = cursor_take(&c, sizeof(*ip));
	return ip && ip->daddr == key->tuple.dst;
}

/*
 * By what an answer to the quoted packet would be found, and where its ports
 * are; 0: it is none of those that have flows.
 */
static __always_inline __u32 read_quote(hook_ctx *ctx, __u32 at,
					struct flow_key *key, __u32 *seq,
					const int family)
{
	struct cursor c = cursor_at(ctx, at);
	const struct icmp_error_head *error;
	const struct quoted *l4;
	__u32 header;

	error = cursor_take(&c, sizeof(*error));
	if (!error || !is_for_sender(error->head.type, family))
		return 0;
	at += sizeof(*error);
	header = family == LB_IPV6 ? take_quoted_ipv6(ctx, at, &c, key)
				   : take_quoted_ipv4(&c, key);
	if (!header)
		return 0;
	l4 = cursor_take(&c, sizeof(*l4));
	if (!l4)
		return 0;
	key->tuple.sport = l4->dport;
	key->tuple.dport = l4->sport;
	*seq = bpf_ntohl(l4->seq);
	return at + header;
}

/* ---- and its flow ------------------------------------------------------- */

/*
 * SCTP: does the quoted packet have the receiver's tag; or, before that is
 * known, the client's INIT its own (RFC 9260 10)?
 */
static __always_inline int quotes_tag(hook_ctx *ctx, __u32 l4,
				      const struct flow_hit *hit, __u32 tag,
				      const int family)
{
	const struct lb_flow *other;

	if (lb_word_state(hit->word) != LB_FLOW_REPLY)
		return flow_is_tag(hit->line, tag);
	other = flow_line(LB_READ(hit->line->peer), family);
	return other && !tag &&
	       sctp_tags(ctx, l4) >> 32 == LB_READ(other->next);
}

/* May it be believed; or is it a refusal, after which another member is tried?
 */
static __always_inline enum lb_verdict judge_quote(hook_ctx *ctx,
						   const struct quote *q,
						   const struct flow_hit *hit,
						   __u32 seq, const int family)
{
	const int is_sctp = hit->line->tuple.proto == IPPROTO_SCTP;
	const struct lb_nexthop *hop = hop_named(hit->line);
	const struct icmp_head *icmp;
	struct cursor c;

	if (!hop)
		return LB_INTERNAL;
	if (is_of_other_side(ctx, hit, hop, family))
		return LB_WRONG_SIDE;
	if (hit->line->tuple.proto == IPPROTO_UDP)
		return LB_CONTINUE;
	if (is_sctp && !quotes_tag(ctx, q->l4, hit, seq, family))
		return LB_ICMP_ASTRAY;
	c = cursor_at(ctx, q->icmp);
	icmp = cursor_take(&c, sizeof(*icmp));
	if (!icmp)
		return LB_INTERNAL;
	if (lb_word_state(hit->word) == LB_FLOW_REPLY &&
	    is_unreachable(icmp, family) &&
	    (is_sctp ? flow_swallow(hit) : flow_refuse(hit, seq, family)))
		return LB_MEMBER_REFUSED;
	return is_sctp || flow_is_in_flight(hit, seq, family) ? LB_CONTINUE
							      : LB_ICMP_ASTRAY;
}

/*
 * `l3`, `icmp`: where they begin in the frame. What was found is in the scratch
 * entry.
 */
static __always_inline enum lb_verdict find_quoted(hook_ctx *ctx, __u32 l3,
						   __u32 icmp, const int family)
{
	struct scratch *own = own_scratch();
	struct flow_key key = {};
	struct flow_hit hit;
	__u32 l4, seq = 0;

	if (!own)
		return LB_INTERNAL;
	own->parting.service = 0;
	if (icmp > MOST_ICMP_AT)
		return LB_ICMP_ERROR;
	l4 = read_quote(ctx, icmp, &key, &seq, family);
	if (!l4 || l4 > MOST_QUOTED_AT || !is_for(ctx, l3, &key, family))
		return LB_ICMP_ERROR;
	if (!flow_find(&key, flow_hash(&key.tuple), family, &hit))
		return lb_handover ? LB_OF_BEFORE : LB_ICMP_ERROR;
	own->quote.word = hit.word;
	own->quote.line = hit.index;
	own->parting.service = service_of(&hit, family);
	own->quote.l3 = l3;
	own->quote.icmp = icmp;
	own->quote.l4 = l4;
	return judge_quote(ctx, &own->quote, &hit, seq, family);
}

__noinline int find_quoted4(hook_ctx *ctx, __u32 l3, __u32 icmp)
{
	return find_quoted(ctx, l3, icmp, LB_IPV4);
}

__noinline int find_quoted6(hook_ctx *ctx, __u32 l3, __u32 icmp)
{
	return find_quoted(ctx, l3, icmp, LB_IPV6);
}

#endif
