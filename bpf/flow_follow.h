/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The life of a flow: what its packets say about it, by their flags and their
 * numbers, by who sends, and how often.
 */
#ifndef LB_FLOW_FOLLOW_H
#define LB_FLOW_FOLLOW_H

#include "bpf/flow_state.h"

static __always_inline int flow_mark_answered(const struct flow_hit *hit)
{
	return __sync_val_compare_and_swap(
		       &hit->line->word, hit->word,
		       lb_word_with_state(hit->word, LB_FLOW_REPLY_SEEN)) ==
	       hit->word;
}

/* ---- UDP ------------------------------------------------------------------
 */

/* So many datagrams of a client that nobody answers are a one-way flow. */
#define FLOW_ONE_WAY 3

/*
 * An answer is marked, and the client's next datagram opens: one that was
 * forged gets answers, but no client that goes on. So does the client alone,
 * if it goes on often enough: syslog is never answered.
 */
static __always_inline __u32 flow_datagram(const struct flow_hit *hit,
					   const int family)
{
	switch (lb_word_state(hit->word)) {
	case LB_FLOW_REPLY:
		if (flow_line(LB_READ(hit->line->peer), family))
			flow_mark_answered(hit);
		return 0;
	case LB_FLOW_HALF_OPEN:
		if (LB_READ(hit->line->packets) >= FLOW_ONE_WAY)
			return FLOW_ANSWERED;
	}
	return 0;
}

/* ---- TCP's numbers ------------------------------------------------------ */

static __always_inline __u32 flow_end_of(__u32 what, __u32 seq)
{
	return seq + (what >> 16) + !!(what & FLOW_SYN) + !!(what & FLOW_FIN);
}

/*
 * A SYN of the client, as long as the member has not answered: the count goes
 * where the member's next number will be. Whoever marks the answer writes that
 * only afterwards, so a count that is there while the line is unmarked is one.
 */
static __always_inline void flow_count_syn(struct lb_flow *forward, __u32 end,
					   const int family)
{
	struct lb_flow *reply = flow_line(LB_READ(forward->peer), family);
	__u32 syns;

	LB_WRITE(forward->next, end);
	if (!reply)
		return;
	syns = LB_READ(reply->next);
	flow_order_loads();
	if (lb_word_state(LB_READ(reply->word)) == LB_FLOW_REPLY &&
	    (syns & LB_SYNS) < LB_SYNS)
		__sync_val_compare_and_swap(&reply->next, syns, syns + 1);
}

/* Of a line that nobody has answered on: does it speak of the client's SYN? */
static __always_inline int flow_answers_syn(const struct flow_hit *hit,
					    __u32 ack, const int family)
{
	const struct lb_flow *forward =
		flow_line(LB_READ(hit->line->peer), family);

	return forward && flow_is_near(forward, ack);
}

/*
 * So far a direction of another node's flow may have come since its numbers
 * were told. A guess of both of a packet's numbers hits as rarely as one of a
 * number near, one time in 16,384.
 */
#define FLOW_TOLD_AHEAD (1u << 25)

static __always_inline int flow_was_told(__u32 next, __u32 number)
{
	return number - next + FLOW_NEAR <= FLOW_TOLD_AHEAD;
}

/*
 * A flow of another node has gone on since its numbers were told: the first
 * packet here that is far from them, but not too far, says where both
 * directions are. Where the other one is, too: so its line has to be this
 * flow's still when that is written.
 */
static __always_inline int flow_arrives(const struct flow_hit *hit,
					struct lb_flow *other, __u32 seq,
					__u32 ack)
{
	struct lb_flow *reply =
		lb_word_is_forward(hit->word) ? other : hit->line;
	const __u32 known = LB_READ(other->next);
	union way_word old, now;

	old.word = LB_READ(*lb_way_of(reply));
	if (__builtin_expect(!(old.as.nexthop & LB_LINE_FOREIGN), 1) ||
	    !flow_was_told(LB_READ(hit->line->next), seq) ||
	    !flow_was_told(known, ack))
		return 0;
	now = old;
	now.as.nexthop &= ~LB_LINE_FOREIGN;
	if (!flow_is_still(hit) ||
	    __sync_val_compare_and_swap(lb_way_of(reply), old.word, now.word) !=
		    old.word)
		return 0;
	LB_WRITE(hit->line->next, seq);
	__sync_val_compare_and_swap(&other->next, known, ack);
	return 1;
}

/*
 * More was lost before us than is near: this direction goes on far ahead. It
 * counts if the packet acknowledges what the other direction has lately sent:
 * who guesses has to guess that, as he would have to guess a number near here.
 */
