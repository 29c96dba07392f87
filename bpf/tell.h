/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * ICMP errors of our own: the sender of a packet of a flow is told that it had
 * no hop left, or was too big for the way. As a router tells it, but from the
 * address that he has sent to: he knows no other of ours.
 */
#ifndef LB_TELL_H
#define LB_TELL_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>

#include "bpf/checksum.h"
#include "bpf/cursor.h"
#include "bpf/icmp.h"
#include "bpf/maps.h"
#include "bpf/packet.h"
#include "bpf/request.h"
#include "bpf/rewrite.h"

/* ---- how often ---------------------------------------------------------- */

/*
 * A sender is told of a packet without a hop once a second, and six times at
 * once, as by the kernel (icmp_ratelimit). The kernel does not limit what path
 * MTU discovery needs; here many connections may need it at the same moment,
 * so ten times as often.
 */
#define TELL_SECOND 1000000000ull
#define TELL_MOST (6 * TELL_SECOND)
#define TELL_EXPIRED TELL_SECOND
#define TELL_TOO_BIG (TELL_SECOND / 10)

/* Two CPUs at once may tell once more than they should. */
static __always_inline int may_tell(const struct lb_addr *to, __u64 price)
{
	const __u64 now = bpf_ktime_get_ns();
	struct lb_told first = {.at = now, .credit = TELL_MOST - price};
	struct lb_told *told = bpf_map_lookup_elem(&lb_told, to);
	__u64 credit;

	if (!told)
		return !bpf_map_update_elem(&lb_told, to, &first, BPF_ANY);
	credit = LB_READ(told->credit) + (now - LB_READ(told->at));
	if (credit > TELL_MOST)
		credit = TELL_MOST;
	if (credit < price)
		return 0;
	LB_WRITE(told->at, now);
	LB_WRITE(told->credit, credit - price);
	return 1;
}

/* ---- the error, in the scratch entry ------------------------------------ */

#define TOLD_TOS 0xc0 /* network control, as a router's */
#define TOLD_TTL 64
#define MOST_IPV4_HEADER 60

static __always_inline __u64 sum_words(const void *words, const int count)
{
	const __be32 *word = words;
	__u64 sum = 0;

#pragma unroll
	for (int i = 0; i < count; i++)
		sum += word[i];
	return sum;
}

static __always_inline void head_ipv4(struct told_packet *made, __u32 bytes)
{
	const struct iphdr *about = (const struct iphdr *)made->quote;
	struct iphdr *ip = &made->ip;

	*ip = (struct iphdr){
		.version = 4,
		.ihl = sizeof(*ip) / 4,
		.tos = TOLD_TOS,
		.tot_len = bpf_htons(sizeof(*ip) + bytes),
		.ttl = TOLD_TTL,
		.protocol = IPPROTO_ICMP,
		.saddr = about->daddr,
		.daddr = about->saddr,
	};
	ip->check = ~checksum_fold(sum_words(ip, sizeof(*ip) / 4));
}

/* What its addresses and the rest of the pseudo header add to ICMPv6's sum. */
static __always_inline __u64 head_ipv6(struct told_packet *made, __u32 bytes)
{
	const struct ipv6hdr *about = (const struct ipv6hdr *)made->quote;
	struct ipv6hdr *ip = &made->ip6;

	*(__be32 *)ip = bpf_htonl(0x60000000 | TOLD_TOS << 20);
	ip->payload_len = bpf_htons(bytes);
	ip->nexthdr = IPPROTO_ICMPV6;
	ip->hop_limit = TOLD_TTL;
	copy_address((struct lb_addr *)&ip->saddr, &about->daddr);
	copy_address((struct lb_addr *)&ip->daddr, &about->saddr);
	return sum_words(&ip->saddr, 8) + bpf_htons(bytes) +
	       bpf_htons(IPPROTO_ICMPV6);
}

/* `mtu`: of the way; 0: the packet had no hop left. */
static __always_inline struct icmp_error_head told_head(__u32 mtu,
							const int family)
{
	struct icmp_error_head icmp = {.rest = bpf_htonl(mtu)};

	if (family == LB_IPV6) {
		icmp.head.type = mtu ? ICMPV6_PKT_TOOBIG : ICMPV6_TIME_EXCEEDED;
	} else {
		icmp.head.type = mtu ? ICMP_DEST_UNREACH : ICMP_TIME_EXCEEDED;
		icmp.head.code = mtu ? ICMP_FRAG_NEEDED : 0;
	}
	return icmp;
}

/* About the packet whose beginning is the quote already. */
static __always_inline void make_error(struct told_packet *made, __u32 quoted,
				       __u32 mtu, const int family)
{
	const __u32 bytes = sizeof(made->icmp) + quoted;
	__u64 sum = 0;

	if (family == LB_IPV6)
		sum = head_ipv6(made, bytes);
	else
		head_ipv4(made, bytes);
	made->icmp = told_head(mtu, family);
	/* behind the quote are zeros, which add nothing */
	sum += (__u32)bpf_csum_diff(0, 0, (__be32 *)&made->icmp,
				    sizeof(made->icmp) + sizeof(made->quote),
				    0);
	made->icmp.head.check = ~checksum_fold(sum);
}

