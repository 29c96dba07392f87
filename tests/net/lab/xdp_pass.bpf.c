/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Passes everything. A veth delivers frames that XDP sends to it only if its
 * peer runs XDP too; in the lab that is this program.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int lab_pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
