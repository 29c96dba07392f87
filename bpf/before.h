/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The program before this one, whose flows are being taken over
 * (docs/handover.md): it has the packets of all flows that are not here yet,
 * and makes the new ones.
 */
#ifndef LB_BEFORE_H
#define LB_BEFORE_H

#include "bpf/hook.h"

#include "bpf/lb_abi.h"

const volatile __u32 lb_handover; /* 1: flows are being taken over */

/*
 * What numbers in the maps mean, for those that will take over from this one:
 * the kernel keeps it with the maps, and they read it there (BTF).
 */
const volatile enum lb_flow_state lb_state_names;
const volatile enum lb_verdict lb_verdict_names;

/* not a verdict: the packet is not changed, and for the program before */
#define LB_OF_BEFORE LB_VERDICT_COUNT

/* Programs of the other hook cannot be called: each hook has a map. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} HOOK_BEFORE SEC(".maps");

/* Returns only if there is none. */
static __always_inline enum lb_verdict leave_to_before(hook_ctx *ctx)
{
	bpf_tail_call(ctx, &HOOK_BEFORE, 0);
	return LB_INTERNAL;
}

#endif
