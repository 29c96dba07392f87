// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/* The same program on a kernel HASH. */
#include "tests/bench/packet/hash_table.h"
#include "tests/bench/packet/wrappers.h"
