/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader's connection, and the questions of one row.
 * Every statement is a text of this program; what a caller gives is bound.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "exposure/finding.h"
#include "store/reader.h"
#include "store/schema.h"
#include "store/store.h"

#define PROGRESS_OPS 1000 /* look at the clock so often */

static int64_t
steady_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Not 0: stop. */
static int
is_late(void *arg)
{
	const struct query *q = arg;

	return steady_ms() >= q->give_up_at_ms;
}

/* rule_why() in SQL: '' for a word that is no rule. */
static void
tell_why(sqlite3_context *context, int count, sqlite3_value **values)
{
	const void *word = sqlite3_value_text(values[0]);
	const char *why = "";

	(void)count;
	for (unsigned rule = 0; word != NULL && rule < RULE_COUNT; rule++)
		if (strcmp(word, rule_name(rule)) == 0)
			why = rule_why(rule);
	sqlite3_result_text(context, why, -1, SQLITE_STATIC);
}

static int
set_up_connection(struct query *q)
{
	sqlite3 *db = q->db;
	int err = db_err(sqlite3_create_function(db, "rule_why", 1,
	    SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL,
	    tell_why, NULL, NULL));

	if (err != ERR_OK)
		return err;

	sqlite3_extended_result_codes(db, 1);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	sqlite3_busy_timeout(db, 2000);
	sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, 10000);
	sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
	return db_exec(db, "PRAGMA query_only = ON;"
			   "PRAGMA cell_size_check = ON;"
			   "PRAGMA mmap_size = 0;"
			   "PRAGMA temp_store = MEMORY;");
}

static int
check_identity(struct query *q)
{
	int64_t id = 0, version = 0;
	int err = db_int(q->db, "PRAGMA application_id", &id);

	if (err == ERR_OK)
		err = db_int(q->db, "PRAGMA user_version", &version);
	if (err != ERR_OK)
		return err;
	if (id != STORE_APPLICATION_ID)
		return ERR_FORMAT;
	return version == schema_version() ? ERR_OK : ERR_VERSION;
}

int
query_open(const char *path, struct query **out)
{
	struct query *q = calloc(1, sizeof(*q));
	int err;

	if (q == NULL)
		return ERR_NOMEM;
	q->deadline_ms = QUERY_DEADLINE_MS;
	err = db_err(sqlite3_open_v2(path, &q->db, SQLITE_OPEN_READONLY, NULL));
	if (err == ERR_OK)
		err = set_up_connection(q);
	if (err == ERR_OK)
		err = check_identity(q);
	if (err != ERR_OK) {
		query_close(q);
		return err;
	}
	sqlite3_progress_handler(q->db, PROGRESS_OPS, is_late, q);
	*out = q;
	return ERR_OK;
}

void
query_close(struct query *q)
{
	if (q == NULL)
		return;
	sqlite3_close(q->db);
	free(q);
}

int
reader_begin(struct query *q, const char *sql, sqlite3_stmt **out)
{
	q->give_up_at_ms = steady_ms() + q->deadline_ms;
	return db_err(sqlite3_prepare_v2(q->db, sql, -1, out, NULL));
}

void
reader_bind_int(sqlite3_stmt *stmt, const char *name, int64_t value)
{
	sqlite3_bind_int64(stmt, sqlite3_bind_parameter_index(stmt, name),
	    value);
}

void
reader_bind_text(sqlite3_stmt *stmt, const char *name, const char *text)
{
	sqlite3_bind_text(stmt, sqlite3_bind_parameter_index(stmt, name), text,
	    -1, SQLITE_STATIC);
}

void
reader_bind_addr(sqlite3_stmt *stmt, const char *name, const struct addr *a)
{
	sqlite3_bind_blob(stmt, sqlite3_bind_parameter_index(stmt, name),
	    a->octets, sizeof(a->octets), SQLITE_STATIC);
}

int
reader_one(sqlite3_stmt *stmt, query_row_fn fn, void *arg)
{
	int rc = sqlite3_step(stmt);
	int err;

	if (rc == SQLITE_ROW)
		err = fn((const char *)sqlite3_column_text(stmt, 0), arg);
	else
		err = rc == SQLITE_DONE ? ERR_NOTFOUND : db_err(rc);
	sqlite3_finalize(stmt);
	return err;
}

/* "e" is where the engine stands, in seconds; nothing before the first batch.
 */
