/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * What was chosen becomes a flow. The reply line comes first, because it is
 * the SNAT port's; then the forward line, and with it the flow.
 */
#ifndef LB_NEW_FLOW_H
#define LB_NEW_FLOW_H

#include <bpf/bpf_endian.h>

#include "bpf/checksum.h"
#include "bpf/flow_table.h"
#include "bpf/maps.h"
#include "bpf/packet.h"
#include "bpf/request.h"

#define SNAT_PORT_TRIES 16

/* ---- one direction ----------------------------------------------------- */

static __always_inline void set_addresses(struct lb_flow6 *made,
					  const struct lb_addr *src,
					  const struct lb_addr *dst,
					  const int family)
{
	if (family == LB_IPV6) {
		copy_address(&made->src, src);
		copy_address(&made->dst, dst);
	} else {
		made->line.tuple.src = src->ip[0];
		made->line.tuple.dst = dst->ip[0];
	}
}

static __always_inline void set_new_addresses(struct lb_flow6 *made,
					      const struct lb_addr *src,
					      const struct lb_addr *dst,
					      const int family)
{
	if (family == LB_IPV6) {
		copy_address(&made->new_src, src);
		copy_address(&made->new_dst, dst);
	} else {
		made->line.rewrite.src = src->ip[0];
		made->line.rewrite.dst = dst->ip[0];
	}
}

/* Everything that follows from addresses and ports. */
static __always_inline void finish_direction(struct lb_flow6 *made,
					     const int family)
{
	struct lb_tuple *tuple = &made->line.tuple;
	struct lb_rewrite *to = &made->line.rewrite;
	__u64 sum;

	if (family == LB_IPV6) {
		flow_hash_addresses(tuple, &made->src, &made->dst);
		sum = checksum_delta_of_address(&made->src, &made->new_src) +
		      checksum_delta_of_address(&made->dst, &made->new_dst);
	} else {
		sum = checksum_delta(tuple->src, to->src) +
		      checksum_delta(tuple->dst, to->dst);
	}
	to->ip_delta = checksum_fold(sum);
	sum += checksum_delta(*(const __be32 *)&tuple->sport,
			      *(const __be32 *)&to->sport);
	to->l4_delta = checksum_fold(sum);
}

/* ---- the reply line, and with it the SNAT port ------------------------- */

/* Ports that cannot be foretold, another one for each attempt. */
static __always_inline __be16 other_port(__u64 seed, __u32 attempt)
{
	const __u32 low = lb_snat_port_min, high = lb_snat_port_max;
	const __u64 hash = lb_hash_step(seed, attempt) >> 32;

	return bpf_htons(low + (hash * (high - low + 1) >> 32));
}

/* The client's own, if sockets of the kernel cannot have it. */
static __always_inline __be16 first_port(__be16 own, __u64 seed)
{
	const __u32 port = bpf_ntohs(own);

	if (port >= lb_snat_port_min && port <= lb_snat_port_max)
		return own;
	return other_port(seed, 0);
}

/*
 * The line's index, or an enum flow_refusal. The next port is chosen at the
 * end of the loop's body, because 6.1 refuses a loop that is entered in its
 * middle ("back-edge").
 */
static __always_inline int
insert_reply(struct lb_flow6 *made, const struct request *r, const int family)
{
	const __u32 ports = (__u32)r->client_port << 16 | r->port;
	__u64 seed = lb_hash_step(lb_seed ^ ports, lb_load64(&r->client.ip[0]));
	int result = FLOW_NO_ROOM;

	if (family == LB_IPV6)
		seed = lb_hash_step(seed, lb_load64(&r->client.ip[2]));
	made->line.tuple.dport = first_port(r->client_port, seed);
	for (__u32 i = 1; i <= SNAT_PORT_TRIES; i++) {
		finish_direction(made, family);
		result = flow_insert(made, family);
		if (result != FLOW_EXISTS && result != FLOW_NO_ROOM)
			return result;
		made->line.tuple.dport = other_port(seed, i);
	}
	return result;
}

static __always_inline void aim_reply(struct lb_flow6 *made,
				      const struct request *r,
				      const struct lb_backend *backend,
				      const int family)
{
	const struct lb_addr *snat =
		backend->flags & LB_BACKEND_SNAT_VIP ? &r->vip : &backend->snat;

	set_addresses(made, &backend->addr, snat, family);
	set_new_addresses(made, &r->vip, &r->client, family);
	made->line.tuple.sport = backend->port;
	made->line.tuple.proto = r->proto;
	made->line.tuple.family = family;
	made->line.rewrite.sport = r->port;
	made->line.rewrite.dport = r->client_port;
	made->line.peer = LB_FLOW_NONE;
	made->line.seen = flow_tick();
}

