/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Ports that the kernel gives to sockets of its own, and who has one. */
#ifndef LB_KERNEL_PORT_H
#define LB_KERNEL_PORT_H

#include <linux/in.h>

#include "bpf/maps.h"
#include "bpf/packet.h"

static __always_inline const struct lb_kernel_ports *kernel_ports(void)
{
	__u32 only = 0;

	return bpf_map_lookup_elem(&lb_kernel_ports, &only);
}

static __always_inline int is_kernels(__u32 port)
{
	const struct lb_kernel_ports *kernel = kernel_ports();

	return kernel && port >= kernel->min && port <= kernel->max;
}

/*
 * May a socket of ours connect from this port, which is one of the kernel's,
 * now or later? The kernel does not know which ports flows have. Health checks
 * connect to any member, from ports of their own; HAProxy to its members, from
 * any.
 */
static __always_inline int kernel_may_take(__u32 port, __u32 proxied)
{
	const struct lb_kernel_ports *kernel = kernel_ports();

	return proxied || !kernel || port + LB_PROBE_PORTS > kernel->max;
}

/*
 * Has a socket of ours the connection that the reply line would be for? Of SCTP
 * we have none.
 */
static __always_inline int kernel_has(hook_ctx *ctx,
				      const struct lb_flow6 *made, __be16 port,
				      const int family)
{
	const struct lb_tuple *tuple = &made->line.tuple;
	struct bpf_sock_tuple asked = {};
	struct bpf_sock *socket;
	__u32 size;

	if (tuple->proto == IPPROTO_SCTP)
		return 0;
	if (family == LB_IPV6) {
		size = sizeof(asked.ipv6);
		copy_address((void *)asked.ipv6.saddr, &made->src);
		copy_address((void *)asked.ipv6.daddr, &made->dst);
		asked.ipv6.sport = tuple->sport;
		asked.ipv6.dport = port;
	} else {
		size = sizeof(asked.ipv4);
		asked.ipv4.saddr = tuple->src;
		asked.ipv4.daddr = tuple->dst;
		asked.ipv4.sport = tuple->sport;
		asked.ipv4.dport = port;
	}
	if (tuple->proto == IPPROTO_TCP)
		socket = bpf_skc_lookup_tcp(ctx, &asked, size,
					    BPF_F_CURRENT_NETNS, 0);
	else
		socket = bpf_sk_lookup_udp(ctx, &asked, size,
					   BPF_F_CURRENT_NETNS, 0);
	if (!socket)
		return 0;
	bpf_sk_release(socket);
	return 1;
}

#endif
