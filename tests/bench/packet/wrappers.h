/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The project's program on one frame that is used again and again: a wrapper
 * puts back what the run before it has changed, chooses the flow, and goes on
 * inline. The floor has the same wrapper.
 */
#ifndef PACKET_BENCH_WRAPPERS_H
#define PACKET_BENCH_WRAPPERS_H

#include <stddef.h>

#include "bpf/lb.bpf.c"
#include "tests/bench/packet/bench.h"

LB_SHARED_ARRAY(bench_control, struct bench_control, 1);
LB_SHARED_ARRAY(bench_replies, struct bench_reply, BENCH_MAX_FLOWS);

struct frame {
	struct ethhdr *eth;
	void *ip; /* struct iphdr, struct ipv6hdr */
	struct tcphdr *tcp;
};

enum bench_side {
	BENCH_CLIENT,
	BENCH_MEMBER,
};

/* the frame: 02:00:00:00:00:01 -> ...:02; what is not written here stays */
static __always_inline void restore_link(struct ethhdr *eth)
{
	__u32 *mac = (__u32 *)eth;

	mac[0] = bpf_htonl(0x02000000);
	mac[1] = bpf_htonl(0x00020200);
	mac[2] = bpf_htonl(0x00000001);
}

static __always_inline __u32 next_flow(struct bench_control *control)
{
	__u32 flow = control->next++;

	if (control->order == BENCH_IN_TURN)
		return flow;
	flow *= 0x9e3779b1u;
	flow ^= flow >> 15;
	flow *= 0x85ebca6bu;
	flow ^= flow >> 13;
	return flow & control->mask;
}

/*
 * Written by words of eight bytes, ports by one of four: a load that covers
 * two stores that are still under way waits for both, and that would be
 * measured. A frame that comes from a device has no such stores.
 */
static __always_inline void set_address(__be32 *at, __u32 net, __u32 host)
{
	((__u64 *)at)[0] = (__u64)bpf_htonl(net) << 32 | bpf_htonl(0x20010db8);
	((__u64 *)at)[1] = (__u64)bpf_htonl(host) << 32;
}

static __always_inline void set_addresses4(struct iphdr *ip, __be32 src,
					   __be32 dst)
{
	*(__u64 *)&ip->saddr = (__u64)dst << 32 | src;
}

/* 198.18.0.0/15 -> 192.0.2.80; 2001:db8:100::/40 -> 2001:db8::80 */
static __always_inline void set_client(void *at, __u32 flow, const int family)
{
	if (family == LB_IPV4) {
		set_addresses4(at, bpf_htonl(0xc6120001 + (flow >> 16)),
			       bpf_htonl(0xc0000250));
		return;
	}
	at += offsetof(struct ipv6hdr, saddr);
	set_address(at, 0x01000000, 1 + (flow >> 16));
	set_address(at + sizeof(struct lb_addr), 0, 0x80);
}

/* members and the SNAT address: 203.0.113.0/24, 2001:db8:200::/40 */
static __always_inline void
set_member(void *at, const struct bench_reply *reply, const int family)
{
	if (family == LB_IPV4) {
		set_addresses4(at, reply->member, reply->snat);
		return;
	}
	at += offsetof(struct ipv6hdr, saddr);
	set_address(at, 0x02000000, bpf_ntohl(reply->member));
	set_address(at + sizeof(struct lb_addr), 0x02000000,
		    bpf_ntohl(reply->snat));
}

static __always_inline void set_ports(struct tcphdr *tcp, __be16 src,
				      __be16 dst, __u32 flags)
{
	*(__be32 *)tcp = (__u32)dst << 16 | src;
	((__u8 *)tcp)[13] = flags;
}

static __always_inline struct bench_reply *reply_of(__u32 flow)
{
	__u32 index = flow & (BENCH_MAX_FLOWS - 1);

	return bpf_map_lookup_elem(&bench_replies, &index);
}

static __always_inline struct bench_control *bench_state(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&bench_control, &zero);
}

static __always_inline int find_frame(struct xdp_md *ctx, struct frame *f,
				      const int family)
{
	void *data = (void *)(long)ctx->data;

	f->eth = data;
	f->ip = data + sizeof(struct ethhdr);
	f->tcp = f->ip + (family == LB_IPV6 ? sizeof(struct ipv6hdr)
					    : sizeof(struct iphdr));
	return (void *)(f->tcp + 1) <= (void *)(long)ctx->data_end;
}

static __always_inline void set_hops(void *at, const int family)
{
	if (family == LB_IPV6)
		((struct ipv6hdr *)at)->hop_limit = 64;
	else
		((struct iphdr *)at)->ttl = 64;
}

