/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* What the two halves of the stress test agree about. */
#ifndef FLOW_STRESS_H
#define FLOW_STRESS_H

#define STRESS_SERVICES 4 /* ids from 1 */
#define STRESS_MEMBERS 2 /* the same */
#define STRESS_TCP 6
#define STRESS_UDP 17

enum stress_count {
	STRESS_HITS,
	STRESS_REPLIES,
	STRESS_NEW,
	STRESS_CHANGED,
	STRESS_RESTARTED,
	STRESS_PORT_TAKEN,
	STRESS_SECOND_COMER,
	STRESS_NO_ROOM,
	STRESS_BUSY,
	STRESS_RECYCLED,
	STRESS_TORN, /* must stay zero */
	STRESS_DOUBLED, /* the same */
	STRESS_COUNTS
};

#endif
