/* SPDX-License-Identifier: Apache-2.0 */
/* The schema: its files, its migration, and what schema/README.md says. */
#include "tests/store_fixture.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "store/schema.h"

#define README	  "schema/README.md"
#define VERSION_1 "schema/001-init.sql"

static char *
read_text(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *text;
	long size;

	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	size = ftell(file);
	assert_true(size > 0);
	rewind(file);
	text = malloc((size_t)size + 1);
	assert_non_null(text);
	assert_int_equal(fread(text, 1, (size_t)size, file), (size_t)size);
	text[size] = '\0';
	fclose(file);
	return text;
}

static sqlite3 *
open_plain(const char *path)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	return db;
}

static sqlite3_stmt *
prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	return stmt;
}

/* --- the README ----------------------------------------------------------- */

/* Whether the section of a table or view has a row for the column. */
static bool
section_names(const char *readme, const char *object, const char *column)
{
	char heading[128], row[128];
	const char *start, *end, *found;

	snprintf(heading, sizeof(heading), "\n### %s\n", object);
	snprintf(row, sizeof(row), "\n| `%s` | ", column);
	start = strstr(readme, heading);
	if (start == NULL)
		return false;
	start += strlen(heading);
	end = strstr(start, "\n##");
	found = strstr(start, row);
	return found != NULL && (end == NULL || found < end);
}

static void
the_readme_names_every_column(void **state)
{
	struct fixture *x = *state;
	char *readme = read_text(README);
	sqlite3_stmt *stmt;
	sqlite3 *db;
	int columns = 0;

	fixture_open(x);
	db = open_plain(x->path);
	stmt = prepare(db,
	    "SELECT s.name, c.name FROM sqlite_schema s,"
	    " pragma_table_info(s.name) c WHERE s.type IN ('table', 'view')"
	    " AND s.name NOT LIKE 'sqlite_%'");
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		const char *object = (const char *)sqlite3_column_text(stmt, 0);
		const char *column = (const char *)sqlite3_column_text(stmt, 1);

		if (!section_names(readme, object, column))
			fail_msg(README " does not tell %s.%s", object, column);
		columns++;
	}
	assert_true(columns > 150);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	free(readme);
}

/* And names none that is not there. */
static void
the_readme_names_no_other_column(void **state)
{
	struct fixture *x = *state;
	char *readme = read_text(README);
	char object[64] = "", column[64];
	char *line, *rest = readme;
	sqlite3 *db;

	fixture_open(x);
	db = open_plain(x->path);
	while ((line = strsep(&rest, "\n")) != NULL) {
		char sql[256];

		if (sscanf(line, "### %63s", object) == 1 ||
		    sscanf(line, "| `%63[^`]`", column) != 1)
			continue;
		snprintf(sql, sizeof(sql), "SELECT \"%s\".\"%s\" FROM \"%s\"",
		    object, column, object);
		sqlite3_finalize(prepare(db, sql));
	}
	sqlite3_close(db);
	free(readme);
}

static void
every_query_of_the_readme_finds_rows(void **state)
{
	struct fixture *x = *state;
	char *readme = read_text(README);
	char *at = readme;
	sqlite3 *db;
	int queries = 0;

	fixture_open(x);
	fixture_write(x, fixture_world(1));
	db = open_plain(x->path);
	while ((at = strstr(at, "```sql\n")) != NULL) {
		char *end = strstr(at + 7, "```");
		sqlite3_stmt *stmt;

		assert_non_null(end);
		*end = '\0';
		stmt = prepare(db, at + 7);
		if (sqlite3_step(stmt) != SQLITE_ROW)
			fail_msg("no rows: %s", at + 7);
		sqlite3_finalize(stmt);
		at = end + 1;
		queries++;
	}
	assert_true(queries >= 10);
	sqlite3_close(db);
	free(readme);
}

/* --- the promise ---------------------------------------------------------- */

