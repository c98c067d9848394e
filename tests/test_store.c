/* SPDX-License-Identifier: Apache-2.0 */
/* The store: who may use a file, what a batch does to it, and back. */
#include "tests/store_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "store/schema.h"

/* Runs SQL on a plain connection, as a user with sqlite3 would. */
static void
run_sql(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_close(db);
}

/* --- identity ------------------------------------------------------------- */

static void
assert_refused(struct fixture *x, int expected, const char *word)
{
	char message[STORE_MESSAGE_MAX];
	uint64_t before = fixture_file_hash(x->path);

	assert_int_equal(fixture_try_open(x, message), expected);
	assert_non_null(strstr(message, x->path));
	if (strstr(message, word) == NULL)
		fail_msg("no \"%s\" in: %s", word, message);
	assert_true(fixture_file_hash(x->path) == before);
}

static void
store_makes_a_new_file(void **state)
{
	struct fixture *x = *state;
	char mode[16];

	fixture_open(x);
	assert_int_equal(fixture_int(x, "PRAGMA application_id"),
	    STORE_APPLICATION_ID);
	assert_int_equal(fixture_int(x, "PRAGMA user_version"),
	    schema_version());
	fixture_text(x, "PRAGMA journal_mode", mode, sizeof(mode));
	assert_string_equal(mode, "wal");
	assert_int_equal(store_sequence(x->store), 0);
}

static void
store_takes_an_empty_file_as_new(void **state)
{
	struct fixture *x = *state;

	fixture_write_file(x->path, "", 0);
	fixture_open(x);
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM exposures"), 0);
}

static void
store_refuses_a_file_that_is_no_database(void **state)
{
	struct fixture *x = *state;
	char text[5000];

	memset(text, 'x', sizeof(text));
	fixture_write_file(x->path, text, 7);
	assert_refused(x, ERR_FORMAT, "no SQLite database");
	fixture_write_file(x->path, text, sizeof(text));
	assert_refused(x, ERR_FORMAT, "no SQLite database");
}

static void
store_refuses_another_programs_database(void **state)
{
	struct fixture *x = *state;

	run_sql(x->path, "PRAGMA journal_mode = WAL; CREATE TABLE t(a);"
			 "INSERT INTO t VALUES (1);");
	assert_refused(x, ERR_FORMAT, "another program's");
	run_sql(x->path, "PRAGMA application_id = 77");
	assert_refused(x, ERR_FORMAT, "another program's");
	assert_int_equal(fixture_int(x, "SELECT a FROM t"), 1);
}

static void
store_refuses_a_newer_schema(void **state)
{
	struct fixture *x = *state;

	fixture_open(x);
	fixture_close(x);
	run_sql(x->path, "PRAGMA user_version = 999");
	assert_refused(x, ERR_VERSION, "999");
}

/* The version is in the log only: the header does not know it yet. */
static void
store_refuses_a_newer_schema_in_the_log(void **state)
{
	struct fixture *x = *state;
	sqlite3 *other;

	fixture_open(x);
	fixture_close(x);
	assert_int_equal(sqlite3_open(x->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "PRAGMA user_version = 999", NULL,
			     NULL, NULL),
	    SQLITE_OK);
	assert_refused(x, ERR_VERSION, "999");
	sqlite3_close(other);
}

static void
store_refuses_a_damaged_file(void **state)
{
	struct fixture *x = *state;
	char junk[4096];
	int fd;

	fixture_open(x);
	fixture_write(x, fixture_world(1));
	fixture_close(x);
	memset(junk, 0x5a, sizeof(junk));
	fd = open(x->path, O_WRONLY | O_CLOEXEC);
	for (int page = 1; page < 20; page++)
		assert_int_equal(pwrite(fd, junk, sizeof(junk), page * 4096L),
		    sizeof(junk));
	close(fd);
	assert_refused(x, ERR_FORMAT, "");
}

static void
store_names_a_folder_that_is_not_there(void **state)
{
	struct fixture *x = *state;
	char message[STORE_MESSAGE_MAX];

	snprintf(x->path, sizeof(x->path), "%s/no/x.db", x->folder);
	assert_int_equal(fixture_try_open(x, message), ERR_IO);
	assert_non_null(strstr(message, x->path));
	assert_non_null(strstr(message, "No such file"));
}

