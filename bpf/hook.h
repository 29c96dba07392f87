/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Where the program is attached: how a frame is looked at, changed and sent
 * there. Everything else is one source for both hooks. What each has:
 *
 * hook_ifindex()    the interface that the frame came in by
 * hook_bytes()      of the whole frame; hook_left(): from a byte of it on, of
 *                   which so many can be looked at
 * hook_begin()      makes the headers fit to be looked at; or why the frame is
 *                   not ours
 * hook_largest()    bytes of the largest IP packet that the one of this length
 *                   and payload leaves as
 * hook_load(), hook_store()
 *                   anywhere in the frame; zero: done
 * hook_add_head(), hook_set_bytes()
 *                   room before its first byte; its length. Zero: done
 * hook_change_l4()  what the line makes of the checksum of L4, which is `at`
 *                   that byte; hook_change_rest(): if there is none, and
 *                   `delta` is what the change of L4 adds to a sum;
 *                   hook_finish(): once no pointer into the frame is needed any
 *                   more
 * hook_change_l3()  of a packet without L4; hook_add_to_sum(): what was changed
 *                   besides adds this to the sum of the whole packet
 * hook_is_partial() whether the sender has left the checksum of L4 to its
 *                   interface (CHECKSUM_PARTIAL); `at`: where two bytes are
 * hook_forget_sum() before a frame is sent that was changed in other ways
 * HOOK_BEFORE       the map of before.h
 * hook_send()       out of an interface; HOOK_DROP: it cannot be. `devices`:
 *                   lb_devs
 */
#ifndef LB_HOOK_H
#define LB_HOOK_H

#ifdef LB_HOOK_TC
#include "bpf/hook_tc.h"
#else
#include "bpf/hook_xdp.h"
#endif

#endif
