// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/* Runs one operation of bpf/flow_table.h, so that tests can look at each. */
#include "bpf/flow_table.h"
#include "tests/bpf/flow_table/flow_ops.h"

LB_SHARED_ARRAY(flow_ops, struct flow_op, 1);

static __always_inline int find(struct flow_op *op, const int family)
{
	struct flow_key key = {
		.tuple = op->made.line.tuple,
		.src = op->made.src,
		.dst = op->made.dst,
	};
	struct flow_hit hit;

	if (!flow_find(&key, flow_hash(&key.tuple), family, &hit))
		return -1;
	op->word = hit.word;
	return (int)hit.index;
}

static __always_inline int insert(struct flow_op *op, const int family)
{
	struct lb_flow6 made = op->made;

	return flow_insert(&made, family);
}

static __always_inline int operate(struct flow_op *op, const int family)
{
	struct flow_hit hit = {0, op->word, op->index};
	struct flow_said said = {op->flags, op->seq, op->ack, 0};

	switch (op->kind) {
	case FLOW_OP_FIND:
		return find(op, family);
	case FLOW_OP_INSERT:
		return insert(op, family);
	case FLOW_OP_POSITION:
		op->made.line.word = flow_position(family);
		return 0;
	case FLOW_OP_DROP:
		return flow_end(&hit, family);
	case FLOW_OP_GIVE_BACK:
		return flow_give_back(op->index, family);
	case FLOW_OP_NOTE:
		return flow_note(&hit, &said, family);
	}
	return -100;
}

SEC("xdp")
int flow_op(struct xdp_md *ctx)
{
	__u32 zero = 0;
	struct flow_op *op = bpf_map_lookup_elem(&flow_ops, &zero);

	if (!op)
		return 1;
	op->result = op->family == LB_IPV6 ? operate(op, LB_IPV6)
					   : operate(op, LB_IPV4);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
