/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * How many flows a second may begin, and what programs remember to know it.
 * Part of lb_abi.h.
 */
#ifndef LB_RATES_H
#define LB_RATES_H

/* flows a second; 0: any number */
struct lb_rates {
	__u32 listener; /* of all its clients, on all its addresses */
	__u32 client; /* of one: IPv4 /32, IPv6 /64 */
	__u32 network; /* of its neighbours, too: IPv4 /24, IPv6 /56 */
	__u32 bucket; /* id of a service: the listener's others have it, too */
};
LB_STATIC_ASSERT(sizeof(struct lb_rates) == 16, "lb_rates");

#define LB_MAX_RATE 1000000 /* flows a second */

/*
 * A bucket that fills by the rate and holds what fills it in a second, as the
 * time when it will be full: ns since the start of the system.
 * lb_rate_listeners: ARRAY, by lb_rates.bucket.
 */
struct lb_rate_bucket {
	__u64 full;
};

/* lb_rate_sources: LRU_HASH: clients and networks of listeners with a rate */
#define LB_MAX_RATE_SOURCES 32768

struct lb_rate_source {
	__u32 bucket; /* lb_rates.bucket */
	__u32 bits; /* of the prefix */
	struct lb_addr prefix;
};
LB_STATIC_ASSERT(sizeof(struct lb_rate_source) == 24, "lb_rate_source");

#endif
