/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Which source port a flow has towards its member: the client's own, whenever
 * nobody else has that very tuple. The reply line is the port's, so a port is
 * taken by making that line.
 *
 * What else is tried follows from the client's address and port, so that a
 * client mostly has the ports again that it had before, and a connection that
 * both sides have closed gives its port to the next one of that client at
 * once. Ports that rest (rest.h) for others, and others' closed connections,
 * come last, and with them those of half-open ones.
 */
#ifndef LB_SNAT_PORT_H
#define LB_SNAT_PORT_H

#include <linux/in.h>
#include <bpf/bpf_endian.h>

#include "bpf/direction.h"
#include "bpf/flow_table.h"
#include "bpf/kernel_port.h"
#include "bpf/maps.h"
#include "bpf/request.h"
#include "bpf/rest.h"

#define SNAT_PORT_FLOOR 1024 /* below are ports of privileged programs */
#define CLIENT_PORTS \
	512 /* in a row, which a client address has before others */
#define NEAR_TRIES 8 /* of these */
#define FAR_TRIES 4 /* anywhere, by the client's address and port */
#define FRESH_TRIES 16 /* from the cursor on, ports that need not rest */
#define LAST_TRIES 64 /* from the cursor on, any port that is free */

/* A closed connection's last packets have come when none came for so long. */
#define QUIET_TICKS 2

enum port_rule {
	PORT_OF_CLIENT, /* not one that rests, nor one of another client's */
	PORT_OF_ANYBODY, /* whose connection is over, or is none yet */
};

/* ---- the ports there are ------------------------------------------------ */

/* All but those that the kernel takes. */
static __always_inline void set_port_space(struct port_space *space)
{
	const struct lb_kernel_ports *kernel = kernel_ports();
	const __u32 max = lb_snat_port_max;
	__u32 min = lb_snat_port_min, low, high;

	space->count = 0;
	space->hole_size = 0;
	if (min < SNAT_PORT_FLOOR)
		min = SNAT_PORT_FLOOR;
	if (!kernel || min > max)
		return;
	low = kernel->min > min ? kernel->min : min;
	high = kernel->max < max ? kernel->max : max;
	space->first = min;
	space->count = max - min + 1;
	if (low > high)
		return;
	space->hole = low - min;
	space->hole_size = high - low + 1;
	space->count -= space->hole_size;
}

static __always_inline __u32 port_at(const struct port_space *space, __u64 i)
{
	if (space->count)
		i %= space->count;
	if (space->hole_size && i >= space->hole)
		i += space->hole_size;
	return space->first + i;
}

/* ---- who has a port ----------------------------------------------------- */

