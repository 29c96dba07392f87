/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Why packets leave, by name, and what becomes of them. Part of lb_abi.h. */
#ifndef LB_VERDICTS_H
#define LB_VERDICTS_H

/* every packet leaves with one of these; docs/verdicts.md explains them */
#define LB_VERDICTS(X)                                    \
	/* forwarded */                                   \
	X(ESTABLISHED, "established", SEND)               \
	X(NEW_FLOW, "new_flow", SEND)                     \
	X(ICMP_TRANSLATED, "icmp_translated", SEND)       \
	X(TOLD_EXPIRED, "told_expired", SEND)             \
	X(TOLD_TOO_BIG, "told_too_big", SEND)             \
	X(NEXTHOP_UNRESOLVED, "nexthop_unresolved", PASS) \
	X(NEEDS_FRAGMENTS, "needs_fragments", PASS)       \
	/* the kernel's */                                \
	X(NOT_IP, "not_ip", PASS)                         \
	X(VLAN, "vlan", PASS)                             \
	X(NOT_UNICAST, "not_unicast", PASS)               \
	X(TRUNCATED, "truncated", PASS)                   \
	X(MALFORMED, "malformed", PASS)                   \
	X(FRAGMENT, "fragment", PASS)                     \
	X(ICMP, "icmp", PASS)                             \
	X(ICMP_ERROR, "icmp_error", PASS)                 \
	X(OTHER_PROTOCOL, "other_protocol", PASS)         \
	X(EXTENSION_HEADER, "extension_header", PASS)     \
	X(NO_SERVICE, "no_service", PASS)                 \
	X(BAD_SOURCE, "bad_source", PASS)                 \
	X(NO_FLOW, "no_flow", PASS)                       \
	X(DISABLED, "service_disabled", PASS)             \
	X(NO_BACKEND, "no_backend", PASS)                 \
	X(L7, "l7", PASS)                                 \
	/* refused */                                     \
	X(SOURCE_ROUTE, "source_route", DROP)             \
	X(SOURCE_DENIED, "source_denied", DROP)           \
	X(BAD_FRAGMENT, "bad_fragment", DROP)             \
	X(FRAGMENT_HELD, "fragment_held", DROP)           \
	X(FRAGMENT_LOST, "fragment_lost", DROP)           \
	X(WRONG_SIDE, "wrong_side", DROP)                 \
	X(ICMP_ASTRAY, "icmp_astray", DROP)               \
	X(RATE_LIMITED, "rate_limited", DROP)             \
	X(CONNECTION_LIMIT, "connection_limit", DROP)     \
	X(MEMBER_REFUSED, "member_refused", DROP)         \
	X(NO_SNAT_PORT, "no_snat_port", DROP)             \
	X(TABLE_FULL, "table_full", DROP)                 \
	X(BUCKET_BUSY, "bucket_busy", DROP)               \
	X(RECYCLED, "recycled", DROP)                     \
	X(NO_ROUTE, "no_route", DROP)                     \
	X(NO_DEVICE, "no_device", DROP)                   \
	X(TTL_EXPIRED, "ttl_expired", DROP)               \
	X(TOO_BIG, "too_big", DROP)                       \
	X(INTERNAL, "internal", DROP)                     \
	X(NO_FLOW_YET, "no_flow_yet", DROP)

enum lb_verdict {
	LB_CONTINUE, /* not a verdict: go on */
#define LB_VERDICT_NAME(name, text, action) LB_##name,
	LB_VERDICTS(LB_VERDICT_NAME)
#undef LB_VERDICT_NAME
		LB_VERDICT_COUNT
};

#endif
