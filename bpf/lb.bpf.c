/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* lb_xdp: the load balancer on XDP. */
#include "bpf/balance.h"

SEC("xdp")
int lb_xdp(struct xdp_md *ctx)
{
	return run(ctx);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
