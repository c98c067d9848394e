/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a replay found, for the one who started it: read back from the store,
 * so it tells what is really there. Lists are cut, with a count of the rest.
 */
#ifndef DAEMON_SUMMARY_H
#define DAEMON_SUMMARY_H

#include <stdio.h>

#include "common/counter.h"
#include "common/err.h"

/* Errors: ERR_IO, ERR_NOMEM; what was printed before stays. */
int summary_print(const char *store, const struct counters *counters,
    FILE *out) MUST_CHECK;

#endif