/* Root may write everywhere: the child becomes nobody. */
static void
store_names_a_folder_it_may_not_write(void **state)
{
	struct fixture *x = *state;
	char message[STORE_MESSAGE_MAX];
	int status;
	pid_t pid;

	assert_int_equal(chmod(x->folder, 0555), 0);
	pid = fork();
	if (pid == 0) {
		bool good = geteuid() != 0 || setuid(65534) == 0;

		good = good && fixture_try_open(x, message) == ERR_IO &&
		       strstr(message, x->path) != NULL &&
		       strstr(message, "Permission denied") != NULL;
		_exit(good ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(chmod(x->folder, 0755), 0);
	assert_int_equal(access(x->path, F_OK), -1);
}

/* What another process is told that opens the store. */
static void
assert_child_gets(struct fixture *x, int expected, const char *word)
{
	char message[STORE_MESSAGE_MAX];
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		bool good = fixture_try_open(x, message) == expected &&
			    strstr(message, word) != NULL;

		_exit(good ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
store_is_open_in_one_process_only(void **state)
{
	struct fixture *x = *state;
	char process[32];

	snprintf(process, sizeof(process), "process %ld", (long)getpid());
	fixture_open(x);
	assert_child_gets(x, ERR_BUSY, process);
	fixture_write(x, fixture_world(1));
	fixture_close(x);
	assert_child_gets(x, ERR_OK, "");
}

/* The API is a child: it must not keep a dead daemon's store locked. */
static void
a_child_does_not_keep_the_lock(void **state)
{
	struct fixture *x = *state;
	int fds[2], status;
	char octet;
	pid_t pid, child;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		fixture_open(x);
		child = fork();
		if (child == 0) {
			pause(); /* outlives its parent */
			_exit(0);
		}
		_exit(write(fds[1], &child, sizeof(child)) == sizeof(child)
			  ? 0
			  : 1);
	}
	assert_int_equal(read(fds[0], &child, sizeof(child)), sizeof(child));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	fixture_open(x);
	assert_int_equal(kill(child, SIGKILL), 0);
	close(fds[1]);
	assert_int_equal(read(fds[0], &octet, 1), 0); /* it is gone */
	close(fds[0]);
}

/* --- batches -------------------------------------------------------------- */

static void
store_write_fills_every_view(void **state)
{
	static const char *const views[] = { "networks", "exporters",
		"exporter_hours", "exposures", "nem", "hosts",
		"trans_darkports", "scan_events", "attempt_outcomes",
		"completeness", "exporter_properties", "exporter_events",
		"counters" };
	struct fixture *x = *state;
	char sql[64];

	fixture_open(x);
	fixture_write(x, fixture_world(1));
	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", views[i]);
		assert_true(fixture_int(x, sql) > 0);
	}
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM exposures"), 11);
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM nem"), 9);
	assert_int_equal(store_sequence(x->store), 1);
	assert_int_equal(counter_get(&x->counters, COUNTER_STORE_COMMITS), 1);
	assert_true(counter_get(&x->counters, COUNTER_STORE_ROWS) > 50);
}

static void
store_write_tells_the_exporter_or_nothing(void **state)
{
	struct fixture *x = *state;
	char text[64];

	fixture_open(x);
	fixture_write(x, fixture_world(1));
	fixture_text(x, "SELECT exporter FROM exposures WHERE id = 4", text,
	    sizeof(text));
	assert_string_equal(text, "192.0.2.1");
	fixture_text(x, "SELECT exporter FROM exposures WHERE id = 13", text,
	    sizeof(text));
	assert_string_equal(text, "192.0.2.2");
	fixture_text(x, "SELECT exporter FROM exposures WHERE id = 14", text,
	    sizeof(text));
	assert_string_equal(text, "null");
}

static void
the_same_batch_twice_changes_nothing(void **state)
{
	struct fixture *x = *state;
	uint64_t once;

	fixture_open(x);
	fixture_write(x, fixture_world(1));
	once = fixture_rows_hash(x);
	fixture_write(x, fixture_world(1));
	assert_true(fixture_rows_hash(x) == once);
}

static void
a_later_finding_replaces_an_earlier_one(void **state)
{
	struct fixture *x = *state;
	struct finding_batch *b = fixture_batch(2, 2);
	char text[64];

	fixture_open(x);
	fixture_write(x, fixture_world(1));
	add_exposure(b, 4)->exposure.accepted = 500;
	add_scan_event(b, 5)->scan_event.answer = ANSWER_ACCEPTED;
	fixture_write(x, b);
	assert_int_equal(fixture_int(x,
			     "SELECT accepted FROM exposures WHERE id = 4"),
	    500);
	fixture_text(x, "SELECT answer FROM scan_events WHERE id = 5", text,
	    sizeof(text));
	assert_string_equal(text, "accepted");
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM exposures"), 11);
}

/* What refers to other tables is written another way than the rest. */
static void
a_later_finding_may_name_another_client_and_exporter(void **state)
{
	struct fixture *x = *state;
	struct finding_batch *b = fixture_batch(2, 10);
	struct finding_exposure *e;
	struct finding_scan_event *s;

	fixture_open(x);
	fixture_write(x, fixture_world(1));
	e = &add_exposure(b, 5)->exposure;
	e->first_client = fixture_addr("203.0.113.250");
	add_exposure(b, 6)->exposure.exporter = 1;
	s = &add_scan_event(b, 3)->scan_event;
	s->exporter = 1;
	s->answer = ANSWER_ACCEPTED;
	fixture_write(x, b);
	assert_int_equal(fixture_int(x,
			     "SELECT count(*) FROM exposures WHERE id = 5 AND"
			     " first_client = '203.0.113.250'"),
	    1);
	assert_int_equal(fixture_int(x,
			     "SELECT count(*) FROM t_exposure WHERE id = 6"
			     " AND exporter_id <> (SELECT exporter_id FROM"
			     " t_exposure WHERE id = 7)"),
	    1);
	assert_int_equal(fixture_int(x,
			     "SELECT count(*) FROM t_scan_event WHERE id = 3"
			     " AND answer = 'accepted' AND exporter_id <>"
			     " (SELECT exporter_id FROM t_scan_event"
			     " WHERE id = 4)"),
	    1);
	assert_int_equal(fixture_int(x,
			     "SELECT count(*) FROM pragma_foreign_key_check"),
	    0);
}

static void
a_retraction_deletes(void **state)
{
	struct fixture *x = *state;
	struct finding_batch *b = fixture_batch(2, 4);

	fixture_open(x);
	fixture_write(x, fixture_world(1));
	finding_batch_add(b, FINDING_EXPOSURE_RETRACTED)->retracted_id = 6;
	finding_batch_add(b, FINDING_TRANS_DARKPORT_RETRACTED)->retracted_id =
	    6;
	finding_batch_add(b, FINDING_SCAN_EVENT_RETRACTED)->retracted_id = 6;
	finding_batch_add(b, FINDING_SCAN_EVENT_RETRACTED)->retracted_id =
	    60000; /* never was */
	fixture_write(x, b);
	assert_int_equal(fixture_int(x,
			     "SELECT (SELECT count(*) FROM exposures"
			     " WHERE id = 6) + (SELECT count(*) FROM"
			     " trans_darkports WHERE id = 6) + (SELECT"
			     " count(*) FROM scan_events WHERE id = 6)"),
	    0);
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM scan_events"),
	    29);
}

static void
networks_of_an_earlier_life_are_forgotten(void **state)
{
	struct fixture *x = *state;
	struct finding_batch *b;
	char text[64];

	fixture_open(x);
	fixture_write(x, fixture_world(1));
	fixture_close(x);
	fixture_open(x);
	b = fixture_batch(2, 1);
	add_network(b, "192.168.0.0/16=home");
	fixture_write(x, b);
	b = fixture_batch(3, 1);
	add_network(b, "192.168.1.0/24");
	fixture_write(x, b);
	fixture_text(x, "SELECT group_concat(cidr) FROM networks", text,
	    sizeof(text));
	assert_string_equal(text, "192.168.0.0/16,192.168.1.0/24");
}

static void
views_show_seconds_and_their_iso_twins(void **state)
{
	struct fixture *x = *state;
	char text[128];

	fixture_open(x);
	fixture_write(x, fixture_world(1));
	fixture_text(x,
	    "SELECT opened_at || ' ' || opened_at_iso || ' ' || dark_since_iso"
	    " FROM trans_darkports WHERE id = 8",
	    text, sizeof(text));
	assert_string_equal(text,
	    "1790000008 2026-09-21T14:13:28Z 2026-09-21T14:13:20Z");
	fixture_text(x, "SELECT closed_at_iso FROM exposures WHERE id = 4",
	    text, sizeof(text));
	assert_string_equal(text, "null");
	fixture_text(x,
	    "SELECT group_concat(address || ' ' || domain || ' ' || protocol)"
	    " FROM exporters",
	    text, sizeof(text));
	assert_string_equal(text,
	    "192.0.2.1 4294967295 netflow5,192.0.2.2 4294967294 netflow9,"
	    "192.0.2.3 4294967293 ipfix");
}

/* --- restore -------------------------------------------------------------- */

struct restored {
	struct finding_batch *batch;
	int stop_at; /* 0: never */
};

static int
take(const struct finding *f, void *arg)
{
	struct restored *r = arg;
	struct finding *copy = finding_batch_add(r->batch, f->kind);

	assert_non_null(copy);
	*copy = *f;
	return r->stop_at != 0 && --r->stop_at == 0 ? ERR_FULL : ERR_OK;
}

static const struct finding *
find(const struct finding_batch *b, enum finding_kind kind, uint64_t id)
{
	for (uint32_t i = 0; i < b->count; i++) {
		const struct finding *f = &b->findings[i];

		if (f->kind != kind)
			continue;
		if ((kind == FINDING_EXPOSURE && f->exposure.id == id) ||
		    (kind == FINDING_TRANS_DARKPORT &&
			f->trans_darkport.id == id) ||
		    (kind == FINDING_EXPORTER && f->exporter.index == id) ||
		    (kind == FINDING_HOST && id == 0) ||
		    (kind == FINDING_ENGINE && id == 0))
			return f;
	}
	return NULL;
}

static uint32_t
count_kind(const struct finding_batch *b, enum finding_kind kind)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < b->count; i++)
		n += b->findings[i].kind == kind;
	return n;
}

