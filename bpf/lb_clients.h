/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * lb_clients, ARRAY, mapped: which member clients had, of services with session
 * persistence. Part of lb_abi.h.
 */
#ifndef LB_CLIENTS_ABI_H
#define LB_CLIENTS_ABI_H

#define LB_CLIENT_BUCKETS 8192
#define LB_CLIENT_WAYS 16 /* clients in a bucket */

/*
 * A client of a service with LB_SERVICE_PERSISTENT, and the member it had.
 * Whoever changes `who` from FREE, or from another client, to BUSY has the
 * place until it writes its own client there.
 */
struct lb_client {
	__u64 who; /* lb_client_who(): in its low bits the service */
	__u64 has; /* lb_client_has(): a backend, and since when */
};
LB_STATIC_ASSERT(sizeof(struct lb_client) == 16, "lb_client");

#define LB_CLIENT_FREE 0ull
#define LB_CLIENT_BUSY (1ull << 63) /* a program run fills it */
#define LB_CLIENT_SERVICE (LB_MAX_SERVICES - 1)

struct lb_client_bucket {
	struct lb_client clients[LB_CLIENT_WAYS];
};
LB_STATIC_ASSERT(sizeof(struct lb_client_bucket) == 256, "lb_client_bucket");

#endif
