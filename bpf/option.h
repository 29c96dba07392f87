/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* IPv4 options. Few packets have any, so they are looked at out of line. */
#ifndef LB_OPTION_H
#define LB_OPTION_H

#include <linux/ip.h>

#include "bpf/cursor.h"
#include "bpf/lb_abi.h"
#include "bpf/request.h"

#define OPTION_END 0
#define OPTION_NOTHING 1
#define OPTION_LOOSE_ROUTE 131
#define OPTION_STRICT_ROUTE 137

/* The option that own->option is at; nonzero: no other has to be looked at. */
static long look_at_option(__u32 i, void *unused)
{
	struct scratch *own = own_scratch();
	__u32 at, length;
	__u8 type;

	if (!own)
		return 1;
	at = own->option;
	if (at >= MOST_OPTION_BYTES - 1)
		return 1;
	type = own->options[at];
	if (type == OPTION_LOOSE_ROUTE || type == OPTION_STRICT_ROUTE)
		own->source_route = 1;
	length = type == OPTION_NOTHING ? 1 : own->options[at + 1];
	own->option = at + length;
	return type == OPTION_END || own->source_route || !length;
}

/*
 * Whether the sender says which way the packet has to take (RFC 7126 4.3).
 * `at`: where the IPv4 header begins in the frame; `bytes`: of its options.
 */
__noinline int has_source_route(hook_ctx *ctx, __u32 at, __u32 bytes)
{
	struct scratch *own = own_scratch();

	if (!own || !is_within(&bytes, 1, MOST_OPTION_BYTES))
		return 0;
	__builtin_memset(own->options, 0, sizeof(own->options));
	own->option = 0;
	own->source_route = 0;
	if (hook_load(ctx, at + sizeof(struct iphdr), own->options, bytes))
		return 0;
	bpf_loop(MOST_OPTION_BYTES, look_at_option, 0, 0);
	return own->source_route;
}

#endif