static const char status_sql[] =
    "WITH e AS (SELECT clock_ms / 1000 AS clock,"
    " nullif(training_from_ms, 0) / 1000 AS training_from,"
    " training_length_ms / 1000 AS training_length,"
    " CASE WHEN training_length_ms > 0 AND (training_from_ms = 0"
    " OR clock_ms < training_from_ms + training_length_ms)"
    " THEN @training ELSE @operation END AS phase FROM t_engine)"
    "SELECT json_object('phase', e.phase, 'training', json_object("
    "'from', strftime(@iso, e.training_from, 'unixepoch'),"
    "'until', strftime(@iso, e.training_from"
    " + nullif(e.training_length, 0), 'unixepoch'),"
    "'length_s', e.training_length),"
    "'clock', strftime(@iso, nullif(e.clock, 0), 'unixepoch'),"
    "'counts', json_object("
    "'hosts', (SELECT count(*) FROM t_host),"
    "'nem', (SELECT count(*) FROM t_exposure"
    " WHERE state <> 'closed' AND tier <> 'hint'),"
    "'exposures', json((SELECT json_object("
    "'open', count(*) FILTER (WHERE state = 'open'),"
    "'stale', count(*) FILTER (WHERE state = 'stale'),"
    "'closed', count(*) FILTER (WHERE state = 'closed')) FROM t_exposure)),"
    "'trans_darkports', (SELECT count(*) FROM t_trans_darkport),"
    "'trans_darkports_new', (SELECT count(*) FROM t_trans_darkport"
    " WHERE state = 'new'),"
    "'scan_events', (SELECT count(*) FROM t_scan_event),"
    "'exporters', (SELECT count(*) FROM t_exporter),"
    "'networks', (SELECT count(*) FROM t_network)),"
    "'networks', json((SELECT json_group_array(json_object("
    "'cidr', cidr, 'label', label)) FROM"
    " (SELECT cidr, label FROM networks ORDER BY low_ip, length))),"
    "'generation', coalesce((SELECT value FROM t_meta"
    " WHERE key = 'batch_sequence'), 0))"
    " FROM (SELECT 1) LEFT JOIN e";

int
query_status(struct query *q, query_row_fn fn, void *arg)
{
	sqlite3_stmt *stmt;
	int err = reader_begin(q, status_sql, &stmt);

	if (err != ERR_OK)
		return err;
	reader_bind_text(stmt, "@iso", "%Y-%m-%dT%H:%M:%SZ");
	reader_bind_text(stmt, "@training", phase_name(PHASE_TRAINING));
	reader_bind_text(stmt, "@operation", phase_name(PHASE_OPERATION));
	return reader_one(stmt, fn, arg);
}

static const char totals_sql[] =
    "SELECT (SELECT count(*) FROM t_host),"
    " count(*) FILTER (WHERE state = 'open'),"
    " count(*) FILTER (WHERE state = 'stale'),"
    " count(*) FILTER (WHERE state = 'closed'),"
    " (SELECT count(*) FROM t_trans_darkport WHERE state = 'new'),"
    " (SELECT count(*) FROM t_scan_event) FROM t_exposure";

int
query_totals(struct query *q, struct query_totals *out)
{
	sqlite3_stmt *stmt;
	int err = reader_begin(q, totals_sql, &stmt);
	struct db_row r;

	if (err != ERR_OK)
		return err;
	err = db_err(sqlite3_step(stmt));
	r = db_row(stmt);
	if (err == ERR_OK) {
		out->hosts = db_read_unsigned(&r, INT64_MAX);
		out->exposures_open = db_read_unsigned(&r, INT64_MAX);
		out->exposures_stale = db_read_unsigned(&r, INT64_MAX);
		out->exposures_closed = db_read_unsigned(&r, INT64_MAX);
		out->trans_darkports_new = db_read_unsigned(&r, INT64_MAX);
		out->scan_events = db_read_unsigned(&r, INT64_MAX);
	}
	sqlite3_finalize(stmt);
	return err;
}

int
query_generation(struct query *q, uint64_t *out)
{
	int64_t value = 0;
	int err;

	q->give_up_at_ms = steady_ms() + q->deadline_ms;
	err = db_int(q->db,
	    "SELECT value FROM t_meta WHERE key = 'batch_sequence'", &value);
	if (err == ERR_NOTFOUND) /* no batch yet */
		err = ERR_OK;
	if (err == ERR_OK)
		*out = (uint64_t)value;
	return err;
}
