/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * lb_ended, RINGBUF: flows that programs have ended themselves, for the agent's
 * log; only while lb_clock.flags say so. What finds no room is told to
 * nobody. Part of lb_abi.h.
 */
#ifndef LB_ENDED_ABI_H
#define LB_ENDED_ABI_H

#define LB_FEATURE_ENDED 2u
#define LB_TELL_ENDED 1u
#define LB_ENDED_BYTES (1u << 20) /* some 3,800 flows */

struct lb_ended {
	__u32 index; /* of the forward line */
	__u32 family; /* LB_IPV4, LB_IPV6 */
	/* the lines as they were when it lived; IPv4: the first half of each */
	struct lb_flow6 forward;
	struct lb_flow6 reply;
};
LB_STATIC_ASSERT(sizeof(struct lb_ended) == 8 + 2 * sizeof(struct lb_flow6),
		 "lb_ended");

#endif