/* Member by member: the octets between the members mean nothing. */
static void
assert_same_exposure(const struct finding_exposure *a,
    const struct finding_exposure *b)
{
	assert_int_equal(a->id, b->id);
	assert_true(addr_equal(&a->host, &b->host));
	assert_true(addr_equal(&a->first_client, &b->first_client));
	assert_int_equal(a->first_ms, b->first_ms);
	assert_int_equal(a->last_ms, b->last_ms);
	assert_int_equal(a->closed_ms, b->closed_ms);
	assert_int_equal(a->refused_ms, b->refused_ms);
	assert_int_equal(a->accepted, b->accepted);
	assert_int_equal(a->refused, b->refused);
	assert_int_equal(a->alert_id, b->alert_id);
	assert_int_equal(a->event_id, b->event_id);
	assert_memory_equal(&a->sketch, &b->sketch, sizeof(a->sketch));
	assert_int_equal(a->clients, b->clients);
	assert_int_equal(a->evidence, b->evidence);
	assert_int_equal(a->port, b->port);
	assert_int_equal(a->first_client_port, b->first_client_port);
	assert_int_equal(a->proto, b->proto);
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->tier, b->tier);
	assert_int_equal(a->vetting, b->vetting);
	assert_int_equal(a->rule, b->rule);
	assert_int_equal(a->confidence, b->confidence);
	assert_int_equal(a->listener, b->listener);
}

