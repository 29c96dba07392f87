/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Puts flows of another node into the table, and ends them, while lb_xdp runs
 * on it. Run by the agent alone (BPF_PROG_TEST_RUN), many flows a run; XDP
 * programs, because these are waited for by a grace period.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "bpf/replica.h"
#include "bpf/take.h"

LB_SHARED_ARRAY(lb_takes, struct lb_take, LB_REPLICA_TAKES);
LB_SHARED_ARRAY(lb_ends, struct lb_end, LB_REPLICA_ENDS);

static __u32 flows_of(const struct xdp_md *ctx)
{
	const struct lb_replica_run *run = (void *)(long)ctx->data;

	if ((void *)(run + 1) > (void *)(long)ctx->data_end)
		return 0;
	return run->flows;
}

/* Of the flow that was made there; if it has ended meanwhile, of none. */
static __always_inline int take_and_name(struct lb_take *flow, const int family)
{
	const int line = take(flow, family);
	struct flow_hit hit;

	flow->generation = 0;
	if (line < 0)
		return line;
	if (!flow_read(line, &flow->forward.line.tuple, &flow->forward.src,
		       family, &hit))
		return LB_TAKE_BUSY;
	flow->generation = hit.word >> 32;
	return line;
}

static long take_one(__u32 i, void *unused)
{
	struct lb_take *flow = bpf_map_lookup_elem(&lb_takes, &i);

	if (!flow)
		return 1;
	flow->result = flow->forward.line.tuple.family == LB_IPV6
			       ? take_and_name(flow, LB_IPV6)
			       : take_and_name(flow, LB_IPV4);
	return 0;
}

static __always_inline int end_now(const struct lb_end *what, const int family)
{
	const struct lb_flow *line = flow_line(what->line, family);
	struct flow_hit hit = {.index = what->line};

	if (!line)
		return 0;
	hit.word = LB_READ(line->word);
	return lb_word_is_forward(hit.word) &&
	       hit.word >> 32 == what->generation && flow_end(&hit, family);
}

static long end_one(__u32 i, void *unused)
{
	struct lb_end *what = bpf_map_lookup_elem(&lb_ends, &i);

	if (!what)
		return 1;
	what->ended = what->family == LB_IPV6 ? end_now(what, LB_IPV6)
					      : end_now(what, LB_IPV4);
	return 0;
}

SEC("xdp")
int lb_take_flows(struct xdp_md *ctx)
{
	bpf_loop(flows_of(ctx), take_one, 0, 0);
	return XDP_PASS;
}

SEC("xdp")
int lb_end_flows(struct xdp_md *ctx)
{
	bpf_loop(flows_of(ctx), end_one, 0, 0);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
