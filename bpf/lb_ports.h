/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* A part of lb_abi.h: what SNAT ports are chosen by. */
#ifndef LB_PORTS_H
#define LB_PORTS_H

/*
 * lb_kernel_ports: ARRAY, one entry. Ports that the kernel takes for sockets
 * of its own; host order.
 */
struct lb_kernel_ports {
	__u16 min; /* 0: none */
	__u16 max;
};

/* The last so many of them are those that health checks connect from. */
#define LB_PROBE_PORTS 1024
LB_STATIC_ASSERT(sizeof(struct lb_kernel_ports) == 4, "lb_kernel_ports");

/*
 * lb_rested: ARRAY. Ports that a member has closed a connection of: who had
 * them, and when. bpf/rest.h says what for.
 */
#define LB_REST_SHARE 8 /* one entry for so many lines of lb_flows */
#define LB_REST_WAYS 4

struct lb_rest {
	__u64 way[LB_REST_WAYS]; /* tick 32, client 16, tuple 16 */
};

/*
 * lb_syns: ARRAY, indexed by ring position, those of lb_half6 behind those of
 * lb_half. The SYN that began a half-open connection, so that it can be sent
 * once more by another port.
 */
#define LB_SYN_BYTES 52 /* a TCP header with 32 bytes of options */

struct lb_syn {
	__u32 line; /* forward line, and its generation */
	__u32 generation;
	__u8 length; /* of the header; 0: not kept */
	__u8 tries; /* so many times it was sent by another port already */
	__u16 zero;
	__u8 header[LB_SYN_BYTES];
};
LB_STATIC_ASSERT(sizeof(struct lb_syn) == 64, "lb_syn");

#endif