static void
restore_gives_back_what_was_written(void **state)
{
	struct fixture *x = *state;
	struct finding_batch *world = fixture_world(9);
	struct restored r = { fixture_batch(0, 100), 0 };
	const struct finding *f;

	fixture_open(x);
	fixture_write(x, fixture_world(9));
	fixture_close(x);
	fixture_open(x);
	assert_int_equal(store_sequence(x->store), 9);
	assert_ok(store_restore(x->store, take, &r));
	assert_int_equal(r.batch->findings[0].kind, FINDING_EXPORTER);
	assert_int_equal(count_kind(r.batch, FINDING_EXPORTER), 3);
	/* ten open ones, and a port that is dark again */
	assert_int_equal(count_kind(r.batch, FINDING_EXPOSURE), 11);
	assert_int_equal(count_kind(r.batch, FINDING_HOST), 4);
	/* the one that has not ended */
	assert_int_equal(count_kind(r.batch, FINDING_HOST_GUARD), 1);
	/* three alerts of open exposures; one is of a closed one */
	assert_int_equal(count_kind(r.batch, FINDING_TRANS_DARKPORT), 3);
	/* hours 0, 1, 2; the clock stands in the third */
	assert_int_equal(count_kind(r.batch, FINDING_OUTCOME), 2);
	for (uint32_t i = 0; i < world->count; i++) {
		const struct finding_exposure *e = &world->findings[i].exposure;

		if (world->findings[i].kind != FINDING_EXPOSURE)
			continue;
		f = find(r.batch, FINDING_EXPOSURE, e->id);
		assert_non_null(f);
		assert_same_exposure(&f->exposure, e);
		assert_int_equal(f->exposure.exporter,
		    e->exporter == 77 ? STORE_EXPORTER_NONE : e->exporter);
	}
	free(world);
	free(r.batch);
}

#define EVIDENCE_MS INT64_C(1700000000000)

static struct addr
client_3(void)
{
	struct addr a;

	assert_ok(addr_parse("203.0.113.3", &a));
	return a;
}

static struct finding_witness
witness_of(uint64_t id, uint8_t index)
{
	return (struct finding_witness){ .exposure_id = id,
		.index = index,
		.witness = { .client = client_3(),
		    .client_port = 40003,
		    .counted_ms = EVIDENCE_MS + 5,
		    .last_ms = EVIDENCE_MS + 4,
		    .generation = 2,
		    .roles = WITNESS_BEST | WITNESS_LATEST,
		    .outcome = OUTCOME_ACCEPTED,
		    .rule = RULE_A1_D8,
		    .confidence = CONFIDENCE_MED,
		    .outer = { .first_ms = EVIDENCE_MS + 1,
			.packets = 6,
			.octets = 600,
			.exporter = 0,
			.evidence = 0x24,
			.flags = 0x1b,
			.shown = SHOWN_HALF },
		    .inner = { .first_ms = EVIDENCE_MS + 2,
			.packets = 7,
			.octets = 700,
			.exporter = 77,
			.shown = SHOWN_WITHOUT_FLAGS } } };
}

static struct finding_change
change_of(uint64_t id, uint8_t index)
{
	return (struct finding_change){ .exposure_id = id,
		.index = index,
		.change = { .client = client_3(),
		    .client_port = 40003,
		    .at_ms = EVIDENCE_MS + 1,
		    .kind = CHANGE_TIER,
		    .tier_from = TIER_HINT,
		    .tier_to = TIER_PROBABLE,
		    .rule = RULE_A1_D8,
		    .confidence = CONFIDENCE_MED } };
}

static void
restore_gives_back_witnesses_and_changes(void **state)
{
	struct fixture *x = *state;
	struct restored r = { fixture_batch(0, 100), 0 };
	struct finding_batch *b = fixture_batch(1, 10);
	const struct finding *w = NULL, *c = NULL;

	finding_batch_add(b, FINDING_EXPORTER)->exporter =
	    (struct finding_exporter){ .address = client_3(), .protocol = 9 };
	add_exposure(b, 5);
	finding_batch_add(b, FINDING_WITNESS)->witness = witness_of(5, 3);
	finding_batch_add(b, FINDING_CHANGE)->change = change_of(5, 1);
	fixture_open(x);
	fixture_write(x, b);
	fixture_close(x);
	fixture_open(x);
	assert_ok(store_restore(x->store, take, &r));
	for (uint32_t i = 0; i < r.batch->count; i++) {
		if (r.batch->findings[i].kind == FINDING_WITNESS)
			w = &r.batch->findings[i];
		if (r.batch->findings[i].kind == FINDING_CHANGE)
			c = &r.batch->findings[i];
	}
	if (w == NULL || c == NULL) {
		fail_msg("the store gave back no witness, or no change");
		return;
	}
	assert_int_equal(w->witness.exposure_id, 5);
	assert_int_equal(w->witness.index, 3);
	assert_int_equal(w->witness.port, 20 + 5 % 4);
	assert_int_equal(w->witness.witness.roles,
	    WITNESS_BEST | WITNESS_LATEST);
	assert_int_equal(w->witness.witness.generation, 2);
	assert_int_equal(w->witness.witness.counted_ms, EVIDENCE_MS + 5);
	assert_int_equal(w->witness.witness.outer.shown, SHOWN_HALF);
	assert_int_equal(w->witness.witness.outer.flags, 0x1b);
	assert_int_equal(w->witness.witness.outer.exporter, 0);
	assert_int_equal(w->witness.witness.inner.shown, SHOWN_WITHOUT_FLAGS);
	assert_int_equal(w->witness.witness.inner.octets, 700);
	assert_int_equal(w->witness.witness.inner.exporter,
	    STORE_EXPORTER_NONE);
	assert_int_equal(c->change.index, 1);
	assert_int_equal(c->change.change.kind, CHANGE_TIER);
	assert_int_equal(c->change.change.tier_from, TIER_HINT);
	assert_int_equal(c->change.change.tier_to, TIER_PROBABLE);
	free(r.batch);
}

