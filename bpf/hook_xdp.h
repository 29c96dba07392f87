/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* hook.h for XDP: the frame is as the driver has received it. */
#ifndef LB_HOOK_XDP_H
#define LB_HOOK_XDP_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "bpf/checksum.h"
#include "bpf/lb_abi.h"

typedef struct xdp_md hook_ctx;

#define HOOK_SEND XDP_TX
#define HOOK_PASS XDP_PASS
#define HOOK_DROP XDP_DROP
#define HOOK_BROKEN XDP_ABORTED

#define HOOK_BEFORE lb_before

/* What comes without its checksum leaves without: offload.h notes it. */
#define HOOK_MENDS_CHECKSUMS 0
/* A driver may take nothing but what came in by it. */
#define HOOK_SENDS_BY_ALL 0

static __always_inline __u32 hook_ifindex(const hook_ctx *ctx)
{
	return ctx->ingress_ifindex;
}

static __always_inline __u32 hook_bytes(const hook_ctx *ctx)
{
	__u64 bytes = (void *)(long)ctx->data_end - (void *)(long)ctx->data;

	/* else the compiler may subtract halves of pointers */
	asm volatile("" : "+r"(bytes));
	return bytes;
}

static __always_inline __u32 hook_left(const hook_ctx *ctx, const void *pos,
				       const void *end)
{
	return end - pos;
}

static __always_inline enum lb_verdict hook_begin(hook_ctx *ctx)
{
	return LB_CONTINUE;
}

static __always_inline __u32 hook_largest(const hook_ctx *ctx, __u32 length,
					  __u32 payload)
{
	return length;
}

/* ---- changes ------------------------------------------------------------ */

static __always_inline long hook_load(hook_ctx *ctx, __u32 at, void *to,
				      __u32 bytes)
{
	return bpf_xdp_load_bytes(ctx, at, to, bytes);
}

static __always_inline long hook_store(hook_ctx *ctx, __u32 at, void *from,
				       __u32 bytes)
{
	return bpf_xdp_store_bytes(ctx, at, from, bytes);
}

static __always_inline long hook_add_head(hook_ctx *ctx, int bytes)
{
	return bpf_xdp_adjust_head(ctx, -bytes);
}

static __always_inline long hook_set_bytes(hook_ctx *ctx, __u32 bytes)
{
	return bpf_xdp_adjust_tail(ctx, (int)(bytes - hook_bytes(ctx)));
}

static __always_inline int hook_is_partial(hook_ctx *ctx, __u32 at)
{
	return 0;
}

struct hook_sum {
};

static __always_inline void hook_change_l4(struct hook_sum *sum, __u32 at,
					   __be16 *check,
					   const struct lb_flow *line,
					   int hops_down, int is_udp,
					   const int family)
{
	checksum_adjust(check, line->rewrite.l4_delta);
	if (is_udp && !*check)
		*check = 0xffff;
}

static __always_inline void hook_change_rest(struct hook_sum *sum, __u64 delta,
					     const struct lb_flow *line,
					     int hops_down, const int family)
{
}

static __always_inline void hook_change_l3(hook_ctx *ctx,
					   const struct lb_flow *line,
					   int hops_down, const int family)
{
}

static __always_inline void hook_add_to_sum(hook_ctx *ctx, __u64 delta)
{
}

static __always_inline void hook_finish(hook_ctx *ctx,
					const struct hook_sum *sum)
{
}

static __always_inline void hook_forget_sum(hook_ctx *ctx)
{
}

static __always_inline int hook_send(const hook_ctx *ctx, void *devices,
				     __u32 out)
{
	if (out == ctx->ingress_ifindex)
		return XDP_TX;
	return bpf_redirect_map(devices, out, XDP_DROP);
}

#endif
