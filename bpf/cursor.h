/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The one place where a frame's bounds are checked. Whatever is taken may be
 * read and written; what a header claims about lengths is another question.
 */
#ifndef LB_CURSOR_H
#define LB_CURSOR_H

#include "bpf/hook.h"

struct cursor {
	void *pos;
	void *end;
};

static __always_inline struct cursor cursor_of(const hook_ctx *ctx)
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

/* Headers are looked at no deeper in the frame than here. */
#define CURSOR_DEEPEST 2047

/* At this byte of the frame. The verifier is told the bound in plain words. */
static __always_inline struct cursor cursor_at(const hook_ctx *ctx, __u32 at)
{
	struct cursor c = cursor_of(ctx);

	asm volatile("" : "+r"(at));
	c.pos += at & CURSOR_DEEPEST;
	/* else the compiler may check one copy of the sum and use another */
	asm volatile("" : "+r"(c.pos));
	return c;
}

/*
 * Is it a size that a helper takes? The bounds are constants; afterwards it is
 * a sum, because 6.1 learns from no comparison that a number is not 0.
 */
static __always_inline int is_within(__u32 *size, const __u32 least,
				     const __u32 most)
{
	__u32 over = *size - least;

	asm volatile("" : "+r"(over));
	if (over > most - least)
		return 0;
	asm volatile("" : "+r"(over));
	*size = over + least;
	return 1;
}

/* Bytes of the frame from here on. */
static __always_inline __u32 cursor_left(const hook_ctx *ctx,
					 const struct cursor *c)
{
	return hook_left(ctx, c->pos, c->end);
}

#endif
