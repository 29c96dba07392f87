/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Packets that were redirected and did not leave. lb_xdp never learns of it:
 * bpf_redirect_map() says yes, and the driver refuses later, a whole bulk at
 * once. Only the kernel's tracepoints tell.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/lost.h"

const volatile __u32 lb_namespace; /* inode of our network namespace */

/* as much of the kernel's types as is read; found by name when it is loaded */
struct ns_common {
	unsigned int inum;
} __attribute__((preserve_access_index));

struct net {
	struct ns_common ns;
} __attribute__((preserve_access_index));

typedef struct {
	struct net *net;
} __attribute__((preserve_access_index)) possible_net_t;

struct net_device {
	int ifindex;
	possible_net_t nd_net;
} __attribute__((preserve_access_index));

struct bpf_prog;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LB_MAX_DEVS);
	__type(key, __u32);
	__type(value, struct lb_lost);
} lb_lost SEC(".maps");

static __always_inline void count_lost(const struct net_device *device,
				       __u32 ifindex, __u32 frames, int error)
{
	const struct lb_lost first = {};
	struct lb_lost *lost;

	if (device->nd_net.net->ns.inum != lb_namespace)
		return;
	lost = bpf_map_lookup_elem(&lb_lost, &ifindex);
	if (!lost) {
		bpf_map_update_elem(&lb_lost, &ifindex, &first, BPF_NOEXIST);
		lost = bpf_map_lookup_elem(&lb_lost, &ifindex);
	}
	if (!lost)
		return;
	__sync_fetch_and_add(&lost->frames, frames);
	lost->error = error;
}

/* A bulk of frames at the driver: those that it did not take. */
SEC("tp_btf/xdp_devmap_xmit")
int BPF_PROG(lb_bulk_sent, const struct net_device *from,
	     const struct net_device *to, int sent, int drops, int error)
{
	if (drops > 0)
		count_lost(to, to->ifindex, drops, error);
	return 0;
}

/* Refused at once: by an interface that is down, or a packet over its MTU. */
SEC("tp_btf/xdp_redirect_err")
int BPF_PROG(lb_redirect_err, const struct net_device *from,
	     const struct bpf_prog *program, const void *to, int error,
	     int map_type, __u32 map, __u32 index)
{
	if (map_type == BPF_MAP_TYPE_DEVMAP_HASH)
		count_lost(from, index, 1, error);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
