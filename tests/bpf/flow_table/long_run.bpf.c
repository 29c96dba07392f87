// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/* One program run of 100 ms, however fast the CPU, that says when it begins
 * and when it ends.
 */
#include "bpf/flow_maps.h"

struct long_run {
	__u64 begun;
	__u64 ended;
};

LB_SHARED_ARRAY(long_runs, struct long_run, 1);

#define RUN_NS 100000000

static long spin(__u32 round, __u64 *until)
{
	return bpf_ktime_get_ns() >= *until;
}

SEC("xdp")
int long_run(struct xdp_md *ctx)
{
	__u32 zero = 0;
	struct long_run *run = bpf_map_lookup_elem(&long_runs, &zero);
	__u64 until = bpf_ktime_get_ns() + RUN_NS;

	if (!run)
		return 0;
	__sync_fetch_and_add(&run->begun, 1);
	bpf_loop(1 << 23, spin, &until, 0);
	__sync_fetch_and_add(&run->ended, 1);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