/* Where the quoted checksum of L4 is in the quote; 0: it is no sum, or far. */
static __always_inline __u32 quoted_check(const struct told_packet *made,
					  __u32 header, const int family)
{
	const __u8 proto = family == LB_IPV6
				   ? ((struct ipv6hdr *)made->quote)->nexthdr
				   : ((struct iphdr *)made->quote)->protocol;

	if (proto == IPPROTO_TCP)
		return header + __builtin_offsetof(struct tcphdr, check);
	if (proto == IPPROTO_UDP)
		return header + __builtin_offsetof(struct udphdr, check);
	return 0;
}

/*
 * An interface may yet write the checksum of the quoted packet. With it, L4
 * adds to a sum the inverse of its pseudo header, which is in its place now.
 * 0: what will be written is not known.
 */
static __always_inline int foresee_checksum(hook_ctx *ctx,
					    struct told_packet *made, __u32 l3,
					    const int family)
{
	const __u32 header = family == LB_IPV6 ? sizeof(struct ipv6hdr)
					       : (made->quote[0] & 0xf) * 4u,
		    check = quoted_check(made, header, family);
	__be16 pseudo;
	__u64 sum;

	if (!hook_is_partial(ctx, l3))
		return 1;
	if (!check || hook_load(ctx, l3 + check, &pseudo, sizeof(pseudo)))
		return 0;
	sum = (__u32)bpf_csum_diff((__be32 *)made->quote, sizeof(made->quote),
				   0, 0, 0);
	sum += checksum_of(made->quote, header, MOST_IPV4_HEADER);
	checksum_adjust(&made->icmp.head.check,
			checksum_fold(sum + (__u16)~pseudo));
	return 1;
}

static __always_inline void sender_of(const struct told_packet *made,
				      struct lb_addr *to, const int family)
{
	*to = (struct lb_addr){};
	if (family == LB_IPV6)
		copy_address(to, &((struct ipv6hdr *)made->quote)->saddr);
	else
		to->ip[0] = ((struct iphdr *)made->quote)->saddr;
}

/* ---- and in the packet's place ------------------------------------------ */

/* Back to the neighbour that the packet came from. */
static __always_inline void turn_round(struct ethhdr *eth)
{
	__u8 mac[ETH_ALEN];

	__builtin_memcpy(mac, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, eth->h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_source, mac, ETH_ALEN);
}

/*
 * The error's headers go before the packet: each frame has room there, and few
 * have behind it. `l3` bytes of link header begin the frame again.
 */
static __always_inline int put_error(hook_ctx *ctx, struct told_packet *made,
				     __u32 l3, __u32 bytes, const int family)
{
	const __u32 header = l3_bytes(family);
	const int before = header + sizeof(made->icmp);

	if (!is_within(&l3, sizeof(struct ethhdr), sizeof(made->link)) ||
	    hook_load(ctx, 0, made->link, l3))
		return 0;
	turn_round((struct ethhdr *)made->link);
	return !hook_add_head(ctx, before) &&
	       !hook_set_bytes(ctx, l3 + bytes) &&
	       !hook_store(ctx, 0, made->link, l3) &&
	       !hook_store(ctx, l3, (void *)&made->icmp - header, bytes);
}

/* 1: the frame is the error now; `l3`, `length`: where the packet is in it. */
static __always_inline int tell_sender(hook_ctx *ctx, __u32 l3, __u32 length,
				       __u32 mtu, const int family)
{
	struct scratch *own = own_scratch();
	struct told_packet *made;
	struct lb_addr to;

	if (!own || l3 > CURSOR_DEEPEST)
		return 0;
	if (length > TOLD_QUOTE)
		length = TOLD_QUOTE;
	if (!is_within(&length, sizeof(struct iphdr), TOLD_QUOTE))
		return 0;
	made = &own->told;
	__builtin_memset(made->quote, 0, sizeof(made->quote));
	if (hook_load(ctx, l3, made->quote, length))
		return 0;
	sender_of(made, &to, family);
	if (!may_tell(&to, mtu ? TELL_TOO_BIG : TELL_EXPIRED))
		return 0;
	make_error(made, length, mtu, family);
	if (HOOK_MENDS_CHECKSUMS && !foresee_checksum(ctx, made, l3, family))
		return 0;
	return put_error(ctx, made, l3,
			 l3_bytes(family) + sizeof(made->icmp) + length,
			 family);
}

__noinline int tell_sender4(hook_ctx *ctx, __u32 l3, __u32 length, __u32 mtu)
{
	return tell_sender(ctx, l3, length, mtu, LB_IPV4);
}

__noinline int tell_sender6(hook_ctx *ctx, __u32 l3, __u32 length, __u32 mtu)
{
	return tell_sender(ctx, l3, length, mtu, LB_IPV6);
}

/* What becomes of a packet that cannot go on; it is as it came. */
static __always_inline enum lb_verdict tell(hook_ctx *ctx, struct packet *p,
					    enum lb_verdict why, __u32 mtu,
					    const int family)
{
	const __u32 l3 = p->l3 - (void *)p->eth;
	int told;

	if (why != LB_TOO_BIG)
		mtu = 0;
	told = family == LB_IPV6 ? tell_sender6(ctx, l3, p->length, mtu)
				 : tell_sender4(ctx, l3, p->length, mtu);
	if (!told)
		return why;
	p->out = hook_ifindex(ctx);
	return mtu ? LB_TOLD_TOO_BIG : LB_TOLD_EXPIRED;
}

#endif
