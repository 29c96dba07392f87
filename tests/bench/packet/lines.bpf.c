// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/* The project's program as it is. */
#include "tests/bench/packet/wrappers.h"