/* The flow whose packet is in the frame now; -1: there is none. */
static __always_inline long
restore(struct xdp_md *ctx, const enum bench_side side, const int family)
{
	struct bench_control *control = bench_state();
	struct bench_reply *reply;
	struct frame f;
	__u32 flow;

	if (!control || !find_frame(ctx, &f, family))
		return -1;
	flow = next_flow(control);
	restore_link(f.eth);
	set_hops(f.ip, family);
	if (side == BENCH_CLIENT) {
		set_client(f.ip, flow, family);
		set_ports(f.tcp, (__be16)flow, control->port, control->flags);
		return flow;
	}
	reply = reply_of(flow);
	if (!reply)
		return -1;
	set_member(f.ip, reply, family);
	set_ports(f.tcp, reply->sport, reply->dport, control->flags);
	return flow;
}

static __always_inline int check_sent(int action)
{
	struct bench_control *control = bench_state();

	if (control && action != XDP_TX)
		control->wrong++;
	return action;
}

static __always_inline int balance_frame(struct xdp_md *ctx)
{
	struct packet p = {};

	return leave(ctx, &p, process(ctx, &p));
}

static __always_inline int swap_frame(struct xdp_md *ctx)
{
	struct cursor c = cursor_of(ctx);
	struct packet p = {};
	enum lb_verdict why = parse_ethernet(&c, &p);
	__u16 *mac, first;

	if (why)
		return XDP_PASS;
	why = p.ethertype == bpf_htons(ETH_P_IPV6) ? parse_ipv6(ctx, &c, &p)
						   : parse_ipv4(ctx, &c, &p);
	if (why)
		return XDP_PASS;
	mac = (__u16 *)p.eth;
#pragma unroll
	for (int i = 0; i < 3; i++) {
		first = mac[i];
		mac[i] = mac[i + 3];
		mac[i + 3] = first;
	}
	return XDP_TX;
}

/* What the member will answer to: the frame as it left. */
static __always_inline void note_reply(struct xdp_md *ctx, __u32 flow,
				       const int family)
{
	struct bench_reply *reply = reply_of(flow);
	const __be32 *words;
	struct frame f;

	if (!reply || !find_frame(ctx, &f, family))
		return;
	words = f.ip + offsetof(struct ipv6hdr, saddr);
	if (family == LB_IPV6) {
		reply->snat = words[3];
		reply->member = words[7];
	} else {
		reply->snat = ((struct iphdr *)f.ip)->saddr;
		reply->member = ((struct iphdr *)f.ip)->daddr;
	}
	reply->sport = f.tcp->dest;
	reply->dport = f.tcp->source;
}

#define BENCH_PROGRAMS(suffix, family)                                      \
	SEC("xdp")                                                          \
	int wrapper##suffix(struct xdp_md *ctx)                             \
	{                                                                   \
		return restore(ctx, BENCH_CLIENT, family) < 0 ? XDP_ABORTED \
							      : XDP_TX;     \
	}                                                                   \
	SEC("xdp")                                                          \
	int wrapper_reply##suffix(struct xdp_md *ctx)                       \
	{                                                                   \
		return restore(ctx, BENCH_MEMBER, family) < 0 ? XDP_ABORTED \
							      : XDP_TX;     \
	}                                                                   \
	SEC("xdp")                                                          \
	int floor##suffix(struct xdp_md *ctx)                               \
	{                                                                   \
		if (restore(ctx, BENCH_CLIENT, family) < 0)                 \
			return XDP_ABORTED;                                 \
		return check_sent(swap_frame(ctx));                         \
	}                                                                   \
	SEC("xdp")                                                          \
	int client##suffix(struct xdp_md *ctx)                              \
	{                                                                   \
		if (restore(ctx, BENCH_CLIENT, family) < 0)                 \
			return XDP_ABORTED;                                 \
		return check_sent(balance_frame(ctx));                      \
	}                                                                   \
	SEC("xdp")                                                          \
	int member##suffix(struct xdp_md *ctx)                              \
	{                                                                   \
		if (restore(ctx, BENCH_MEMBER, family) < 0)                 \
			return XDP_ABORTED;                                 \
		return check_sent(balance_frame(ctx));                      \
	}                                                                   \
	SEC("xdp")                                                          \
	int begin##suffix(struct xdp_md *ctx)                               \
	{                                                                   \
		long flow = restore(ctx, BENCH_CLIENT, family);             \
		int action;                                                 \
                                                                            \
		if (flow < 0)                                               \
			return XDP_ABORTED;                                 \
		action = check_sent(balance_frame(ctx));                    \
		note_reply(ctx, flow, family);                              \
		return action;                                              \
	}

BENCH_PROGRAMS(4, LB_IPV4)
BENCH_PROGRAMS(6, LB_IPV6)

#endif
