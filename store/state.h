/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of struct store, shared by open, commit and restore. Private. */
#ifndef STORE_STATE_H
#define STORE_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/hash.h"
#include "store/db.h"
#include "store/store.h"

/* Exporter indexes of findings are below this; others are unknown. */
#define EXPORTER_INDEX_MAX 65536

/* The statements of a commit: commit.c. */
enum statement {
	STATEMENT_BEGIN,
	STATEMENT_COMMIT,
	STATEMENT_ROLLBACK,
	STATEMENT_META,
	STATEMENT_ADDR_FIND,
	STATEMENT_ADDR_ADD,
	STATEMENT_ENGINE,
	STATEMENT_NETWORKS_CLEAR,
	STATEMENT_NETWORK,
	STATEMENT_EXPORTER,
	STATEMENT_EXPORTER_HOUR,
	STATEMENT_TEMPLATE_CLEAR,
	STATEMENT_TEMPLATE,
	STATEMENT_FEED,
	STATEMENT_FEED_EVENT,
	STATEMENT_HOST,
	STATEMENT_HOST_NEW,
	STATEMENT_HOST_GUARD,
	STATEMENT_EXPOSURE,
	STATEMENT_EXPOSURE_NEW,
	STATEMENT_EXPOSURE_REFERENCES,
	STATEMENT_EXPOSURE_RETRACTED,
	STATEMENT_WITNESS,
	STATEMENT_WITNESS_GONE,
	STATEMENT_CHANGE,
	STATEMENT_CHANGE_GONE,
	STATEMENT_TRANS_DARKPORT,
	STATEMENT_TRANS_DARKPORT_RETRACTED,
	STATEMENT_SCAN_EVENT,
	STATEMENT_SCAN_EVENT_REPLACE,
	STATEMENT_SCAN_EVENT_RETRACTED,
	STATEMENT_OUTCOME,
	STATEMENT_COUNTER,
	STATEMENT_COUNT
};

/*
 * Row ids of addresses written or looked up lately: direct-mapped, so a new
 * address takes the place of the one that was there.
 */
#define ADDRESS_SLOTS 65536

struct address_slot {
	struct addr address;
	int64_t id; /* 0: empty */
};

/* From exporter indexes to row ids; 0: not known. */
struct exporter_map {
	int64_t rows[EXPORTER_INDEX_MAX];
};

/* Of t_template: 8 MiB of octets. */
#define TEMPLATE_ROWS_MAX 65536

/* How many rows t_template has, and whether the memory in work fits. */
struct template_room {
	int64_t rows;
	bool fits;
};

struct store {
	sqlite3 *db;
	struct counters *counters;
	char *path;
	int lock_fd;
	int wal_pages; /* after the last commit */
	_Atomic uint64_t sequence;
	sqlite3_stmt *statements[STATEMENT_COUNT];
	struct address_slot *addresses;
	struct hash_key key; /* of the slots */
	struct exporter_map exporters;
	struct exporter_map exporters_before; /* the batch in work */
	bool exporters_saved;
	bool networks_cleared; /* those of the last life are gone */
	bool networks_cleared_before;
	struct template_room templates;
	struct template_room templates_before;
};

/* commit.c: the statements and the cache, of an open and current file. */
int commit_prepare(struct store *s) MUST_CHECK;
void commit_release(struct store *s);

/* Takes all parts of t's memory out of the file. */
int commit_forget(struct store *s, const struct finding_template *t) MUST_CHECK;

/*
 * A sketch as octets: exact[], count (big-endian), registers. The same on
 * every machine.
 */
#define SKETCH_OCTETS (CLIENT_EXACT * 4 + 4 + CLIENT_REGISTERS)
void sketch_put(const struct client_sketch *sketch,
    uint8_t octets[SKETCH_OCTETS]);
void sketch_get(const uint8_t octets[SKETCH_OCTETS],
    struct client_sketch *sketch);

#endif
