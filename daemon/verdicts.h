/* SPDX-License-Identifier: Apache-2.0 */
/* `--verdicts`: what the engine thought of each conversation, as JSON. */
#ifndef DAEMON_VERDICTS_H
#define DAEMON_VERDICTS_H

#include <stdio.h>

#include "exposure/engine.h"

/*
 * An engine_trace_fn: one verdict, or its end, to out, a FILE, as a line of
 * JSON. The caller looks at ferror(out) in the end.
 */
void verdicts_print(const struct engine_trace *t, void *out);

#endif
