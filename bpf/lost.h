/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* What lost.bpf.c counts: HASH by the interface that packets did not leave by.
 */
#ifndef LB_LOST_H
#define LB_LOST_H

#include "bpf/lb_abi.h"

struct lb_lost {
	__u64 frames; /* since it is watched */
	__s32 error; /* of the last ones, below 0; 0: the driver had no room */
	__u32 zero;
};
LB_STATIC_ASSERT(sizeof(struct lb_lost) == 16, "lb_lost");

#endif
