/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * A member that answers a SYN by a mere ACK still has an older connection on
 * these addresses and ports (RFC 5961, RFC 9293 3.10.7.4), mostly in TIME_WAIT.
 * The client would answer with RST and ask again after a second. So its SYN,
 * which was kept for as long as the connection is half-open, is put in the
 * ACK's place, and begins a flow by another port.
 */
#ifndef LB_CHALLENGE_H
#define LB_CHALLENGE_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>

#include "bpf/checksum.h"
#include "bpf/cursor.h"
#include "bpf/flow_table.h"
#include "bpf/fragment.h"
#include "bpf/packet.h"
#include "bpf/request.h"
#include "bpf/rest.h"
#include "bpf/rewrite.h"
#include "bpf/syn.h"

/* So many times at most for one SYN. */
#define CHALLENGES_ANSWERED 12

static __always_inline int is_challenge(const struct packet *p,
					const struct flow_hit *hit)
{
	return lb_word_state(hit->word) == LB_FLOW_REPLY &&
	       (p->flags & (FLOW_DATAGRAM | FLOW_SYN | FLOW_RST | FLOW_ACK)) ==
		       FLOW_ACK;
}

/* The SYN of the flow that this reply line is of, and its forward line. */
static __always_inline struct lb_syn *syn_of_reply(const struct flow_hit *hit,
						   const int family,
						   __u32 *index, __u64 *word)
{
	struct lb_syn *syn;

	if (!flow_forward(hit, family, index, word) ||
	    lb_word_state(*word) != LB_FLOW_HALF_OPEN)
		return 0;
	syn = kept_syn(*index, *word, family);
	return syn && syn->tries < CHALLENGES_ANSWERED ? syn : 0;
}

static __always_inline int has_syn(__u32 index, __u64 word, const int family)
{
	const struct flow_hit hit = {flow_line(index, family), word, index};
	__u32 forward;
	__u64 now;

	return hit.line && syn_of_reply(&hit, family, &forward, &now);
}

__noinline int has_syn4(__u32 index, __u64 word)
{
	return has_syn(index, word, LB_IPV4);
}

__noinline int has_syn6(__u32 index, __u64 word)
{
	return has_syn(index, word, LB_IPV6);
}

/* ---- the client's packet, made again ------------------------------------ */

static __always_inline void
write_ipv4(struct iphdr *ip, const struct lb_flow *forward, __u32 bytes)
{
	const __u32 *words = (const __u32 *)ip;

	*ip = (struct iphdr){
		.version = 4,
		.ihl = sizeof(*ip) / 4,
		.tot_len = bpf_htons(bytes),
		.frag_off = bpf_htons(IPV4_DONT_FRAGMENT),
		.ttl = 64,
		.protocol = IPPROTO_TCP,
		.saddr = forward->tuple.src,
		.daddr = forward->tuple.dst,
	};
	ip->check = ~checksum_fold((__u64)words[0] + words[1] + words[2] +
				   words[3] + words[4]);
}

static __always_inline void
write_ipv6(struct ipv6hdr *ip, const struct lb_flow6 *forward, __u32 bytes)
{
	*(__u32 *)ip = bpf_htonl(0x60000000);
	ip->payload_len = bpf_htons(bytes - sizeof(*ip));
	ip->nexthdr = IPPROTO_TCP;
	ip->hop_limit = 64;
	copy_address((struct lb_addr *)&ip->saddr, &forward->src);
	copy_address((struct lb_addr *)&ip->daddr, &forward->dst);
}

static __always_inline int write_headers(hook_ctx *ctx,
					 const struct lb_flow *forward,
					 __u32 bytes, const int family)
{
	struct cursor c = cursor_of(ctx);
	struct ethhdr *eth = cursor_take(&c, sizeof(*eth));
	void *ip = eth ? cursor_take(&c, l3_bytes(family)) : 0;

	if (!ip)
		return 0;
	if (family == LB_IPV6) {
		eth->h_proto = bpf_htons(ETH_P_IPV6);
		write_ipv6(ip, (const struct lb_flow6 *)forward, bytes);
	} else {
		eth->h_proto = bpf_htons(ETH_P_IP);
		write_ipv4(ip, forward, bytes);
	}
	return 1;
}

/* An interface that computes the frame's checksum computes this one, too. */
static __always_inline int leave_checksum(hook_ctx *ctx, __u32 check,
					  const struct lb_flow *forward,
					  __u32 length, const int family)
{
	__be16 sum;

	if (!HOOK_MENDS_CHECKSUMS || !hook_is_partial(ctx, check))
		return 1;
	sum = checksum_fold(pseudo_sum(forward, length, family));
	return !hook_store(ctx, check, &sum, sizeof(sum));
}

