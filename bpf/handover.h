/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * What the agent hands to lb_take_flow and lb_add_counts as the packet of a
 * run, and reads back from there. Host order, but for what is in the lines.
 */
#ifndef LB_HANDOVER_H
#define LB_HANDOVER_H

#include "bpf/lb_abi.h"

/* why a flow was not taken; else the index of its forward line */
#define LB_TAKE_THERE (-1) /* its forward tuple is live already */
#define LB_TAKE_PORT (-2) /* another flow has its reply tuple */
#define LB_TAKE_NO_ROOM (-3) /* of a line: its buckets are full */
#define LB_TAKE_BUSY (-4) /* a bucket stayed locked: again */

/*
 * The lines as they are to be, both in whole, IPv4 too; of their words the
 * state alone counts, and `peer` is filled in.
 */
struct lb_take {
	struct lb_flow6 reply;
	struct lb_flow6 forward;
	__s32 result;
	__u32 generation; /* of the forward line (replica.h) */
};

/* added to lb_service_cnt of the service, or (0) its verdicts to lb_verdicts */
struct lb_add {
	__u32 service;
	__u32 zero;
	struct lb_service_counters counts;
};

#endif
