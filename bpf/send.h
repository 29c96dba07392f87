/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* The one way out of the program. */
#ifndef LB_SEND_H
#define LB_SEND_H

#include "bpf/packet.h"
#include "bpf/verdict.h"

/* Out of the interface it came in by, or of another. */
static __always_inline int send(const struct xdp_md *ctx, __u32 out)
{
	if (out == ctx->ingress_ifindex)
		return XDP_TX;
	return bpf_redirect_map(&lb_devs, out, XDP_DROP);
}

static __always_inline int leave(const struct xdp_md *ctx,
				 const struct packet *p, enum lb_verdict why)
{
	int action;

	/* nearly every packet: no table, no service */
	if (__builtin_expect(why == LB_ESTABLISHED, 1)) {
		action = send(ctx, p->out);
		if (__builtin_expect(action != XDP_DROP, 1)) {
			count_established();
			return action;
		}
		why = LB_NO_DEVICE;
	}
	action = action_of(why);
	if (action == LB_ACTION_SEND) {
		action = send(ctx, p->out);
		if (action == XDP_DROP)
			why = LB_NO_DEVICE;
	}
	count_verdict(why, p->service);
	return action;
}

#endif
