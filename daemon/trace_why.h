/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a verdict knew besides the two halves, and what it would have been
 * without one thing of it: the lines `given` and `else` of the trace.
 */
#ifndef DAEMON_TRACE_WHY_H
#define DAEMON_TRACE_WHY_H

#include <stdbool.h>
#include <stdio.h>

#include "exposure/verdict.h"

/* The facts of `given`, in their order; static. NULL: no more. */
const char *trace_fact(unsigned which);

/* One line of the facts that hold; none when none does. */
void trace_print_given(const struct verdict_input *in, FILE *out);

/* A line for each thing without which the verdict were another than now.
 * in_the_end: what the feed is taken for if nothing more comes. */
void trace_print_else(const struct verdict_input *in,
    const struct feed_profile *in_the_end, const struct verdict *now,
    FILE *out);

bool trace_is_same(const struct verdict *a, const struct verdict *b);

#endif
