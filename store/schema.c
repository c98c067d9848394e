/* SPDX-License-Identifier: Apache-2.0 */
/* Migration: a numbered file is one transaction. */
#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "common/log.h"
#include "store/db.h"
#include "store/schema.h"
#include "store/store.h"

#include "schema_sql.h"

#define FILE_COUNT (sizeof(schema_files) / sizeof(schema_files[0]))

int
schema_version(void)
{
	return schema_files[FILE_COUNT - 1].version;
}

/* A copy beside the file, whole or not there: made aside, then renamed. */
static int
copy_aside(sqlite3 *db, const char *path, int from)
{
	char copy[PATH_MAX], part[PATH_MAX + 8];
	sqlite3_stmt *stmt;
	struct db_binder b;
	int rc, err;

	if (snprintf(copy, sizeof(copy), "%s.v%d.bak", path, from) >=
	    (int)sizeof(copy))
		return ERR_IO;
	snprintf(part, sizeof(part), "%s.part", copy);
	if (unlink(part) != 0 && access(part, F_OK) == 0)
		return ERR_IO;
	rc = sqlite3_prepare_v2(db, "VACUUM INTO ?", -1, &stmt, NULL);
	if (rc != SQLITE_OK)
		return db_err(rc);
	b = db_bind(stmt);
	db_bind_text(&b, part);
	err = db_run(&b);
	sqlite3_finalize(stmt);
	if (err == ERR_OK && rename(part, copy) != 0)
		err = ERR_IO;
	if (err == ERR_OK)
		log_info("store", "%s: schema %d kept as %s", path, from, copy);
	return err;
}

static int
apply_in_transaction(sqlite3 *db, const struct schema_step *step)
{
	char sql[256];
	int err = db_exec(db, step->sql);

	if (err != ERR_OK)
		return err;
	snprintf(sql, sizeof(sql),
	    "INSERT INTO t_migration VALUES (%d, 'darkportd %s');"
	    "PRAGMA application_id = %d; PRAGMA user_version = %d;",
	    step->version, DARKPORT_VERSION, STORE_APPLICATION_ID,
	    step->version);
	return db_exec(db, sql);
}

static int
apply_step(sqlite3 *db, const struct schema_step *step)
{
	int err = db_exec(db, "BEGIN IMMEDIATE");

	if (err != ERR_OK)
		return err;
	err = apply_in_transaction(db, step);
	if (err == ERR_OK)
		err = db_exec(db, "COMMIT");
	if (err != ERR_OK && sqlite3_get_autocommit(db) == 0)
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return err;
}

int
schema_apply(sqlite3 *db, const char *path, int from,
    const struct schema_step *steps, size_t count)
{
	int err = ERR_OK;

	assert(count > 0);
	if (from > 0 && from < steps[count - 1].version)
		err = copy_aside(db, path, from);
	for (size_t i = 0; i < count && err == ERR_OK; i++) {
		if (steps[i].version <= from)
			continue;
		err = apply_step(db, &steps[i]);
		if (err == ERR_OK)
			log_info("store", "%s: schema is now version %d", path,
			    steps[i].version);
	}
	return err;
}

int
schema_migrate(sqlite3 *db, const char *path, int from)
{
	struct schema_step steps[FILE_COUNT];

	for (size_t i = 0; i < FILE_COUNT; i++)
		steps[i] = (struct schema_step){ schema_files[i].version,
			schema_files[i].sql };
	return schema_apply(db, path, from, steps, FILE_COUNT);
}