static void
evidence_goes_with_its_exposure_or_alone(void **state)
{
	struct fixture *x = *state;
	struct finding_batch *b = fixture_batch(1, 10);

	add_exposure(b, 5);
	for (uint8_t i = 0; i < WITNESSES_MAX; i++)
		finding_batch_add(b, FINDING_WITNESS)->witness =
		    witness_of(5, i);
	finding_batch_add(b, FINDING_CHANGE)->change = change_of(5, 0);
	/* of an exposure that never was: the batch is written all the same */
	finding_batch_add(b, FINDING_WITNESS)->witness = witness_of(6, 0);
	fixture_open(x);
	fixture_write(x, b);
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM"
					" exposure_evidence"),
	    WITNESSES_MAX);
	b = fixture_batch(2, 10);
	finding_batch_add(b, FINDING_WITNESS)->witness = witness_of(5, 0);
	b->findings[0].witness.witness.roles = 0;
	finding_batch_add(b, FINDING_CHANGE)->change = change_of(5, 0);
	b->findings[1].change.change.kind = CHANGE_NONE;
	fixture_write(x, b);
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM"
					" exposure_evidence"),
	    WITNESSES_MAX - 1);
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM"
					" exposure_changes"),
	    0);
	b = fixture_batch(3, 10);
	finding_batch_add(b, FINDING_EXPOSURE_RETRACTED)->retracted_id = 5;
	fixture_write(x, b);
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM t_witness"), 0);
}

static void
restore_gives_back_engine_exporters_and_alerts(void **state)
{
	struct fixture *x = *state;
	struct finding_batch *world = fixture_world(9);
	struct restored r = { fixture_batch(0, 100), 0 };
	const struct finding *a, *b;

	fixture_open(x);
	fixture_write(x, fixture_world(9));
	assert_ok(store_restore(x->store, take, &r));
	a = find(world, FINDING_ENGINE, 0);
	b = find(r.batch, FINDING_ENGINE, 0);
	assert_non_null(b);
	assert_memory_equal(&a->engine, &b->engine, sizeof(a->engine));
	for (uint32_t i = 0; i < 3; i++) {
		a = find(world, FINDING_EXPORTER, i);
		b = find(r.batch, FINDING_EXPORTER, i);
		assert_non_null(b);
		assert_memory_equal(&a->exporter, &b->exporter,
		    offsetof(struct finding_exporter, name) + LABEL_MAX);
	}
	a = find(world, FINDING_TRANS_DARKPORT, 8);
	b = find(r.batch, FINDING_TRANS_DARKPORT, 8);
	assert_non_null(b);
	assert_memory_equal(&a->trans_darkport, &b->trans_darkport,
	    offsetof(struct finding_trans_darkport, first_client_had_probed) +
		1);
	a = find(world, FINDING_HOST, 0);
	b = find(r.batch, FINDING_HOST, 0);
	assert_memory_equal(&a->host, &b->host, sizeof(a->host));
	free(world);
	free(r.batch);
}

/* --- exporters: hours and templates --------------------------------------- */

/* What store_restore() gives of one kind, in its order. */
struct some {
	enum finding_kind kind;
	uint32_t count;
	int answer; /* given back for each */
	struct finding findings[16];
};

static int
take_some(const struct finding *f, void *arg)
{
	struct some *s = arg;

	if (f->kind != s->kind)
		return ERR_OK;
	assert_true(s->count < 16);
	s->findings[s->count++] = *f;
	return s->answer;
}

static struct some
restore_some(struct fixture *x, enum finding_kind kind, int answer)
{
	struct some s = { .kind = kind, .answer = answer };

	fixture_close(x);
	fixture_open(x);
	assert_ok(store_restore(x->store, take_some, &s));
	return s;
}

static void
exporters_views_tell_the_share_lost(void **state)
{
	struct fixture *x = *state;
	struct finding_batch *b = fixture_world(1);
	char text[128];

	finding_batch_add(b, FINDING_COUNTER)->counter =
	    (struct finding_counter){ 77, COUNTER_DATAGRAMS_LOST_KERNEL };
	fixture_open(x);
	fixture_write(x, b);
	/* of datagrams in v9: 1 of 102; of records in IPFIX: 2 of 3004 */
	fixture_text(x,
	    "SELECT group_concat(name || ' ' || share_lost || ' ' ||"
	    " kernel_drops || ' ' || coalesce(idle_timeout, '-')) FROM"
	    " (SELECT * FROM exporters ORDER BY address_ip)",
	    text, sizeof(text));
	assert_string_equal(text,
	    "edge0 0.0 77 -,edge1 0.009804 77 15,edge2 0.000666 77 30");
	fixture_text(x,
	    "SELECT group_concat(hour_iso || ' ' || share_lost) FROM"
	    " (SELECT * FROM exporter_hours ORDER BY address_ip LIMIT 2)",
	    text, sizeof(text));
	assert_string_equal(text,
	    "2026-09-21T14:00:00Z 0.01,2026-09-21T14:00:00Z 0.1");
}

static void
restore_gives_back_the_latest_hour(void **state)
{
	struct fixture *x = *state;
	struct finding_batch *b = fixture_world(1);
	struct some s;

	add_exporter_hour(b, 1)->exporter_hour.hour_ms += 3600000;
	add_exporter_hour(b, 77); /* nobody said who that is */
	fixture_open(x);
	fixture_write(x, b);
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM exporter_hours"),
	    4);
	s = restore_some(x, FINDING_EXPORTER_HOUR, ERR_OK);
	assert_int_equal(s.count, 1);
	assert_int_equal(s.findings[0].exporter_hour.exporter, 1);
	assert_int_equal(s.findings[0].exporter_hour.records, 99);
	assert_int_equal(s.findings[0].exporter_hour.lost, 1);
}

