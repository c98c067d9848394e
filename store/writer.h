/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer thread: takes one batch at a time through a mailbox of one
 * slot, commits it, and tries again for as long as the disk says no.
 * Ingest never waits for it.
 */
#ifndef STORE_WRITER_H
#define STORE_WRITER_H

#include <stdbool.h>

#include "store/store.h"

/* As top -H and bench/split.py show it; Linux keeps 15 octets. */
#define WRITER_THREAD_NAME "store writer"

struct writer;

/* s is borrowed and used by no one else until writer_stop(). NULL: no memory,
 * or no thread. owned: writer_stop(). */
struct writer *writer_start(struct store *s);

/*
 * Hands over a batch; it is borrowed until writer_idle() says true. False,
 * and nothing happened: the slot is taken.
 */
bool writer_submit(struct writer *w, const struct finding_batch *batch);

/* The last batch handed over is committed (or none ever was). */
bool writer_idle(const struct writer *w);

/* Waits until it is, at most timeout_ms. False: not yet. */
bool writer_wait(struct writer *w, int timeout_ms);

/* Commits fail and are being tried again: the daemon is degraded. */
bool writer_is_degraded(const struct writer *w);

/* Ends the thread; a batch not committed by then is given up: false. */
bool writer_stop(struct writer *w);

#endif