/* ---- the forward line -------------------------------------------------- */

/* The reply line that was made says the rest: its addresses and ports are the
 * new ones. */
static __always_inline void
aim_forward(struct lb_flow6 *made, const struct request *r, const int family)
{
	struct lb_tuple *tuple = &made->line.tuple;
	struct lb_rewrite *to = &made->line.rewrite;

	if (family == LB_IPV6) {
		copy_address(&made->new_src, &made->dst);
		copy_address(&made->new_dst, &made->src);
	} else {
		to->src = tuple->dst;
		to->dst = tuple->src;
	}
	to->sport = tuple->dport;
	to->dport = tuple->sport;
	set_addresses(made, &r->client, &r->vip, family);
	tuple->sport = r->client_port;
	tuple->dport = r->port;
	finish_direction(made, family);
}

/* Another CPU was first: its flow is this packet's. */
static __always_inline __u32 find_winner(const struct lb_flow *made,
					 const int family)
{
	const struct lb_addr *addresses = &((const struct lb_flow6 *)made)->src;
	const struct lb_tuple *tuple = &made->tuple;
	const __u64 hash = flow_hash(tuple);
	const __u32 lines = flow_lines(family);
	struct flow_hit hit;

	if (flow_scan(lb_home_line(hash, lines), tuple, addresses, family,
		      &hit) ||
	    flow_scan(lb_second_line(hash, lines), tuple, addresses, family,
		      &hit))
		return hit.index;
	return LB_FLOW_NONE;
}

__noinline __u32 find_winner4(const struct lb_flow *made)
{
	return made ? find_winner(made, LB_IPV4) : LB_FLOW_NONE;
}

__noinline __u32 find_winner6(const struct lb_flow6 *made)
{
	return made ? find_winner(&made->line, LB_IPV6) : LB_FLOW_NONE;
}

static __always_inline void count_flow(const struct request *r)
{
	__u32 service = r->service;
	struct lb_service_counters *counters =
		bpf_map_lookup_elem(&lb_service_cnt, &service);

	if (!counters)
		return;
	counters->flows++;
	counters->persisted += r->persisted;
}

/* ---- the flow ---------------------------------------------------------- */

static __always_inline enum lb_verdict why_refused(int refusal)
{
	switch (refusal) {
	case FLOW_EXISTS:
		return LB_NO_SNAT_PORT;
	case FLOW_BUSY_BUCKET:
		return LB_BUCKET_BUSY;
	}
	return LB_TABLE_FULL;
}

static __always_inline enum lb_verdict
make_flow(struct request *r, struct lb_flow6 *made,
	  const struct lb_backend *backend, const int family)
{
	int reply, forward;

	made->line = (struct lb_flow){};
	aim_reply(made, r, backend, family);
	made->line.nexthop = r->back;
	made->line.owner = r->backend;
	reply = insert_reply(made, r, family);
	if (reply < 0)
		return why_refused(reply);
	/* only now: a flow that comes to nothing must not end an older one */
	made->line.word = flow_position(family);
	made->line.nexthop = backend->nexthop;
	made->line.owner = r->service;
	made->line.peer = reply;
	aim_forward(made, r, family);
	forward = flow_insert(made, family);
	if (forward >= 0) {
		r->line = forward;
		count_flow(r);
		return LB_CONTINUE;
	}
	flow_give_back(reply, family);
	if (forward != FLOW_EXISTS)
		return why_refused(forward);
	r->line = family == LB_IPV6 ? find_winner6(made)
				    : find_winner4(&made->line);
	return LB_CONTINUE;
}

static __always_inline int new_flow(struct request *r, const int family)
{
	const struct lb_backend *backend;
	struct scratch *own = own_scratch();
	__u32 id; /* 6.1 takes no key from an argument's memory */

	if (!r || !own)
		return LB_INTERNAL;
	id = r->backend;
	backend = bpf_map_lookup_elem(&lb_backends, &id);
	return backend ? make_flow(r, &own->made, backend, family)
		       : LB_INTERNAL;
}

__noinline int new_flow4(struct request *r)
{
	return new_flow(r, LB_IPV4);
}

__noinline int new_flow6(struct request *r)
{
	return new_flow(r, LB_IPV6);
}

#endif
