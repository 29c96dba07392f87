/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The SYN that began a connection, kept beside its place in the ring of
 * half-open flows: for as long as it is half-open.
 */
#ifndef LB_SYN_H
#define LB_SYN_H

#include "bpf/cursor.h"
#include "bpf/flow_change.h"
#include "bpf/offload.h"
#include "bpf/request.h"

#define LEAST_TCP_HEADER 20

static __always_inline struct lb_syn *syn_slot(__u64 word, const int family)
{
	__u32 index = lb_word_position(word);

	if (family == LB_IPV6)
		index += lb_lines / LB_HALF_SHARE;
	return bpf_map_lookup_elem(&lb_syns, &index);
}

/* Of the flow of this forward line; null: none was kept. */
static __always_inline struct lb_syn *kept_syn(__u32 line, __u64 word,
					       const int family)
{
	struct lb_syn *syn = syn_slot(word, family);

	return syn && syn->length && syn->line == line &&
			       syn->generation == word >> 32
		       ? syn
		       : 0;
}

/*
 * The sender has left the checksum to its interface: the SYN gets the one that
 * it would have had there.
 */
static __always_inline void complete_syn(struct lb_syn *syn, __u32 length,
					 const struct lb_flow *forward,
					 const int family)
{
	struct tcphdr *tcp = (struct tcphdr *)syn->header;

	if (tcp->check == checksum_fold(pseudo_sum(forward, length, family)))
		tcp->check = ~checksum_fold(
			checksum_of(syn->header, length, LB_SYN_BYTES));
}

/* Of the request's flow, which has just been made. */
static __always_inline void keep_syn(hook_ctx *ctx, const struct request *r,
				     const int family)
{
	const struct lb_flow *forward = flow_line(r->line, family);
	__u32 length = r->syn_length;
	struct lb_syn *syn;
	__u64 word;

	if (!forward || !is_within(&length, LEAST_TCP_HEADER, LB_SYN_BYTES))
		return;
	word = LB_READ(forward->word);
	syn = syn_slot(word, family);
	if (!syn)
		return;
	syn->length = 0;
	if (hook_load(ctx, r->syn_at, syn->header, length))
		return;
	if (HOOK_MENDS_CHECKSUMS)
		complete_syn(syn, length, forward, family);
	syn->line = r->line;
	syn->generation = word >> 32;
	syn->tries = r->tries;
	syn->length = length;
}

#endif
