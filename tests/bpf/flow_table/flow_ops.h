/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* One operation on the flow table, as a test asks for it. */
#ifndef FLOW_OPS_H
#define FLOW_OPS_H

#include "bpf/lb_abi.h"

enum flow_op_kind {
	FLOW_OP_FIND, /* made's tuple (and src, dst): its line, or -1; word */
	FLOW_OP_INSERT, /* made: its line, or a refusal */
	FLOW_OP_POSITION, /* made.line.word is set */
	FLOW_OP_DROP, /* forward line `index` in `word` */
	FLOW_OP_GIVE_BACK, /* reply line `index` */
	FLOW_OP_NOTE, /* line `index` in `word`, flags, seq, ack */
};

struct flow_op {
	struct lb_flow6 made;
	__u64 word;
	__u32 kind;
	__u32 family;
	__u32 index;
	__u32 flags;
	__u32 seq;
	__u32 ack;
	__s32 result;
	__u32 zero;
};

#endif
