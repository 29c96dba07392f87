/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Tells the agent of connections that begin, close and end: for another node.
 */
#ifndef LB_FLOW_CHANGED_H
#define LB_FLOW_CHANGED_H

#include "bpf/flow_ended.h"

static __always_inline void flow_count_lost_change(void)
{
	const __u32 cpu = bpf_get_smp_processor_id() & (LB_MAX_CPUS - 1);
	struct lb_flow_cpu *own = bpf_map_lookup_elem(&lb_flow_cpu, &cpu);

	if (own)
		__sync_fetch_and_add(&own->changes_lost, 1);
}

__noinline int flow_tell_change(__u32 line, __u64 word, __u32 family)
{
	struct lb_change change = {
		.word = word,
		.line = line,
		.family = family,
	};

	/* the agent looks by itself, many times a second */
	if (bpf_ringbuf_output(&lb_changes, &change, sizeof(change),
			       BPF_RB_NO_WAKEUP))
		flow_count_lost_change();
	return 0;
}

/* From one state to the other; to LB_FLOW_FREE: it has ended. */
static __always_inline void flow_tell_step(__u32 line, __u64 word, __u32 to,
					   const int family)
{
	const __u32 uses =
		lb_state_uses(lb_word_state(word)) | lb_state_uses(to);

	if ((uses & LB_USE_FLOWS) && flow_is_asked_for(LB_TELL_CHANGES))
		flow_tell_change(line, word, family);
}

#endif
