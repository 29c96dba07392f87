/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * lb_changes, RINGBUF: connections that programs have opened, closed or ended,
 * for who tells another node of them; only while lb_clock.flags say so. What
 * finds no room is counted in lb_flow_cpu.changes_lost. Part of lb_abi.h.
 */
#ifndef LB_CHANGES_ABI_H
#define LB_CHANGES_ABI_H

/*
 * In a reply line's `nexthop`: the flow came from another node, and where its
 * directions are is what was told last.
 */
#define LB_LINE_FOREIGN 0x4000u

#define LB_FEATURE_CHANGES 4u
#define LB_TELL_CHANGES 2u
#define LB_CHANGES_BYTES (1u << 20) /* some 43,000 */

struct lb_change {
	__u64 word; /* of the forward line, before the change */
	__u32 line; /* its index */
	__u32 family; /* LB_IPV4, LB_IPV6 */
};
LB_STATIC_ASSERT(sizeof(struct lb_change) == 16, "lb_change");

#endif