static __always_inline int flow_jump(__u32 index, __u64 word, __u32 seq,
				     __u32 ack, const int family)
{
	const struct flow_hit hit = {flow_line(index, family), word, index};
	struct lb_flow *other;

	if (!hit.line || lb_word_state(word) == LB_FLOW_REPLY)
		return 0;
	other = flow_line(LB_READ(hit.line->peer), family);
	if (!other || lb_word_state(LB_READ(other->word)) == LB_FLOW_REPLY)
		return 0;
	if (flow_arrives(&hit, other, seq, ack))
		return 1;
	if ((__s32)(seq - LB_READ(hit.line->next)) < 0 ||
	    !flow_is_near(other, ack) || !flow_is_still(&hit))
		return 0;
	LB_WRITE(hit.line->next, seq);
	return 1;
}

__noinline int flow_jump4(__u32 index, __u64 word, __u32 seq, __u32 ack)
{
	return flow_jump(index, word, seq, ack, LB_IPV4);
}

__noinline int flow_jump6(__u32 index, __u64 word, __u32 seq, __u32 ack)
{
	return flow_jump(index, word, seq, ack, LB_IPV6);
}

/* Of a packet that has an acknowledgement. */
static __always_inline int flow_jumps(const struct flow_hit *hit, __u32 seq,
				      __u32 ack, const int family)
{
	return family == LB_IPV6 ? flow_jump6(hit->index, hit->word, seq, ack)
				 : flow_jump4(hit->index, hit->word, seq, ack);
}

/*
 * Are the numbers those of the connection? If so they count, and what follows
 * from SYN and SYN-ACK is noted.
 */
static __always_inline int flow_fits(const struct flow_hit *hit, __u32 what,
				     __u32 seq, __u32 ack, const int family)
{
	const __u32 end = flow_end_of(what, seq);
	const __u32 syn_ack = FLOW_SYN | FLOW_ACK;

	switch (lb_word_state(hit->word)) {
	case LB_FLOW_HALF_OPEN:
		if ((what & syn_ack) == FLOW_SYN) {
			flow_count_syn(hit->line, end, family);
			return 1;
		}
		break;
	case LB_FLOW_REPLY:
		if (!flow_answers_syn(hit, ack, family))
			return 0;
		if ((what & syn_ack) == syn_ack && flow_mark_answered(hit)) {
			LB_WRITE(hit->line->next, end);
			LB_WRITE(hit->line->bytes, what >> 16);
		}
		return 1;
	}
	if (!flow_is_near(hit->line, seq) &&
	    ((what & (FLOW_SYN | FLOW_RST | FLOW_ACK)) != FLOW_ACK ||
	     !flow_jumps(hit, seq, ack, family)))
		return 0;
	if (!(what & (FLOW_SYN | FLOW_RST)))
		flow_advance(hit->line, end);
	return 1;
}

/* ---- SCTP's tags -------------------------------------------------------- */

/*
 * A line's `next` is the tag that its side has chosen. The other side's packets
 * have it; what answers a packet that belongs to nothing reflects it.
 */
static __always_inline int flow_is_tag(const struct lb_flow *line, __u32 tag)
{
	const __u32 known = LB_READ(line->next);

	return !known || known == tag;
}

/* Not if the line is another flow's by now. */
static __always_inline void flow_learn_tag(const struct flow_hit *hit,
					   struct lb_flow *other, __u32 tag)
{
	const __u32 known = LB_READ(other->next);

	if (flow_is_still(hit))
		__sync_val_compare_and_swap(&other->next, known, tag);
}

/*
 * Of several INIT ACKs the client has taken the one that its COOKIE ECHO speaks
 * of. When a client has begun anew on its addresses and ports only the member
 * knows that it is one, by the cookie: its COOKIE ACK has the new tag then, and
 * its own one is not known.
 */
static __always_inline int flow_takes_cookie(const struct flow_hit *hit,
					     struct lb_flow *other, __u32 what,
					     __u32 tag)
{
	if (!(what & FLOW_COOKIE) || !tag)
		return 0;
	if (!lb_word_is_forward(hit->word))
		LB_WRITE(hit->line->next, 0);
	else if (lb_word_state(hit->word) != LB_FLOW_HALF_OPEN)
		return 0;
	flow_learn_tag(hit, other, tag);
	return 1;
}

/*
 * Are the tags those of the association? As flow_fits() does for TCP. INIT has
 * none, and changes nothing where there is an association.
 */
