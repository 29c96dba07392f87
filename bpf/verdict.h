/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Why a packet leaves: one table says what becomes of it, and each is
 * counted once, and with its service where one is known.
 */
#ifndef LB_VERDICT_H
#define LB_VERDICT_H

#include "bpf/flow_maps.h"
#include "bpf/hook.h"
#include "bpf/maps.h"

#define LB_ACTION_SEND HOOK_SEND
#define LB_ACTION_PASS HOOK_PASS
#define LB_ACTION_DROP HOOK_DROP

static __always_inline int action_of(enum lb_verdict why)
{
	switch (why) {
#define LB_VERDICT_CASE(name, text, action) \
	case LB_##name:                     \
		return LB_ACTION_##action;
		LB_VERDICTS(LB_VERDICT_CASE)
#undef LB_VERDICT_CASE
	default:
		return HOOK_BROKEN;
	}
}

static __always_inline void count_established(void)
{
	__u32 only = 0;
	struct lb_verdict_counters *all =
		bpf_map_lookup_elem(&lb_verdicts, &only);

	if (all)
		all->packets[LB_ESTABLISHED]++;
}

static __always_inline void count_verdict(enum lb_verdict why, __u32 service)
{
	struct lb_service_counters *of_service;
	struct lb_verdict_counters *all;
	__u32 only = 0, index = why;

	/* else the compiler may check one copy of it and use another */
	asm volatile("" : "+r"(index));
	if (index >= LB_VERDICT_COUNT)
		return;
	all = bpf_map_lookup_elem(&lb_verdicts, &only);
	if (all)
		all->packets[index]++;
	if (!service)
		return;
	of_service = bpf_map_lookup_elem(&lb_service_cnt, &service);
	if (of_service)
		of_service->verdicts[index]++;
}

#endif
