/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The way to a client, asked of the kernel once, when its flow begins. The
 * agent keeps what was found true from then on.
 */
#ifndef LB_NEXTHOP_H
#define LB_NEXTHOP_H

#include "bpf/maps.h"
#include "bpf/request.h"

/* not in the UAPI headers that this is built with */
#define FAMILY_INET 2
#define FAMILY_INET6 10

#define NEXTHOP_KERNEL 0 /* unresolved for ever: the kernel forwards */
#define NEXTHOP_NONE (-1) /* there is no way */
#define NEXTHOP_OWN (-2) /* no neighbour's: our own address, or no route */

/* From the VIP, because an amphora routes by it ("from VIP lookup 1"). */
static __always_inline int ask_route(hook_ctx *ctx, const struct request *r,
				     const int family,
				     struct bpf_fib_lookup *fib)
{
	*fib = (struct bpf_fib_lookup){};
	fib->ifindex = hook_ifindex(ctx);
	fib->tot_len = 1; /* nonzero: of the route's MTU, not the packet's */
	fib->l4_protocol = r->proto;
	if (family == LB_IPV6) {
		fib->family = FAMILY_INET6;
		__builtin_memcpy(fib->ipv6_src, &r->vip, sizeof(r->vip));
		__builtin_memcpy(fib->ipv6_dst, &r->client, sizeof(r->client));
	} else {
		fib->family = FAMILY_INET;
		fib->ipv4_src = r->vip.ip[0];
		fib->ipv4_dst = r->client.ip[0];
	}
	return bpf_fib_lookup(ctx, fib, sizeof(*fib), 0);
}

/* Of another machine, which the kernel has a route to: none of our addresses.
 */
static __always_inline int is_forwarded(hook_ctx *ctx, const struct request *r,
					const int family)
{
	struct bpf_fib_lookup fib = {.ifindex = hook_ifindex(ctx)};
	int answer;

	fib.l4_protocol = r->proto;
	if (family == LB_IPV6) {
		fib.family = FAMILY_INET6;
		__builtin_memcpy(fib.ipv6_src, &r->client, sizeof(r->client));
		__builtin_memcpy(fib.ipv6_dst, &r->vip, sizeof(r->vip));
	} else {
		fib.family = FAMILY_INET;
		fib.ipv4_src = r->client.ip[0];
		fib.ipv4_dst = r->vip.ip[0];
	}
	answer = bpf_fib_lookup(ctx, &fib, sizeof(fib), 0);
	return answer == BPF_FIB_LKUP_RET_SUCCESS ||
	       answer == BPF_FIB_LKUP_RET_NO_NEIGH ||
	       answer == BPF_FIB_LKUP_RET_FRAG_NEEDED;
}

/* The neighbour that the answer names: a gateway, or the client itself. */
static __always_inline struct lb_nexthop_key
neighbour_of(const struct bpf_fib_lookup *fib)
{
	struct lb_nexthop_key key = {.ifindex = fib->ifindex};

	/* an IPv4 route may have an IPv6 gateway */
	if (fib->family == FAMILY_INET6) {
		key.family = LB_IPV6;
		__builtin_memcpy(&key.addr, fib->ipv6_dst, sizeof(key.addr));
	} else {
		key.family = LB_IPV4;
		key.addr.ip[0] = fib->ipv4_dst;
	}
	return key;
}

static __always_inline __u32 known_nexthop(const struct lb_nexthop_key *key)
{
	const __u32 *id = bpf_map_lookup_elem(&lb_nexthop_ids, key);

	return id ? *id : NEXTHOP_KERNEL;
}

static __always_inline void fill_nexthop(struct lb_nexthop *hop,
					 const struct bpf_fib_lookup *fib,
					 int answer)
{
	hop->ifindex = fib->ifindex;
	hop->flags = 0;
	if (answer != BPF_FIB_LKUP_RET_SUCCESS)
		return;
	__builtin_memcpy(hop->dst_mac, fib->dmac, sizeof(hop->dst_mac));
	__builtin_memcpy(hop->src_mac, fib->smac, sizeof(hop->src_mac));
	hop->mtu = fib->mtu_result;
	hop->flags = LB_NEXTHOP_RESOLVED;
}

/* Gives it an id. Whoever comes first does; the others use that one. */
static __always_inline __u32 learn_nexthop(const struct lb_nexthop_key *key,
					   const struct bpf_fib_lookup *fib,
					   int answer, __u32 ingress)
{
	__u32 id, ifindex = key->ifindex;
	int redirects = bpf_map_lookup_elem(&lb_devs, &ifindex) != 0;
	struct lb_nexthop *hop;

	if (!redirects && ifindex != ingress && !HOOK_SENDS_BY_ALL)
		return NEXTHOP_KERNEL;
	if (bpf_map_pop_elem(&lb_nexthop_free, &id))
		return NEXTHOP_KERNEL;
	hop = bpf_map_lookup_elem(&lb_nexthops, &id);
	if (!hop)
		return NEXTHOP_KERNEL;
	fill_nexthop(hop, fib, answer);
	if (!redirects && hop->flags)
		hop->flags = LB_NEXTHOP_BACK_ONLY;
	if (!bpf_map_update_elem(&lb_nexthop_ids, key, &id, BPF_NOEXIST))
		return id;
	bpf_map_push_elem(&lb_nexthop_free, &id, 0);
	return known_nexthop(key);
}

/* An id, or one of the reasons above why there is none. */
static __always_inline int find_nexthop(hook_ctx *ctx, const struct request *r,
					const int family)
{
	struct scratch *own = own_scratch();
	struct lb_nexthop_key key;
	int answer;
	__u32 id;

	if (!own)
		return NEXTHOP_NONE;
	answer = ask_route(ctx, r, family, &own->fib);
	switch (answer) {
	case BPF_FIB_LKUP_RET_SUCCESS:
	case BPF_FIB_LKUP_RET_NO_NEIGH:
		break;
	case BPF_FIB_LKUP_RET_BLACKHOLE:
	case BPF_FIB_LKUP_RET_UNREACHABLE:
	case BPF_FIB_LKUP_RET_PROHIBIT:
		return NEXTHOP_NONE;
	case BPF_FIB_LKUP_RET_NOT_FWDED:
		return NEXTHOP_OWN;
	default:
		return NEXTHOP_KERNEL;
	}
	key = neighbour_of(&own->fib);
	id = known_nexthop(&key);
	return id ? id
		  : learn_nexthop(&key, &own->fib, answer, hook_ifindex(ctx));
}

#endif
