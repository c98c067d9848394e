/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of struct query, shared by the questions. Private to store/. */
#ifndef STORE_READER_H
#define STORE_READER_H

#include <stdint.h>

#include "store/db.h"
#include "store/query.h"

#define QUERY_DEADLINE_MS 5000

struct query {
	sqlite3 *db;
	int64_t deadline_ms;   /* a question may take so long */
	int64_t give_up_at_ms; /* of the question in work; steady clock */
};

/* Starts the clock of a question, and compiles it. *out is owned. */
int reader_begin(struct query *q, const char *sql,
    sqlite3_stmt **out) MUST_CHECK;

/* Bind by name; a name the statement lacks is no error. */
void reader_bind_int(sqlite3_stmt *stmt, const char *name, int64_t value);
void reader_bind_text(sqlite3_stmt *stmt, const char *name, const char *text);
void reader_bind_addr(sqlite3_stmt *stmt, const char *name,
    const struct addr *a);

/*
 * Steps a question of one row whose first column is JSON, gives it to fn,
 * and finalizes. ERR_NOTFOUND: no row.
 */
int reader_one(sqlite3_stmt *stmt, query_row_fn fn, void *arg) MUST_CHECK;

#endif
