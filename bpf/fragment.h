/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Fragments. They are the kernel's, the first one too: only it has ports, and
 * one that went another way than the rest would never be put together.
 */
#ifndef LB_FRAGMENT_H
#define LB_FRAGMENT_H

#include "bpf/lb_abi.h"

#define IPV4_MORE_FRAGMENTS 0x2000
#define IPV4_FRAGMENT_AT 0x1fff
#define IPV4_DONT_FRAGMENT 0x4000

static __always_inline enum lb_verdict take_fragment(void)
{
	return LB_FRAGMENT;
}

#endif
