/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The one place where a frame's bounds are checked. Whatever is taken may be
 * read and written; what a header claims about lengths is another question.
 */
#ifndef LB_CURSOR_H
#define LB_CURSOR_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct cursor {
	void *pos;
	void *end;
};

static __always_inline struct cursor cursor_of(const struct xdp_md *ctx)
{
	struct cursor c = {
		.pos = (void *)(long)ctx->data,
		.end = (void *)(long)ctx->data_end,
	};

	return c;
}

/* The next `size` bytes (a constant); null: the frame ends before. */
static __always_inline void *cursor_take(struct cursor *c, const __u32 size)
{
	void *taken = c->pos;

	if (taken + size > c->end)
		return 0;
	c->pos = taken + size;
	/* or every caller would ask again, in every packet */
	__builtin_assume(taken != 0);
	return taken;
}

/* Bytes of the frame from here on. */
static __always_inline __u32 cursor_left(const struct cursor *c)
{
	return c->end - c->pos;
}

#endif
