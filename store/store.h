/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store: findings to SQLite, and back at the next start. One writer.
 *
 * The maps in memory are authoritative; the store holds the absolute values
 * of the last committed batch. A batch is one transaction, so a killed
 * process loses at most what was not yet committed, and a batch may be
 * written again. Readers (query.h, or anyone with sqlite3) see whole batches.
 * A store is for one thread at a time.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/counter.h"
#include "common/err.h"
#include "exposure/finding.h"

#define STORE_APPLICATION_ID 0x44504b54 /* "DPKT": file(1) shows it */
#define STORE_MESSAGE_MAX    512

/* In a restored finding: the store does not know which exporter it was. */
#define STORE_EXPORTER_NONE UINT32_MAX

struct store;

/*
 * Opens the file, creating it when it is absent, and migrates an older
 * schema in one transaction (after a copy beside it, NAME.vN.bak).
 * Errors, each with a sentence for the user in message:
 *   ERR_IO       cannot be opened, created, read or written
 *   ERR_FORMAT   no SQLite file, or another program's
 *   ERR_VERSION  of a newer schema
 *   ERR_BUSY     another darkportd writes it
 * In all of them the file is left as it was.
 * owned: close with store_close(). counters is borrowed for its life.
 */
int store_open(const char *path, struct counters *counters, struct store **out,
    char message[STORE_MESSAGE_MAX]) MUST_CHECK;

/*
 * How much of a file is kept in memory; else SQLite's 2 MiB. A batch of
 * 50,000 events changes some 20 MiB of pages, most of them at random places
 * of the indexes; what does not fit is written several times in one commit
 * (tests/bench_store.c).
 * All of it is taken now, and touched, so that what the process takes does not
 * grow with what comes. For all stores of the process, which opens none yet;
 * once. Errors: ERR_NOMEM; ERR_BUSY (SQLite is in use already).
 */
int store_take_cache(uint64_t octets) MUST_CHECK;

/* What store_open() allocates, in octets, SQLite's aside. */
size_t store_bytes(void);

/* Checkpoints, marks the stop clean, closes. Takes NULL. */
void store_close(struct store *s);

/*
 * Gets each finding of the last committed state; a negative stops, but for
 * ERR_NOTFOUND of a FINDING_TEMPLATE: the store forgets all its parts.
 */
typedef int (*store_restore_fn)(const struct finding *f, void *arg);

/*
 * Gives back FINDING_FEED, FINDING_ENGINE, FINDING_HOST, FINDING_EXPOSURE (open
 * and stale ones), FINDING_OUTCOME of the last two hours, and
 * FINDING_WITNESS, FINDING_CHANGE and FINDING_TRANS_DARKPORT of those
 * exposures, in the order exporters, their latest hour, templates (of who sent
 * last first), feeds, engine, hosts, exposures, witnesses, changes,
 * trans-darkports, outcomes. Exporter indexes in them are 0 to n-1 as
 * FINDING_EXPORTER names them, or STORE_EXPORTER_NONE. From then on batches
 * that say these indexes mean these exporters, until a FINDING_EXPORTER of a
 * later batch gives the index to another.
 * Before: no batch has been written yet.
 * Errors: what fn gave; ERR_FORMAT (a value this program does not know),
 * ERR_IO, ERR_BUSY.
 */
int store_restore(struct store *s, store_restore_fn fn, void *arg) MUST_CHECK;

/*
 * One batch, one transaction, on the calling thread.
 * Errors: ERR_BUSY (locked by another: try the same batch again), ERR_IO
 * (disk full, I/O error: likewise), ERR_FORMAT (corrupt). Nothing of the
 * batch is in the store then; message says why.
 */
int store_write(struct store *s, const struct finding_batch *batch,
    char message[STORE_MESSAGE_MAX]) MUST_CHECK;

/* Moves the log into the file when it has grown; called after commits. */
void store_checkpoint(struct store *s, bool all);

/* The sequence of the last batch committed. */
uint64_t store_sequence(const struct store *s);

#endif