static void
restore_gives_back_templates_part_by_part(void **state)
{
	struct fixture *x = *state;
	struct finding_batch *expected = fixture_batch(0, 4);
	struct some s;

	fixture_open(x);
	fixture_write(x, fixture_world(1));
	s = restore_some(x, FINDING_TEMPLATE, ERR_OK);
	assert_int_equal(s.count, 4);
	/* the exporter that sent last comes first */
	add_template(expected, 2, 257, 0, 1);
	for (uint16_t part = 0; part < 3; part++)
		add_template(expected, 1, 256, part, 3);
	for (uint32_t i = 0; i < 4; i++) {
		const struct finding_template *t = &s.findings[i].template_part;
		const struct finding_template *e =
		    &expected->findings[i].template_part;

		assert_int_equal(t->exporter, e->exporter);
		assert_int_equal(t->source_port, e->source_port);
		assert_int_equal(t->kind, e->kind);
		assert_int_equal(t->id, e->id);
		assert_int_equal(t->part, e->part);
		assert_int_equal(t->parts, e->parts);
		assert_int_equal(t->learned_ms, e->learned_ms);
		assert_int_equal(t->length, e->length);
		assert_memory_equal(t->octets, e->octets, e->length);
	}
	free(expected);
}

/* Fewer parts than before: none of the old ones stays. */
static void
a_template_takes_the_place_of_the_one_before(void **state)
{
	struct fixture *x = *state;
	struct finding_batch *b = fixture_batch(2, 4);
	struct some s;

	fixture_open(x);
	fixture_write(x, fixture_world(1));
	add_template(b, 1, 256, 0, 1);
	add_template(b, 77, 256, 0, 1); /* nobody said who that is */
	fixture_write(x, b);
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM t_template"), 2);
	s = restore_some(x, FINDING_TEMPLATE, ERR_OK);
	assert_int_equal(s.count, 2);
	assert_int_equal(s.findings[1].template_part.id, 256);
	assert_int_equal(s.findings[1].template_part.parts, 1);
}

static void
restore_deletes_the_templates_nobody_takes_up(void **state)
{
	struct fixture *x = *state;
	struct some s;

	fixture_open(x);
	fixture_write(x, fixture_world(1));
	s = restore_some(x, FINDING_TEMPLATE, ERR_NOTFOUND);
	assert_int_equal(s.count, 4);
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM t_template"), 0);
	s = restore_some(x, FINDING_TEMPLATE, ERR_OK);
	assert_int_equal(s.count, 0);
}

/* New ones are refused then, known ones are still replaced. */
static void
templates_are_bounded(void **state)
{
	struct fixture *x = *state;
	struct finding_batch *b = fixture_batch(2, 8);

	fixture_open(x);
	fixture_write(x, fixture_world(1));
	fixture_close(x);
	run_sql(x->path,
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
	    " WHERE i < 65536 - 4 - 1) INSERT INTO t_template"
	    " SELECT 1, i, 1, 300, 0, 1, 0, x'' FROM n");
	fixture_open(x);
	add_exporter(b, 1);
	add_template(b, 1, 400, 0, 2); /* room for one more only */
	add_template(b, 1, 400, 1, 2);
	add_template(b, 1, 401, 0, 1);
	add_template(b, 1, 402, 0, 1);
	add_template(b, 1, 256, 0, 2); /* three there were */
	add_template(b, 1, 256, 1, 2);
	add_template(b, 1, 403, 0, 1);
	fixture_write(x, b);
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM t_template"),
	    65536);
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM t_template"
					" WHERE template_id IN (401, 403)"),
	    2);
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM t_template"
					" WHERE template_id IN (400, 402)"),
	    0);
	assert_int_equal(counter_get(&x->counters,
			     COUNTER_STORE_TEMPLATES_FULL),
	    2);
}

/* A restored index still means its exporter in the next batch. */
static void
restored_indexes_name_their_exporters(void **state)
{
	struct fixture *x = *state;
	struct restored r = { fixture_batch(0, 100), 0 };
	struct finding_batch *b = fixture_batch(2, 1);
	char text[64];

	fixture_open(x);
	fixture_write(x, fixture_world(1));
	fixture_close(x);
	fixture_open(x);
	assert_ok(store_restore(x->store, take, &r));
	free(r.batch);
	add_exposure(b, 13)->exposure.exporter = 1;
	fixture_write(x, b);
	fixture_text(x, "SELECT exporter FROM exposures WHERE id = 13", text,
	    sizeof(text));
	assert_string_equal(text, "192.0.2.2");
}

static void
restore_stops_when_told(void **state)
{
	struct fixture *x = *state;
	struct restored r = { fixture_batch(0, 100), 4 };

	fixture_open(x);
	fixture_write(x, fixture_world(1));
	assert_int_equal(store_restore(x->store, take, &r), ERR_FULL);
	assert_int_equal(r.batch->count, 4);
	free(r.batch);
}

static void
restore_refuses_words_it_does_not_know(void **state)
{
	struct fixture *x = *state;
	struct restored r = { fixture_batch(0, 100), 0 };

	fixture_open(x);
	fixture_write(x, fixture_world(1));
	run_sql(x->path, "UPDATE t_exposure SET tier = 'x' WHERE id = 4");
	assert_int_equal(store_restore(x->store, take, &r), ERR_FORMAT);
	free(r.batch);
}

