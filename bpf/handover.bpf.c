/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Puts flows and counts of other maps into these (docs/handover.md), while
 * lb_xdp runs on them. Run by the agent alone (BPF_PROG_TEST_RUN), one flow a
 * run; XDP programs, because these are waited for by a grace period.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "bpf/take.h"

/* Its own: a run of lb_xdp may come in between on the same CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct lb_take);
	__uint(max_entries, 1);
} lb_take_scratch SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct lb_verdict_counters);
} lb_verdicts SEC(".maps");

SEC("xdp")
int lb_take_flow(struct xdp_md *ctx)
{
	struct lb_take *wish = (void *)(long)ctx->data, *own;
	__u32 only = 0;

	own = bpf_map_lookup_elem(&lb_take_scratch, &only);
	if (!own || (void *)(wish + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	*own = *wish;
	wish->result = own->forward.line.tuple.family == LB_IPV6
			       ? take(own, LB_IPV6)
			       : take(own, LB_IPV4);
	return XDP_PASS;
}

static __always_inline void add(__u64 *to, __u64 what)
{
	if (what)
		__sync_fetch_and_add(to, what);
}

/* Atomically: a run of lb_xdp may come in between on the same CPU. */
SEC("xdp")
int lb_add_counts(struct xdp_md *ctx)
{
	const struct lb_add *what = (void *)(long)ctx->data;
	struct lb_service_counters *sum;
	struct lb_verdict_counters *all;
	__u32 id = 0;

	if ((void *)(what + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	all = bpf_map_lookup_elem(&lb_verdicts, &id);
	id = what->service;
	sum = bpf_map_lookup_elem(&lb_service_cnt, &id);
	if (!all || !sum)
		return XDP_ABORTED;
	for (int i = 0; i < LB_VERDICT_COUNT; i++)
		add(id ? &sum->verdicts[i] : &all->packets[i],
		    what->counts.verdicts[i]);
	add(&sum->flows, what->counts.flows);
	add(&sum->persisted, what->counts.persisted);
	add(&sum->bytes_in, what->counts.bytes_in);
	add(&sum->bytes_out, what->counts.bytes_out);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