static void
views_have_the_promised_columns(void **state)
{
	static const char *const promises[] = {
		"SELECT host, proto, port, state, tier, verdict, first_seen,"
		" last_seen, accepted, clients, rule, confidence,"
		" first_client, exporter, first_seen_iso, last_seen_iso"
		" FROM exposures",
		"SELECT host, proto, port, state FROM nem",
		"SELECT id, host, proto, port, opened_at, first_client,"
		" first_client_had_probed, state, opened_at_iso"
		" FROM trans_darkports",
		"SELECT id, ts, src, dst, proto, port, technique, answer,"
		" place, phase, exporter, ts_iso FROM scan_events",
		"SELECT host, label, first_seen, last_seen, exposed,"
		" first_seen_iso, last_seen_iso FROM hosts",
		"SELECT address, domain, protocol, first_seen, last_seen,"
		" datagrams, records, lost, templates, first_seen_iso,"
		" last_seen_iso FROM exporters",
		"SELECT name, share_lost, kernel_drops, unknown_template_sets,"
		" templates_changed, sampling, clock_offset_ms,"
		" active_timeout, idle_timeout, restarts, duplicates,"
		" reordered, shared_address, refused FROM exporters",
		"SELECT address, domain, protocol, hour, datagrams, records,"
		" lost, share_lost, hour_iso FROM exporter_hours",
		"SELECT hour, outcome, rule, attempts, hour_iso"
		" FROM attempt_outcomes",
		"SELECT listener FROM exposures WHERE listener <> ''",
		"SELECT guarded_since, guarded_since_iso FROM hosts"
		" WHERE guarded_since IS NOT NULL",
		"SELECT host, since, until, turned_away, since_iso, until_iso"
		" FROM host_guards",
		"SELECT name, value FROM counters",
	};
	struct fixture *x = *state;
	sqlite3 *db;

	fixture_open(x);
	fixture_write(x, fixture_world(1));
	db = open_plain(x->path);
	for (size_t i = 0; i < sizeof(promises) / sizeof(promises[0]); i++) {
		sqlite3_stmt *stmt = prepare(db, promises[i]);

		assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
		sqlite3_finalize(stmt);
	}
	sqlite3_close(db);
}

/* A page must not read the table: these walk an index. */
static void
lists_and_filters_use_indexes(void **state)
{
	static const char *const queries[] = {
		"SELECT * FROM exposures WHERE (host_ip, proto_num, port, id)"
		" > (x'00', 1, 1, 1) ORDER BY host_ip, proto_num, port, id",
		"SELECT * FROM nem WHERE host_ip = x'00'",
		"SELECT * FROM exposures WHERE port = 3389 AND proto_num = 6",
		"SELECT * FROM scan_events WHERE ts >= 1 AND ts < 2"
		" ORDER BY ts DESC, id DESC",
		"SELECT * FROM scan_events WHERE src_ip = x'00' AND ts >= 1"
		" ORDER BY ts DESC, id DESC",
		"SELECT * FROM trans_darkports WHERE opened_at >= 1"
		" ORDER BY opened_at DESC, id DESC",
	};
	struct fixture *x = *state;
	sqlite3 *db;

	fixture_open(x);
	db = open_plain(x->path);
	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		char sql[512];
		sqlite3_stmt *stmt;

		snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN %s", queries[i]);
		stmt = prepare(db, sql);
		while (sqlite3_step(stmt) == SQLITE_ROW) {
			const char *detail =
			    (const char *)sqlite3_column_text(stmt, 3);

			if (strncmp(detail, "SCAN", 4) == 0 ||
			    strstr(detail, "TEMP B-TREE") != NULL)
				fail_msg("%s: %s", queries[i], detail);
		}
		sqlite3_finalize(stmt);
	}
	sqlite3_close(db);
}

/* --- migration ------------------------------------------------------------ */

static void
the_schema_is_applied_once(void **state)
{
	struct fixture *x = *state;
	int64_t files;

	fixture_open(x);
	files = fixture_int(x, "SELECT count(*) FROM t_migration");
	assert_true(files >= 3);
	fixture_close(x);
	fixture_open(x);
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM t_migration"),
	    files);
	assert_int_equal(fixture_int(x, "SELECT max(version) FROM t_migration"),
	    schema_version());
}

static const char *const next_steps[] = {
	"SELECT this must not run",
	"ALTER TABLE t_host ADD COLUMN name TEXT;",
	("DROP VIEW hosts;"
	 "CREATE VIEW hosts AS SELECT name FROM t_host;"),
};

static void
an_older_file_is_copied_and_migrated(void **state)
{
	struct fixture *x = *state;
	struct fixture copy = { 0 };
	int now = schema_version();
	struct schema_step steps[3];
	int64_t files;
	sqlite3 *db;

	for (int i = 0; i < 3; i++)
		steps[i] = (struct schema_step){ now + i, next_steps[i] };
	fixture_open(x);
	fixture_write(x, fixture_world(1));
	files = fixture_int(x, "SELECT count(*) FROM t_migration");
	fixture_close(x);
	db = open_plain(x->path);
	assert_ok(schema_apply(db, x->path, now, steps, 3));
	sqlite3_close(db);
	assert_int_equal(fixture_int(x, "PRAGMA user_version"), now + 2);
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM t_migration"),
	    files + 2);
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM hosts"), 4);
	snprintf(copy.path, sizeof(copy.path), "%.80s.v%d.bak", x->path, now);
	assert_int_equal(fixture_int(&copy, "PRAGMA user_version"), now);
	assert_int_equal(fixture_int(&copy, "PRAGMA application_id"),
	    STORE_APPLICATION_ID);
	assert_int_equal(fixture_int(&copy, "SELECT count(*) FROM exposures"),
	    11);
}