static __always_inline int flow_fits_tags(const struct flow_hit *hit,
					  __u32 what, __u32 initiate, __u32 tag,
					  const int family)
{
	struct lb_flow *other = flow_line(LB_READ(hit->line->peer), family);
	const __u32 init_ack = FLOW_SYN | FLOW_ACK;

	if (!other)
		return 0;
	switch (lb_word_state(hit->word)) {
	case LB_FLOW_HALF_OPEN:
		if ((what & init_ack) == FLOW_SYN) {
			flow_count_syn(hit->line, initiate, family);
			return 1;
		}
		if (lb_word_state(LB_READ(other->word)) == LB_FLOW_REPLY)
			return 0;
		break;
	case LB_FLOW_REPLY:
		if (tag != LB_READ(other->next))
			return 0;
		if ((what & init_ack) == init_ack && flow_mark_answered(hit)) {
			LB_WRITE(hit->line->next, initiate);
			LB_WRITE(hit->line->bytes, what >> 16);
		}
		return 1;
	}
	return flow_is_tag(what & FLOW_REFLECTED ? hit->line : other, tag) ||
	       flow_takes_cookie(hit, other, what, tag);
}

/* ---- refusals ----------------------------------------------------------- */

/*
 * The member does not want the connection. If there are others that may be
 * tried the client is not told: its next SYN goes to one of them.
 */
static __always_inline int flow_swallow(const struct flow_hit *hit)
{
	const __u32 next = LB_READ(hit->line->next);

	flow_order_loads();
	return (next >> LB_OTHERS_SHIFT & LB_OTHERS) &&
	       LB_READ(hit->line->word) == hit->word &&
	       __sync_val_compare_and_swap(&hit->line->next, next,
					   next | LB_REFUSED) == next;
}

/* The same, of somebody who quotes the SYN that he refuses. */
static __always_inline int flow_refuse(const struct flow_hit *hit, __u32 seq,
				       const int family)
{
	return flow_answers_syn(hit, seq, family) && flow_swallow(hit);
}

/*
 * The answer is marked on the reply line, by its own direction: SYN-ACK, INIT
 * ACK, or the first datagram. The client's next packet opens.
 */
static __always_inline int flow_follow(__u32 index, __u64 word, __u32 what,
				       __u32 seq, __u32 ack, const int family)
{
	struct flow_hit hit = {flow_line(index, family), word, index};
	const int unmarked = lb_word_state(word) == LB_FLOW_REPLY;
	__u32 flags = what & 0xffff;
	int fits;

	if (!hit.line)
		return FLOW_UNCHANGED;
	if (!lb_word_is_forward(word))
		flags |= FLOW_FROM_MEMBER;
	if (flags & FLOW_DATAGRAM) {
		flags |= flow_datagram(&hit, family);
	} else {
		fits = flags & FLOW_SCTP
			       ? flow_fits_tags(&hit, what, seq, ack, family)
			       : flow_fits(&hit, what, seq, ack, family);
		if (!fits)
			flags |= FLOW_ASTRAY;
		else if (unmarked && (flags & FLOW_RST) && flow_swallow(&hit))
			return FLOW_SWALLOWED;
	}
	return flow_change(&hit, flags, family);
}

/*
 * So far behind a direction's next byte a packet may be that somebody still
 * sends an error for: as much as is under way at most. Who gets the error knows
 * what he has sent, and looks closer.
 */
#define FLOW_IN_FLIGHT (1u << 26)

/* Has the direction opposite to this line's lately sent this number? */
static __always_inline int flow_is_in_flight(const struct flow_hit *hit,
					     __u32 seq, const int family)
{
	const struct lb_flow *other =
		flow_line(LB_READ(hit->line->peer), family);
	__u32 next;

	if (!other)
		return 0;
	next = LB_READ(other->next);
	flow_order_loads();
	/* else it is no number */
	return lb_word_state(LB_READ(other->word)) != LB_FLOW_REPLY &&
	       next + FLOW_NEAR - seq <= FLOW_IN_FLIGHT + FLOW_NEAR;
}

/* ---- instances --------------------------------------------------------- */

__noinline int flow_follow4(__u32 index, __u64 word, __u32 what, __u32 seq,
			    __u32 ack)
{
	return flow_follow(index, word, what, seq, ack, LB_IPV4);
}

__noinline int flow_follow6(__u32 index, __u64 word, __u32 what, __u32 seq,
			    __u32 ack)
{
	return flow_follow(index, word, what, seq, ack, LB_IPV6);
}

#endif
