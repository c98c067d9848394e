/* SPDX-License-Identifier: Apache-2.0 */
/* What every part of the store needs of SQLite. Private to store/. */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "common/addr.h"
#include "common/err.h"

/* SQLite's result code, extended or not, as ours. SQLITE_OK, _ROW and _DONE
 * are ERR_OK. */
int db_err(int rc);

/* Runs statements without results. Errors: as db_err() says. */
int db_exec(sqlite3 *db, const char *sql) MUST_CHECK;

/* The first column of the first row. ERR_NOTFOUND: no row. */
int db_int(sqlite3 *db, const char *sql, int64_t *out) MUST_CHECK;

/*
 * Binds values to a statement's parameters one after the other. Sticky: the
 * first error stays, so a caller looks once, when db_run() gives it.
 * Texts and octets are borrowed until the statement is bound again or run.
 */
struct db_binder {
	sqlite3_stmt *stmt;
	int index;
	int rc;
};

struct db_binder db_bind(sqlite3_stmt *stmt);
void db_bind_int(struct db_binder *b, int64_t value);
void db_bind_count(struct db_binder *b, uint64_t value); /* capped at 2^63-1 */
void db_bind_null(struct db_binder *b);
void db_bind_time(struct db_binder *b, int64_t ms); /* 0 is NULL */
void db_bind_id(struct db_binder *b, uint64_t id);  /* 0 is NULL */
void db_bind_text(struct db_binder *b, const char *text);
void db_bind_octets(struct db_binder *b, const void *octets, int length);
void db_bind_addr(struct db_binder *b, const struct addr *a); /* none: NULL */

/* "::", which is no host's address, stands for "none". */
bool db_addr_is_none(const struct addr *a);

/* Runs a statement that gives no rows, and resets it. */
int db_run(struct db_binder *b) MUST_CHECK;

/*
 * Reads a row's columns one after the other. Sticky: a value that its type
 * cannot hold sets failed and reads as 0.
 */
struct db_row {
	sqlite3_stmt *stmt;
	int index;
	bool failed;
};

struct db_row db_row(sqlite3_stmt *stmt);
/* The next column is NULL; does not move on. */
bool db_read_is_null(const struct db_row *r);
int64_t db_read_int(struct db_row *r); /* NULL is 0 */
uint64_t db_read_unsigned(struct db_row *r, uint64_t max);
struct addr db_read_addr(struct db_row *r); /* NULL is all zero */
void db_read_text(struct db_row *r, char *out, int size);

/* The value, below count, whose name it is. */
uint8_t db_read_word(struct db_row *r, const char *(*name)(unsigned value),
    unsigned count);

#endif