/* Every word of the lists goes in and comes out. */
static void
every_rule_survives_the_round_trip(void **state)
{
	struct fixture *x = *state;
	struct finding_batch *b = fixture_batch(1, RULE_COUNT);
	struct restored r = { fixture_batch(0, RULE_COUNT), 0 };

	fixture_open(x);
	for (uint32_t n = 0; n < RULE_COUNT; n++) {
		struct finding_exposure *e = &add_exposure(b, n + 1)->exposure;

		e->rule = (uint8_t)n;
		e->tier = (uint8_t)(n % TIER_COUNT);
		e->vetting = (uint8_t)(n % VETTING_COUNT);
		e->confidence = (uint8_t)(n % CONFIDENCE_COUNT);
		e->state = n % 2 == 0 ? EXPOSURE_OPEN : EXPOSURE_STALE;
	}
	fixture_write(x, b);
	assert_ok(store_restore(x->store, take, &r));
	assert_int_equal(r.batch->count, RULE_COUNT);
	for (uint32_t n = 0; n < RULE_COUNT; n++) {
		const struct finding *f =
		    find(r.batch, FINDING_EXPOSURE, n + 1);

		assert_int_equal(f->exposure.rule, n);
		assert_int_equal(f->exposure.tier, n % TIER_COUNT);
		assert_int_equal(f->exposure.vetting, n % VETTING_COUNT);
		assert_int_equal(f->exposure.confidence, n % CONFIDENCE_COUNT);
	}
	free(r.batch);
}

