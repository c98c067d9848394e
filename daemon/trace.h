/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `--trace`: what the engine thought of the records that touch an endpoint,
 * in blocks of lines. A block begins at the left with "record" or "time";
 * each line of it begins with two blanks and a word. docs/trace.md is the
 * format.
 */
#ifndef DAEMON_TRACE_H
#define DAEMON_TRACE_H

#include <stdio.h>

#include "daemon/trace_filter.h"

/* Tells who an exporter is; NULL: not known. */
typedef const struct finding_exporter *(
    *trace_exporter_fn)(void *arg, uint32_t exporter);

struct trace_printer {
	struct trace_filters filters;
	FILE *out;		    /* borrowed */
	trace_exporter_fn exporter; /* NULL: nobody is known */
	void *exporter_arg;
	uint64_t records;	   /* seen, of any endpoint */
	struct engine_trace block; /* the conversation it is about */
	bool in_block;
};

/* An engine_trace_fn; arg is the printer. What cannot be written shows in
 * ferror(out). */
void trace_print(const struct engine_trace *t, void *printer);

#endif
