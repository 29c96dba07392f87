/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* The one way out of the program. */
#ifndef LB_SEND_H
#define LB_SEND_H

#include "bpf/hook.h"
#include "bpf/packet.h"
#include "bpf/verdict.h"

static __always_inline int leave(hook_ctx *ctx, const struct packet *p,
				 enum lb_verdict why)
{
	int action;

	hook_finish(ctx, &p->sum);
	/* nearly every packet: no table, no service */
	if (__builtin_expect(why == LB_ESTABLISHED, 1)) {
		action = hook_send(ctx, &lb_devs, p->out);
		if (__builtin_expect(action != HOOK_DROP, 1)) {
			count_established();
			return action;
		}
		why = LB_NO_DEVICE;
	}
	action = action_of(why);
	if (action == LB_ACTION_SEND) {
		hook_forget_sum(ctx);
		action = hook_send(ctx, &lb_devs, p->out);
		if (action == HOOK_DROP)
			why = LB_NO_DEVICE;
	}
	count_verdict(why, p->service);
	return action;
}

#endif
