/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Redirects every packet to the one interface that it is told. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

const volatile __u32 out;

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} devices SEC(".maps");

SEC("xdp")
int redirect_all(struct xdp_md *ctx)
{
	return bpf_redirect_map(&devices, out, XDP_DROP);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