static void
unclean_stops_are_counted(void **state)
{
	struct fixture *x = *state;
	const char *sql =
	    "SELECT value FROM t_meta WHERE key = 'unclean_starts'";
	int status;
	pid_t pid;

	fixture_open(x);
	fixture_close(x);
	fixture_open(x);
	assert_int_equal(fixture_int(x, sql), 0);
	fixture_close(x);
	pid = fork();
	if (pid == 0) {
		fixture_open(x);
		_exit(0); /* without store_close() */
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	fixture_open(x);
	assert_int_equal(fixture_int(x, sql), 1);
}

/* --- trouble -------------------------------------------------------------- */

static void
write_batches_until_killed(struct fixture *x, int fd)
{
	char message[STORE_MESSAGE_MAX];

	fixture_open(x);
	for (uint64_t n = 1;; n++) {
		struct finding_batch *b = fixture_batch(n, 200);

		for (uint32_t i = 0; i < 100; i++) {
			add_scan_event(b, (uint32_t)n * 100 + i);
			add_exposure(b, i + 1)->exposure.accepted = n;
		}
		if (store_write(x->store, b, message) != ERR_OK ||
		    write(fd, &n, sizeof(n)) != sizeof(n))
			_exit(1);
		store_checkpoint(x->store, false);
		free(b);
	}
}

static void
a_killed_writer_loses_no_committed_batch(void **state)
{
	struct fixture *x = *state;
	char text[64];

	for (int round = 0; round < 5; round++) {
		uint64_t last = 0, n;
		int fds[2], status;
		pid_t pid;

		assert_int_equal(pipe(fds), 0);
		pid = fork();
		if (pid == 0)
			write_batches_until_killed(x, fds[1]);
		close(fds[1]);
		while (last < 20U + (unsigned)round * 17 &&
		       read(fds[0], &n, sizeof(n)) == sizeof(n))
			last = n;
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		while (read(fds[0], &n, sizeof(n)) == sizeof(n))
			last = n;
		close(fds[0]);
		fixture_text(x, "PRAGMA integrity_check", text, sizeof(text));
		assert_string_equal(text, "ok");
		fixture_open(x);
		/* one more may be committed and not yet told */
		assert_true(store_sequence(x->store) >= last);
		assert_true(store_sequence(x->store) <= last + 1);
		assert_int_equal(fixture_int(x,
				     "SELECT min(accepted) FROM exposures"),
		    store_sequence(x->store));
		assert_int_equal(fixture_int(x,
				     "SELECT max(accepted) FROM exposures"),
		    store_sequence(x->store));
		fixture_close(x);
		unlink(x->path);
	}
}

static void
a_write_to_a_locked_file_is_busy(void **state)
{
	struct fixture *x = *state;
	struct finding_batch *b = fixture_world(1);
	char message[STORE_MESSAGE_MAX];
	sqlite3 *other;

	fixture_open(x);
	assert_int_equal(sqlite3_open(x->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL,
			     NULL),
	    SQLITE_OK);
	assert_int_equal(store_write(x->store, b, message), ERR_BUSY);
	assert_non_null(strstr(message, "locked"));
	assert_int_equal(counter_get(&x->counters, COUNTER_STORE_ERRORS), 1);
	sqlite3_close(other);
	assert_ok(store_write(x->store, b, message));
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM exposures"), 11);
	free(b);
}

/* In a child: the limit is the process's. Its exit code is the line. */
#define MUST(condition)                                                        \
	do {                                                                   \
		if (!(condition))                                              \
			_exit(__LINE__ % 251 + 1);                             \
	} while (0)

static void
fill_the_disk(struct fixture *x)
{
	struct finding_batch *b = fixture_batch(2, 30000);
	struct rlimit limit = { 0 };
	char message[STORE_MESSAGE_MAX];

	MUST(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	for (uint32_t n = 1; n <= 30000; n++)
		add_scan_event(b, n);
	MUST(getrlimit(RLIMIT_FSIZE, &limit) == 0);
	limit.rlim_cur = 600000;
	MUST(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	MUST(store_write(x->store, b, message) == ERR_IO);
	MUST(store_write(x->store, b, message) == ERR_IO);
	MUST(strstr(message, x->path) != NULL);
	MUST(store_sequence(x->store) == 1);
	MUST(fixture_int(x, "SELECT count(*) FROM scan_events") == 30);
	limit.rlim_cur = limit.rlim_max;
	MUST(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	MUST(store_write(x->store, b, message) == ERR_OK);
	MUST(fixture_int(x, "SELECT count(*) FROM scan_events") == 30000);
	free(b);
	fixture_close(x);
}

static void
a_full_disk_loses_nothing(void **state)
{
	struct fixture *x = *state;
	char text[16];
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		fixture_open(x);
		fixture_write(x, fixture_world(1));
		fill_the_disk(x);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	fixture_text(x, "PRAGMA integrity_check", text, sizeof(text));
	assert_string_equal(text, "ok");
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM scan_events"),
	    30000);
}

/* Row ids learned in a batch that failed must not be used afterwards. */
static void
a_failed_batch_teaches_nothing(void **state)
{
	struct fixture *x = *state;
	struct finding_batch *b = fixture_batch(1, 3);
	char message[STORE_MESSAGE_MAX];
	char text[64];

	fixture_open(x);
	run_sql(x->path, "CREATE TRIGGER no BEFORE INSERT ON t_host"
			 " BEGIN SELECT raise(ABORT, 'no'); END;");
	add_exporter(b, 2);
	add_scan_event(b, 1);
	add_host(b, 1);
	assert_int_equal(store_write(x->store, b, message), ERR_FORMAT);
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM t_addr"), 0);
	run_sql(x->path, "DROP TRIGGER no");
	b->count = 0;
	add_exporter(b, 1);
	add_scan_event(b, 7)->scan_event.exporter = 2; /* not known */
	assert_ok(store_write(x->store, b, message));
	fixture_text(x,
	    "SELECT src || ' ' || dst || ' ' || coalesce(exporter, '-')"
	    " FROM scan_events",
	    text, sizeof(text));
	assert_string_equal(text, "203.0.113.8 10.0.0.8 -");
	free(b);
}

static void
a_stopped_store_can_be_read_without_writing(void **state)
{
	struct fixture *x = *state;
	char wal[128];
	struct stat st;

	fixture_open(x);
	fixture_write(x, fixture_world(1));
	fixture_close(x);
	snprintf(wal, sizeof(wal), "%s-wal", x->path);
	assert_int_equal(stat(wal, &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(fixture_int(x,
			     "SELECT value FROM t_meta WHERE key = 'clean'"),
	    1);
}

static void
the_log_does_not_grow_without_end(void **state)
{
	struct fixture *x = *state;
	char wal[128];
	struct stat st;

	fixture_open(x);
	for (uint32_t n = 0; n < 40; n++) {
		struct finding_batch *b = fixture_batch(n + 1, 2000);

		for (uint32_t i = 1; i <= 2000; i++)
			add_scan_event(b, n * 2000 + i);
		fixture_write(x, b);
		store_checkpoint(x->store, false);
	}
	snprintf(wal, sizeof(wal), "%s-wal", x->path);
	assert_int_equal(stat(wal, &st), 0);
	assert_in_range(st.st_size, 1, 8 << 20);
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM scan_events"),
	    80000);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		STORE_TEST(store_makes_a_new_file),
		STORE_TEST(store_takes_an_empty_file_as_new),
		STORE_TEST(store_refuses_a_file_that_is_no_database),
		STORE_TEST(store_refuses_another_programs_database),
		STORE_TEST(store_refuses_a_newer_schema),
		STORE_TEST(store_refuses_a_newer_schema_in_the_log),
		STORE_TEST(store_refuses_a_damaged_file),
		STORE_TEST(store_names_a_folder_that_is_not_there),
		STORE_TEST(store_names_a_folder_it_may_not_write),
		STORE_TEST(store_is_open_in_one_process_only),
		STORE_TEST(a_child_does_not_keep_the_lock),
		STORE_TEST(store_write_fills_every_view),
		STORE_TEST(store_write_tells_the_exporter_or_nothing),
		STORE_TEST(the_same_batch_twice_changes_nothing),
		STORE_TEST(a_later_finding_replaces_an_earlier_one),
		STORE_TEST(
		    a_later_finding_may_name_another_client_and_exporter),
		STORE_TEST(a_retraction_deletes),
		STORE_TEST(networks_of_an_earlier_life_are_forgotten),
		STORE_TEST(views_show_seconds_and_their_iso_twins),
		STORE_TEST(every_rule_survives_the_round_trip),
		STORE_TEST(restore_gives_back_what_was_written),
		STORE_TEST(restore_gives_back_witnesses_and_changes),
		STORE_TEST(evidence_goes_with_its_exposure_or_alone),
		STORE_TEST(restore_gives_back_engine_exporters_and_alerts),
		STORE_TEST(exporters_views_tell_the_share_lost),
		STORE_TEST(restore_gives_back_the_latest_hour),
		STORE_TEST(restore_gives_back_templates_part_by_part),
		STORE_TEST(a_template_takes_the_place_of_the_one_before),
		STORE_TEST(restore_deletes_the_templates_nobody_takes_up),
		STORE_TEST(templates_are_bounded),
		STORE_TEST(restored_indexes_name_their_exporters),
		STORE_TEST(restore_stops_when_told),
		STORE_TEST(restore_refuses_words_it_does_not_know),
		STORE_TEST(unclean_stops_are_counted),
		STORE_TEST(a_killed_writer_loses_no_committed_batch),
		STORE_TEST(a_write_to_a_locked_file_is_busy),
		STORE_TEST(a_full_disk_loses_nothing),
		STORE_TEST(a_failed_batch_teaches_nothing),
		STORE_TEST(a_stopped_store_can_be_read_without_writing),
		STORE_TEST(the_log_does_not_grow_without_end),
	};

	return RUN_TESTS(tests);
}