/* The line that has this tuple. */
static __always_inline __u32 search_line(const struct lb_flow *made,
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

__noinline __u32 find_line4(const struct lb_flow *made)
{
	return made ? search_line(made, LB_IPV4) : LB_FLOW_NONE;
}

__noinline __u32 find_line6(const struct lb_flow6 *made)
{
	return made ? search_line(&made->line, LB_IPV6) : LB_FLOW_NONE;
}

static __always_inline __u32 find_line(const struct lb_flow6 *made,
				       const int family)
{
	return family == LB_IPV6 ? find_line6(made) : find_line4(&made->line);
}

/* ---- one port ----------------------------------------------------------- */

static __always_inline int is_of_client(const struct lb_flow *reply,
					const struct lb_flow6 *made,
					const int family)
{
	if (family == LB_IPV6)
		return flow_same_words(&((struct lb_flow6 *)reply)->new_src,
				       &made->new_src, 4);
	return flow_same_words(&reply->rewrite.src, &made->line.rewrite.src, 1);
}

static __always_inline int is_quiet(const struct lb_flow *line, __u32 now)
{
	return (__s32)(now - LB_READ(line->seen)) >= QUIET_TICKS;
}

/*
 * Both sides are through with it; or it never was a connection, and no other
 * port is left: else forged SYNs would take them all, long before their flows
 * have to give way in the ring.
 */
static __always_inline int gives_port_up(__u64 word, enum port_rule rule)
{
	return flow_is_over(word) || (rule == PORT_OF_ANYBODY &&
				      lb_word_state(word) == LB_FLOW_HALF_OPEN);
}

static __always_inline int end_owner(__u32 forward, __u64 word,
				     const int family)
{
	const int ended = family == LB_IPV6 ? flow_end6(forward, word)
					    : flow_end4(forward, word);

	if (ended && lb_word_state(word) == LB_FLOW_HALF_OPEN)
		flow_note_gave_way();
	return ended;
}

/* Ends the flow that has the port, if nothing of it is under way. */
static __always_inline int take_over(const struct lb_flow6 *made,
				     enum port_rule rule, const int family)
{
	const __u32 index = find_line(made, family);
	const __u32 now = flow_tick();
	struct lb_flow *forward;
	struct flow_hit hit;
	__u64 word;
	__u32 at;

	if (!flow_read(index, &made->line.tuple, &made->src, family, &hit) ||
	    lb_word_is_forward(hit.word))
		return 0;
	if (rule == PORT_OF_CLIENT && !is_of_client(hit.line, made, family))
		return 0;
	if (!is_quiet(hit.line, now))
		return 0;
	forward = flow_forward(&hit, family, &at, &word);
	if (!forward || !gives_port_up(word, rule) || !is_quiet(forward, now))
		return 0;
	return end_owner(at, word, family);
}

/* The one whose rest is over first, of those that were refused for it. */
static __always_inline int must_rest(struct scratch *own, __u32 port,
				     const int family)
{
	const __u32 left = rest_left(&own->made.line, family);

	if (!left)
		return 0;
	if (left < own->least_rest) {
		own->least_rest = left;
		own->least_rest_port = port;
	}
	return 1;
}

/* The line's index, or an enum flow_refusal. */
static __always_inline int try_port(__u32 port, enum port_rule rule,
				    const int family)
{
	struct scratch *own = own_scratch();
	struct lb_flow6 *made;
	int line;

	if (!own)
		return FLOW_NO_ROOM;
	made = &own->made;
	made->line.tuple.dport = bpf_htons(port);
	finish_direction(made, family);
	if (rule == PORT_OF_CLIENT && made->line.tuple.proto == IPPROTO_TCP &&
	    must_rest(own, port, family))
		return FLOW_EXISTS;
	line = flow_insert(made, family);
	if (line == FLOW_EXISTS && take_over(made, rule, family))
		line = flow_insert(made, family);
	return line;
}

__noinline int try_port4(__u32 port, __u32 rule)
{
	return try_port(port, rule, LB_IPV4);
}

__noinline int try_port6(__u32 port, __u32 rule)
{
	return try_port(port, rule, LB_IPV6);
}

static __always_inline int take_port(__u32 port, enum port_rule rule,
				     const int family)
{
	return family == LB_IPV6 ? try_port6(port, rule)
				 : try_port4(port, rule);
}

static __always_inline int is_next_tried(int line)
{
	return line == FLOW_EXISTS || line == FLOW_NO_ROOM;
}

/* ---- the client's own --------------------------------------------------- */

/*
 * A connection that HAProxy had when its listener left it may still have the
 * port. Not the listener's port either: from the VIP it would be a client of
 * its own, if the member asks the VIP from its own port.
 */
static __always_inline int
may_keep_port(hook_ctx *ctx, const struct scratch *own, const int family)
{
	const __u32 port = bpf_ntohs(own->request.client_port);

	if (port < SNAT_PORT_FLOOR || port < lb_snat_port_min ||
	    port > lb_snat_port_max ||
	    own->request.client_port == own->request.port)
		return 0;
	return !is_kernels(port) ||
	       (!kernel_may_take(port, own->proxied) &&
		!kernel_has(ctx, &own->made, own->request.client_port, family));
}

__noinline int may_keep_port4(hook_ctx *ctx)
{
	const struct scratch *own = own_scratch();

	return own && may_keep_port(ctx, own, LB_IPV4);
}

__noinline int may_keep_port6(hook_ctx *ctx)
{
	const struct scratch *own = own_scratch();

	return own && may_keep_port(ctx, own, LB_IPV6);
}

/* ---- another ------------------------------------------------------------ */

/* `i`: 0 .. NEAR_TRIES + FAR_TRIES - 1 */
static __always_inline __u32 port_of_client(const struct scratch *own, __u32 i)
{
	if (i < NEAR_TRIES)
		return port_at(&own->ports,
			       own->row + (own->seed + i) % CLIENT_PORTS);
	return port_at(&own->ports, lb_hash_step(own->seed, i) >> 32);
}

/* Where its client's row begins; and a number for each of its ports. */
static __always_inline void set_port_seed(struct scratch *own, const int family)
{
	const struct request *r = &own->request;
	__u64 hash = lb_hash_step(lb_seed, lb_load64(&r->client.ip[0]));

	if (family == LB_IPV6)
		hash = lb_hash_step(hash, lb_load64(&r->client.ip[2]));
	hash = lb_hash_step(hash, lb_seed);
	own->row = hash >> 32;
	own->seed = lb_hash_step(hash, r->client_port) >> 32;
}

struct port_walk {
	__u32 rule;
	__u32 family;
	int line;
};

/* A prime: one after the other every port has its turn, but no neighbours. */
static __always_inline __u64 scattered(__u32 turn)
{
	return turn * 2654435761ull;
}

static long walk_port(__u32 i, struct port_walk *walk)
{
	struct scratch *own = own_scratch();
	__u32 port;

	if (!own)
		return 1;
	port = port_at(&own->ports, scattered(own->cursor + i));
	walk->line = walk->family == LB_IPV6 ? try_port6(port, walk->rule)
					     : try_port4(port, walk->rule);
	return !is_next_tried(walk->line);
}

/*
 * The cursor is the backend's, and each walk begins where the one before it
 * ended: every port is looked at in the end.
 */
static __always_inline int walk_ports(const int family)
{
	struct scratch *own = own_scratch();
	struct port_walk walk = {PORT_OF_CLIENT, family, FLOW_EXISTS};
	struct lb_use *use;
	__u32 id;

	if (!own || !own->ports.count)
		return FLOW_EXISTS;
	id = own->request.backend;
	use = bpf_map_lookup_elem(&lb_backend_use, &id);
	own->cursor = use ? __sync_fetch_and_add(&use->turn, LAST_TRIES) : 0;
	bpf_loop(FRESH_TRIES, walk_port, &walk, 0);
	if (!is_next_tried(walk.line))
		return walk.line;
	walk.rule = PORT_OF_ANYBODY;
	if (own->least_rest_port)
		walk.line = take_port(own->least_rest_port, walk.rule, family);
	if (is_next_tried(walk.line))
		bpf_loop(LAST_TRIES, walk_port, &walk, 0);
	return walk.line;
}

__noinline int walk_ports4(void)
{
	return walk_ports(LB_IPV4);
}

__noinline int walk_ports6(void)
{
	return walk_ports(LB_IPV6);
}

/*
 * Makes the reply line with a port of the client: its index, or an enum
 * flow_refusal. Then FLOW_EXISTS says that walk_ports() may find another;
 * where the table is full no port helps.
 */
static __always_inline int find_port(hook_ctx *ctx, struct scratch *own,
				     const int family)
{
	int line = FLOW_EXISTS;

	own->least_rest = REST_TICKS + 1;
	own->least_rest_port = 0;
	if (family == LB_IPV6 ? may_keep_port6(ctx) : may_keep_port4(ctx))
		line = take_port(bpf_ntohs(own->request.client_port),
				 PORT_OF_CLIENT, family);
	if (!is_next_tried(line))
		return line;
	set_port_space(&own->ports);
	if (!own->ports.count)
		return FLOW_EXISTS;
	set_port_seed(own, family);
	for (__u32 i = 0; i < NEAR_TRIES + FAR_TRIES; i++) {
		line = take_port(port_of_client(own, i), PORT_OF_CLIENT,
				 family);
		if (!is_next_tried(line))
			return line;
	}
	return line;
}

#endif
