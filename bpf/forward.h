/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* A packet of a flow: the line it was found by says all that becomes of it. */
#ifndef LB_FORWARD_H
#define LB_FORWARD_H

#include "bpf/fragment.h"
#include "bpf/maps.h"
#include "bpf/offload.h"
#include "bpf/persist.h"
#include "bpf/rewrite.h"

/* Its driver may take nothing but what came in by it. */
static __always_inline int is_open(const hook_ctx *ctx,
				   const struct lb_nexthop *hop)
{
	return hop->flags & LB_NEXTHOP_RESOLVED ||
	       (hop->flags & LB_NEXTHOP_BACK_ONLY &&
		(HOOK_SENDS_BY_ALL || hop->ifindex == hook_ifindex(ctx)));
}

/* Which way it goes on: zero is out of here. */
static __always_inline enum lb_verdict check_hop(const hook_ctx *ctx,
						 const struct packet *p,
						 const struct lb_nexthop *hop,
						 const int family)
{
	const struct iphdr *ip = p->l3;

	if (hops_left(p, family) <= 1)
		return LB_TTL_EXPIRED;
	if (!is_open(ctx, hop))
		return LB_NEXTHOP_UNRESOLVED;
	if (p->length <= hop->mtu)
		return LB_CONTINUE;
	if (family == LB_IPV6 || ip->frag_off & bpf_htons(IPV4_DONT_FRAGMENT))
		return LB_TOO_BIG;
	return LB_NEEDS_FRAGMENTS;
}

static __always_inline void set_link_header(struct ethhdr *eth,
					    const struct lb_nexthop *hop)
{
	__u32 *to = (__u32 *)eth;
	const __u32 *from = (const __u32 *)hop;

	to[0] = from[0];
	to[1] = from[1];
	to[2] = from[2];
}

/* Nearly no packet has a reason that check_hop() would have to find. */
static __always_inline int goes_by_itself(const struct packet *p,
					  const struct lb_nexthop *hop,
					  const int family)
{
	return hops_left(p, family) > 1 && hop->flags & LB_NEXTHOP_RESOLVED &&
	       p->length <= hop->mtu;
}

static __always_inline int note_event(hook_ctx *ctx, const struct packet *p,
				      const struct flow_hit *hit,
				      const int family)
{
	const struct tcphdr *tcp = (const struct tcphdr *)p->ports;
	struct flow_said said = {.flags = p->flags, .payload = p->payload};
	__u64 tags;
	int change;

	if (p->flags & FLOW_SCTP) {
		tags = sctp_tags(ctx, (void *)p->ports - (void *)p->eth);
		said.seq = tags >> 32;
		said.ack = tags;
	} else if (!(p->flags & FLOW_DATAGRAM)) {
		said.seq = bpf_ntohl(tcp->seq);
		said.ack = bpf_ntohl(tcp->ack_seq);
		if (p->flags & FLOW_SYN && !HOOK_MENDS_CHECKSUMS)
			note_offload(ctx, p, hit, family);
	}
	change = flow_note(hit, &said, family);
	if (may_have_opened(hit, p->flags, change))
		remember(hit, family);
	return change;
}

/* Nearly every packet changes nothing but where its direction has got to. */
static __always_inline int note_packet(hook_ctx *ctx, const struct packet *p,
				       const struct flow_hit *hit,
				       const int family)
{
	const struct tcphdr *tcp = (const struct tcphdr *)p->ports;
	__u32 end;

	flow_count(hit->line, flow_tick(), p->payload);
	if (p->flags & FLOW_DATAGRAM)
		hit->line->packets++;
	if (flow_is_eventful(hit->word, p->flags))
		return note_event(ctx, p, hit, family);
	if (p->flags & (FLOW_DATAGRAM | FLOW_SCTP))
		return FLOW_UNCHANGED;
	end = bpf_ntohl(tcp->seq) + p->payload;
	if (!flow_advance(hit->line, end) && p->flags & FLOW_ACK)
		flow_jumps(hit, end, bpf_ntohl(tcp->ack_seq), family);
	return FLOW_UNCHANGED;
}

/* The flow's line into the packet, and the packet into the line. */
static __always_inline enum lb_verdict
rewrite_and_note(hook_ctx *ctx, struct packet *p, const struct flow_hit *hit,
		 enum hop_count hops, const int family)
{
	rewrite(p, hit->line, hops, family);
	if (!flow_is_still(hit))
		return cold(LB_RECYCLED);
	switch (note_packet(ctx, p, hit, family)) {
	case FLOW_OVER_LIMIT:
		return cold(LB_CONNECTION_LIMIT);
	case FLOW_SWALLOWED:
		return cold(LB_MEMBER_REFUSED);
	}
	return LB_CONTINUE;
}

static __always_inline enum lb_verdict forward(hook_ctx *ctx, struct packet *p,
					       const struct flow_hit *hit,
					       const struct lb_nexthop *hop,
					       const int family)
{
	enum lb_verdict way, why;

	if (!__builtin_expect(goes_by_itself(p, hop, family), 1)) {
		way = check_hop(ctx, p, hop, family);
		if (way == LB_TTL_EXPIRED || way == LB_TOO_BIG)
			return cold(way);
		if (way) {
			why = rewrite_and_note(ctx, p, hit, HOP_KEEP, family);
			return cold(why ? why : way);
		}
	}
	why = rewrite_and_note(ctx, p, hit, HOP_DOWN, family);
	if (why)
		return why;
	set_link_header(p->eth, hop);
	p->out = hop->ifindex;
	return LB_CONTINUE;
}

/* Whose verdicts a packet counts among that was not sent. */
static __always_inline __u32 service_of(const struct flow_hit *hit,
					const int family)
{
	const struct lb_flow *line = hit->line;

	if (!lb_word_is_forward(hit->word))
		line = flow_line(LB_READ(line->peer), family);
	return line ? line->owner : 0;
}

#endif
