/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * What the agent writes for lb_take_flows and lb_end_flows into the maps of
 * these, and reads back from there; the packet of a run says how many. Host
 * order, but for what is in the lines.
 */
#ifndef LB_REPLICA_H
#define LB_REPLICA_H

#include "bpf/lb_abi.h"

#define LB_REPLICA_TAKES 256 /* lb_takes: struct lb_take (handover.h) */
#define LB_REPLICA_ENDS 512 /* lb_ends */

/* A forward line's flow, if it is of this generation still. */
struct lb_end {
	__u32 line; /* its index */
	__u32 family; /* LB_IPV4, LB_IPV6 */
	__u32 generation;
	__u32 ended; /* 1: by this run */
};

/* The packet; no frame is shorter. */
struct lb_replica_run {
	__u32 flows;
	__u32 zero[15];
};

#endif
