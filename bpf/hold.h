/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Fragments that come before the first one of their packet, which alone says
 * whose they are: they wait with the agent, and come here again once it has
 * come. Of what the kernel has the first one of, it has the others at once.
 */
#ifndef LB_HOLD_H
#define LB_HOLD_H

#include <linux/if_ether.h>

#include "bpf/cursor.h"
#include "bpf/maps.h"
#include "bpf/packet.h"
#include "bpf/trace.h"

#define LEAST_HELD_FRAME (sizeof(struct ethhdr) + sizeof(struct iphdr))

/* Nobody's address: the agent says by it that nothing is held a second time. */
static __always_inline int was_held(const hook_ctx *ctx)
{
	struct cursor c = cursor_of(ctx);
	const struct ethhdr *eth = cursor_take(&c, sizeof(*eth));
	const __u16 *source = eth ? (const __u16 *)eth->h_source : 0;

	return source && !(source[0] | source[1] | source[2]);
}

static __always_inline int has_passed(const struct lb_trace_key *key, __u64 now)
{
	const __u64 *came = bpf_map_lookup_elem(&lb_passed, key);

	return came && now - *came < LB_TRACE_LASTS_NS;
}

/* The fragment of the scratch entry, which no trace is there for. */
__noinline int hold_fragment(hook_ctx *ctx)
{
	const __u64 now = bpf_ktime_get_ns();
	struct scratch *own = own_scratch();
	__u32 bytes = hook_bytes(ctx);
	struct lb_held *held;

	if (!own)
		return LB_INTERNAL;
	if (has_passed(&own->fragment.key, now))
		return LB_FRAGMENT;
	if (was_held(ctx))
		return LB_FRAGMENT_LOST;
	if (!is_within(&bytes, LEAST_HELD_FRAME, LB_HELD_FRAME))
		return LB_FRAGMENT;
	held = bpf_ringbuf_reserve(&lb_held, sizeof(*held), 0);
	if (!held)
		return LB_FRAGMENT;
	held->key = own->fragment.key;
	held->at = now;
	held->ifindex = hook_ifindex(ctx);
	held->bytes = bytes;
	if (hook_load(ctx, 0, held->frame, bytes)) {
		bpf_ringbuf_discard(held, 0);
		return LB_FRAGMENT;
	}
	bpf_ringbuf_submit(held, 0);
	return LB_FRAGMENT_HELD;
}

static __always_inline int note_passed(hook_ctx *ctx, __u32 l3,
				       const int family)
{
	const __u64 now = bpf_ktime_get_ns();
	struct scratch *own = own_scratch();

	if (own && read_fragment(ctx, l3, family))
		bpf_map_update_elem(&lb_passed, &own->fragment.key, &now,
				    BPF_ANY);
	return 0;
}

__noinline int note_passed4(hook_ctx *ctx, __u32 l3)
{
	return note_passed(ctx, l3, LB_IPV4);
}

__noinline int note_passed6(hook_ctx *ctx, __u32 l3)
{
	return note_passed(ctx, l3, LB_IPV6);
}

/* The first of several fragments is not ours: the others go where it goes. */
static __always_inline void leave_others(hook_ctx *ctx, const struct packet *p,
					 const int family)
{
	if (family == LB_IPV6)
		note_passed6(ctx, l3_at(p));
	else
		note_passed4(ctx, l3_at(p));
}

#endif