/*
 * The frame becomes the client's SYN, and its flow ends. How often it was made
 * by now; 0: it cannot be done, or somebody else has changed the flow, and the
 * frame is spoilt.
 */
static __always_inline int make_syn(hook_ctx *ctx, __u32 index, __u64 word,
				    const int family)
{
	const struct flow_hit hit = {flow_line(index, family), word, index};
	const __u32 l3 = l3_bytes(family), l4 = sizeof(struct ethhdr) + l3;
	struct lb_flow *forward;
	struct lb_syn *syn;
	__u32 at, length;
	__u64 now;
	int tries;

	syn = hit.line ? syn_of_reply(&hit, family, &at, &now) : 0;
	if (!syn)
		return 0;
	length = syn->length;
	tries = syn->tries + 1;
	forward = flow_line(at, family);
	if (!forward || !is_within(&length, LEAST_TCP_HEADER, LB_SYN_BYTES))
		return 0;
	if (hook_set_bytes(ctx, l4 + length) ||
	    hook_store(ctx, l4, syn->header, length) ||
	    !write_headers(ctx, forward, l3 + length, family) ||
	    !leave_checksum(ctx, l4 + __builtin_offsetof(struct tcphdr, check),
			    forward, length, family))
		return 0;
	rest_for_all(hit.line);
	/* then what was written of it was its own */
	return (family == LB_IPV6 ? flow_end6(at, now) : flow_end4(at, now))
		       ? tries
		       : 0;
}

__noinline int make_syn4(hook_ctx *ctx, __u32 index, __u64 word)
{
	return make_syn(ctx, index, word, LB_IPV4);
}

__noinline int make_syn6(hook_ctx *ctx, __u32 index, __u64 word)
{
	return make_syn(ctx, index, word, LB_IPV6);
}

/* ---- what the steps call ------------------------------------------------ */

/* The frame that make_syn() has made, as if parse.h had seen it. */
static __always_inline int take_syn(hook_ctx *ctx, struct packet *p,
				    const int family)
{
	struct cursor c = cursor_of(ctx);
	struct tcphdr *tcp;

	p->eth = cursor_take(&c, sizeof(*p->eth));
	p->l3 = p->eth ? cursor_take(&c, l3_bytes(family)) : 0;
	tcp = p->l3 ? cursor_take(&c, sizeof(*tcp)) : 0;
	if (!tcp)
		return 0;
	if (family == LB_IPV6) {
		copy_address(&p->key.src, &((struct ipv6hdr *)p->l3)->saddr);
		copy_address(&p->key.dst, &((struct ipv6hdr *)p->l3)->daddr);
		flow_hash_addresses(&p->key.tuple, &p->key.src, &p->key.dst);
	} else {
		p->key.tuple.src = ((struct iphdr *)p->l3)->saddr;
		p->key.tuple.dst = ((struct iphdr *)p->l3)->daddr;
	}
	p->ports = (__be32 *)tcp;
	*(__be32 *)&p->key.tuple.sport = *p->ports;
	p->flags = ((__u8 *)tcp)[13];
	p->length = hook_bytes(ctx) - sizeof(struct ethhdr);
	p->payload = 0;
	p->service = 0;
	p->elsewhere = 0;
	return 1;
}

/*
 * The SYN of this reply line's flow was kept: it can be sent once more. Where
 * an interface computes the checksum it goes on doing so from where this
 * packet's L4 is, and the SYN has nothing before its own.
 */
static __always_inline int
can_resend(const struct packet *p, const struct flow_hit *hit, const int family)
{
	const __u32 l4 = (void *)p->ports - (void *)p->eth;

	if (__builtin_expect(!is_challenge(p, hit), 1) ||
	    (HOOK_MENDS_CHECKSUMS &&
	     l4 != sizeof(struct ethhdr) + l3_bytes(family)))
		return 0;
	return family == LB_IPV6 ? has_syn6(hit->index, hit->word)
				 : has_syn4(hit->index, hit->word);
}

/* Now the packet is the client's SYN; 0: it is lost. */
static __always_inline int resend(hook_ctx *ctx, struct packet *p,
				  const struct flow_hit *hit, const int family)
{
	p->tries = family == LB_IPV6 ? make_syn6(ctx, hit->index, hit->word)
				     : make_syn4(ctx, hit->index, hit->word);
	return p->tries && take_syn(ctx, p, family);
}

#endif
