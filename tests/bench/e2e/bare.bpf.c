/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The ceiling of the comparison: every IPv4 TCP packet gets new MACs and
 * leaves by another interface. No lookup, no rewrite, no state.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

struct bare_hop {
	__u8 dst_mac[6];
	__u8 src_mac[6];
	__u32 ifindex;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bare_hop);
} bare_hop SEC(".maps");

SEC("xdp")
int bare_redirect(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = data + sizeof(*eth);
	__u32 zero = 0;
	struct bare_hop *hop;

	if ((void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP) ||
	    ip->protocol != IPPROTO_TCP)
		return XDP_PASS;
	hop = bpf_map_lookup_elem(&bare_hop, &zero);
	if (!hop || !hop->ifindex)
		return XDP_PASS;
	__builtin_memcpy(eth->h_dest, hop->dst_mac, 6);
	__builtin_memcpy(eth->h_source, hop->src_mac, 6);
	return bpf_redirect(hop->ifindex, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
