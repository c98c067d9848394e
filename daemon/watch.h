/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the log says about exporters: several behind one address, templates
 * redefined, sampling, restarts, loss. Strangers can provoke each of these,
 * so after the first WATCH_LINES lines of a kind there is one a minute.
 */
#ifndef DAEMON_WATCH_H
#define DAEMON_WATCH_H

#include <stdint.h>

#include "daemon/decoders.h"

#define WATCH_LINES	 64
#define WATCH_INTERVAL_S 60
#define WATCH_LOSS_SHARE 0.01 /* more than this is worth a line */

struct watch;

/* owned: watch_free(). d is borrowed for its life. NULL: no memory. */
struct watch *watch_new(struct decoders *d);
void watch_free(struct watch *w); /* takes NULL */

/* What watch_new() allocates for so many threads, in octets. */
size_t watch_bytes(uint32_t threads);

/* Compares with what it saw last. Call it once a second. Returns how many
 * lines it logged. */
uint32_t watch_tick(struct watch *w, int64_t now_ms);

#endif
