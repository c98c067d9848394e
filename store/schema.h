/* SPDX-License-Identifier: Apache-2.0 */
/* The numbered SQL files of schema/ and their application. Private. */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include <stddef.h>

#include <sqlite3.h>

#include "common/err.h"

/* One file: what it leads to, and how. */
struct schema_step {
	int version;
	const char *sql;
};

/* The version this program writes and reads. */
int schema_version(void);

/*
 * Brings db from user_version `from` to the newest of steps[], which are in
 * order; each step is one transaction. A file with content is copied to
 * PATH.vN.bak first. Errors: as db_err(); the steps before the one that
 * failed stay.
 */
int schema_apply(sqlite3 *db, const char *path, int from,
    const struct schema_step *steps, size_t count) MUST_CHECK;

/* The same with this program's own files. */
int schema_migrate(sqlite3 *db, const char *path, int from) MUST_CHECK;

#endif