static void
a_migration_that_fails_changes_nothing(void **state)
{
	int now = schema_version();
	struct schema_step step = { now + 1,
		"ALTER TABLE t_host ADD COLUMN name TEXT;"
		"SELECT nonsense FROM nowhere;" };
	struct fixture *x = *state;
	uint64_t before;
	sqlite3 *db;

	fixture_open(x);
	fixture_write(x, fixture_world(1));
	fixture_close(x);
	before = fixture_rows_hash(x);
	db = open_plain(x->path);
	assert_int_equal(schema_apply(db, x->path, now, &step, 1), ERR_IO);
	assert_int_equal(sqlite3_get_autocommit(db), 1);
	sqlite3_close(db);
	assert_int_equal(fixture_int(x, "PRAGMA user_version"), now);
	assert_true(fixture_rows_hash(x) == before);
	fixture_open(x);
}

/* A store as the program of schema 1 left it, with one of most things. */
static void
make_version_1(const char *path)
{
	static const char rows[] =
	    "INSERT INTO t_meta VALUES ('clean', 1), ('batch_sequence', 9);"
	    "INSERT INTO t_addr VALUES"
	    " (1, x'00000000000000000000ffffc0000201', '192.0.2.1', 4),"
	    " (2, x'00000000000000000000ffff0a000005', '10.0.0.5', 4);"
	    "INSERT INTO t_exporter VALUES"
	    " (3, x'00000000000000000000ffffc0000201', 7, 9, 1000, 2000, 90,"
	    "  500, 10, 2);"
	    "INSERT INTO t_exposure VALUES"
	    " (1, x'00000000000000000000ffff0a000005', 6, 443, 'open',"
	    "  'confirmed', 'unvetted', 'A1:D1', 'high', 1000, 2000, NULL,"
	    "  NULL, 3, 0, 1, zeroblob(100), 0, NULL, NULL, NULL, 0, 3);";
	const struct schema_step first = { 1, read_text(VERSION_1) };
	sqlite3 *db = open_plain(path);

	assert_ok(schema_apply(db, path, 0, &first, 1));
	assert_int_equal(sqlite3_exec(db, rows, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	free((void *)(uintptr_t)first.sql);
}

/* A store_restore_fn: keeps the exporter. */
static int
take_exporter(const struct finding *f, void *arg)
{
	if (f->kind == FINDING_EXPORTER)
		*(struct finding_exporter *)arg = f->exporter;
	return ERR_OK;
}

static void
a_file_of_version_1_goes_on_as_the_newest(void **state)
{
	struct fixture *x = *state;
	struct fixture copy = { 0 };
	struct finding_exporter e = { 0 };
	char text[128];

	make_version_1(x->path);
	assert_int_equal(fixture_int(x, "PRAGMA user_version"), 1);
	fixture_open(x);
	assert_int_equal(fixture_int(x, "PRAGMA user_version"),
	    schema_version());
	assert_int_equal(store_sequence(x->store), 9);
	fixture_text(x,
	    "SELECT address || ' ' || datagrams || ' ' || lost || ' ' ||"
	    " share_lost || ' ' || sampling || ' ' || name || '.' ||"
	    " coalesce(active_timeout, '-') || ' ' || refused FROM exporters",
	    text, sizeof(text));
	assert_string_equal(text, "192.0.2.1 90 10 0.1 1 .- 0");
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM nem WHERE"
					" exporter = '192.0.2.1'"),
	    1);
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM exporter_hours"),
	    0);
	assert_ok(store_restore(x->store, take_exporter, &e));
	assert_int_equal(e.datagrams, 90);
	assert_int_equal(e.sampling, 1);
	snprintf(copy.path, sizeof(copy.path), "%.80s.v1.bak", x->path);
	assert_int_equal(fixture_int(&copy, "PRAGMA user_version"), 1);
	assert_int_equal(fixture_int(&copy, "SELECT count(*) FROM exporters"),
	    1);
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM"
					" pragma_foreign_key_check"),
	    0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		STORE_TEST(the_readme_names_every_column),
		STORE_TEST(the_readme_names_no_other_column),
		STORE_TEST(every_query_of_the_readme_finds_rows),
		STORE_TEST(views_have_the_promised_columns),
		STORE_TEST(lists_and_filters_use_indexes),
		STORE_TEST(the_schema_is_applied_once),
		STORE_TEST(an_older_file_is_copied_and_migrated),
		STORE_TEST(a_migration_that_fails_changes_nothing),
		STORE_TEST(a_file_of_version_1_goes_on_as_the_newest),
	};

	return RUN_TESTS(tests);
}
