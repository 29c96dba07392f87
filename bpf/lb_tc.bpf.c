/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * lb_tc: the load balancer on tc ingress, for interfaces whose packets XDP
 * cannot forward as they are, or not by their driver.
 */
#define LB_HOOK_TC
#include "bpf/balance.h"

SEC("tc")
int lb_tc(struct __sk_buff *ctx)
{
	return run(ctx);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
