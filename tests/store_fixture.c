/* SPDX-License-Identifier: Apache-2.0 */
/* The store tests' folder, findings and look at the file. */
#include "tests/store_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "common/hash.h"
#include "common/log.h"

#define HOUR_MS 3600000
#define T0_MS	INT64_C(1790000000000) /* 2026-09-21T14:13:20Z */

static const struct hash_key zero_key;

int
fixture_setup(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return -1;
	strcpy(x->folder, "/tmp/darkport-test-XXXXXX");
	if (mkdtemp(x->folder) == NULL) {
		free(x);
		return -1;
	}
	snprintf(x->path, sizeof(x->path), "%s/x.db", x->folder);
	log_set_level(LOG_LEVEL_ERROR);
	*state = x;
	return 0;
}

int
fixture_teardown(void **state)
{
	struct fixture *x = *state;
	char path[512];
	struct dirent *entry;
	DIR *folder;

	store_close(x->store);
	folder = opendir(x->folder);
	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		snprintf(path, sizeof(path), "%s/%s", x->folder, entry->d_name);
		unlink(path);
	}
	if (folder != NULL)
		closedir(folder);
	rmdir(x->folder);
	free(x);
	return 0;
}

void
fixture_open(struct fixture *x)
{
	char message[STORE_MESSAGE_MAX] = "";
	int err = store_open(x->path, &x->counters, &x->store, message);

	if (err != ERR_OK)
		fail_msg("%s", message);
}

void
fixture_close(struct fixture *x)
{
	store_close(x->store);
	x->store = NULL;
}

int
fixture_try_open(struct fixture *x, char message[STORE_MESSAGE_MAX])
{
	struct store *s = NULL;
	int err;

	message[0] = '\0';
	err = store_open(x->path, &x->counters, &s, message);
	store_close(s);
	return err;
}

void
fixture_write(struct fixture *x, struct finding_batch *batch)
{
	char message[STORE_MESSAGE_MAX] = "";
	int err = store_write(x->store, batch, message);

	free(batch);
	if (err != ERR_OK)
		fail_msg("%s", message);
}

struct addr
fixture_addr(const char *text)
{
	struct addr a;

	assert_ok(addr_parse(text, &a));
	return a;
}

struct finding_batch *
fixture_batch(uint64_t sequence, uint32_t max)
{
	struct finding_batch *b = finding_batch_new(max);

	assert_non_null(b);
	b->sequence = sequence;
	return b;
}

static struct finding *
add(struct finding_batch *b, enum finding_kind kind)
{
	struct finding *f = finding_batch_add(b, kind);

	assert_non_null(f);
	return f;
}

/* 10.0.0.0 and n; 203.0.113.0 and n, spilling over. */
static struct addr
inside(uint32_t n)
{
	return addr_from_v4((uint8_t[]){ 10, (uint8_t)(n >> 16),
	    (uint8_t)(n >> 8), (uint8_t)n });
}

static struct addr
outside(uint32_t n)
{
	return addr_from_v4((uint8_t[]){ 203, (uint8_t)(n >> 16),
	    (uint8_t)(113 + (n >> 8)), (uint8_t)n });
}

struct finding *
add_network(struct finding_batch *b, const char *text)
{
	struct finding *f = add(b, FINDING_NETWORK);

	assert_ok(network_parse(text, &f->network));
	return f;
}

struct finding *
add_exporter(struct finding_batch *b, uint32_t index)
{
	static const uint8_t protocols[] = { 5, 9, 10 };
	struct finding *f = add(b, FINDING_EXPORTER);

	f->exporter = (struct finding_exporter){
		.address = addr_from_v4(
		    (uint8_t[]){ 192, 0, 2, (uint8_t)(index + 1) }),
		.first_seen_ms = T0_MS + 7,
		.last_seen_ms = T0_MS + 1000 + index,
		.datagrams = 100 + index,
		.records = 3000 + index,
		.lost = index,
		.index = index,
		.domain = UINT32_MAX - index,
		.templates = 4,
		.protocol = protocols[index % 3],
		.unknown_template_sets = 5,
		.templates_changed = 6,
		.restarts = 7,
		.duplicates = 8,
		.reordered = 9,
		.refused = 10,
		.clock_offset_ms = -11 - (int64_t)index,
		.sampling = 100,
		.active_timeout_s = 60 * index, /* the first one: not told */
		.idle_timeout_s = 15 * index,
		.shared_address = index == 2,
	};
	snprintf(f->exporter.name, LABEL_MAX, "edge%u", (unsigned)index);
	return f;
}

struct finding *
add_exporter_hour(struct finding_batch *b, uint32_t index)
{
	struct finding *f = add(b, FINDING_EXPORTER_HOUR);

	f->exporter_hour = (struct finding_exporter_hour){
		.exporter = index,
		.hour_ms = T0_MS / HOUR_MS * HOUR_MS,
		.datagrams = 9,
		.records = 99,
		.lost = 1,
	};
	return f;
}

struct finding *
add_template(struct finding_batch *b, uint32_t exporter, uint16_t id,
    uint16_t part, uint16_t parts)
{
	struct finding *f = add(b, FINDING_TEMPLATE);
	struct finding_template *t = &f->template_part;

	t->exporter = exporter;
	t->source_port = 2055;
	t->kind = 1;
	t->id = id;
	t->part = part;
	t->parts = parts;
	t->learned_ms = T0_MS + id;
	t->length = part + 1 == parts ? 3 : TEMPLATE_PART_OCTETS;
	memset(t->octets, id + part, t->length);
	return f;
}

struct finding *
add_host(struct finding_batch *b, uint32_t n)
{
	struct finding *f = add(b, FINDING_HOST);

	f->host.address = inside(n);
	f->host.first_seen_ms = T0_MS + n;
	f->host.last_seen_ms = T0_MS + HOUR_MS + n;
	strcpy(f->host.label, "servers");
	return f;
}

struct finding *
add_exposure(struct finding_batch *b, uint32_t n)
{
	struct finding *f = add(b, FINDING_EXPOSURE);
	struct finding_exposure *e = &f->exposure;

	*e = (struct finding_exposure){
		.id = n,
		.host = inside(n / 4 + 1),
		.first_client = outside(n % 200 + 1),
		.first_ms = T0_MS + n,
		.last_ms = T0_MS + HOUR_MS + 2 * n,
		.refused_ms = n % 3 == 0 ? T0_MS + 3 * n : 0,
		.accepted = 10 + n,
		.refused = n % 3 == 0,
		.alert_id = n % 5,
		.event_id = n % 7,
		.clients = 9 + n,
		.exporter = 0,
		.evidence = 0x80000001 + n,
		.port = (uint16_t)(20 + n % 4),
		.first_client_port = (uint16_t)(40000 + n % 1000),
		.proto = 6,
		.state = EXPOSURE_OPEN,
		.tier = TIER_CONFIRMED,
		.vetting = VETTING_UNVETTED,
		.rule = RULE_A1_D1,
		.confidence = CONFIDENCE_HIGH,
	};
	for (uint32_t i = 0; i < CLIENT_EXACT; i++)
		e->sketch.exact[i] = 0x01020304 * (i + 1) + n;
	for (uint32_t i = 0; i < CLIENT_REGISTERS; i++)
		e->sketch.registers[i] = (uint8_t)(i + n);
	e->sketch.count = CLIENT_EXACT + 1;
	return f;
}

struct finding *
add_trans_darkport(struct finding_batch *b, uint32_t n)
{
	struct finding *f = add(b, FINDING_TRANS_DARKPORT);

	f->trans_darkport = (struct finding_trans_darkport){
		.id = n,
		.exposure_id = n,
		.host = inside(n / 4 + 1),
		.first_client = outside(n % 200 + 1),
		.opened_ms = T0_MS + 1000 * (int64_t)n + 1,
		.dark_since_ms = n % 2 == 0 ? T0_MS : 0,
		.exporter = 0,
		.port = (uint16_t)(20 + n % 4),
		.first_client_port = (uint16_t)(40000 + n % 1000),
		.proto = 6,
		.state = ALERT_NEW,
		.first_client_had_probed = n % 2 == 0,
	};
	return f;
}

struct finding *
add_scan_event(struct finding_batch *b, uint32_t n)
{
	struct finding *f = add(b, FINDING_SCAN_EVENT);

	f->scan_event = (struct finding_scan_event){
		.id = n,
		.src = outside(n % 200 + 1),
		.dst = inside(n % 1000 + 1),
		.ts_ms = T0_MS + 300 * (int64_t)n,
		.exporter = 0,
		.src_port = (uint16_t)(30000 + n % 1000),
		.port = (uint16_t)n,
		.proto = 6,
		.technique = TECHNIQUE_SYN,
		.answer = ANSWER_REFUSED,
		.place = PLACE_DARKPORT,
		.phase = PHASE_OPERATION,
		.rule = RULE_R1,
		.confidence = CONFIDENCE_MED,
	};
	return f;
}

static void
add_exposures_of_every_state(struct finding_batch *b)
{
	struct finding_exposure *e;

	for (uint32_t n = 4; n < 10; n++)
		add_exposure(b, n);
	e = &add_exposure(b, 10)->exposure;
	e->state = EXPOSURE_STALE;
	e->tier = TIER_PROBABLE;
	e->vetting = VETTING_AUTHORISED;
	e = &add_exposure(b, 11)->exposure;
	e->state = EXPOSURE_CLOSED;
	e->closed_ms = T0_MS + HOUR_MS;
	e = &add_exposure(b, 12)->exposure;
	e->tier = TIER_HINT;
	e = &add_exposure(b, 13)->exposure;
	e->tier = TIER_TRANSIENT;
	e->listener = LISTENER_FTP;
	e->host = fixture_addr("2001:db8::80");
	e->first_client = fixture_addr("::");
	e->exporter = 1;
	e = &add_exposure(b, 14)->exposure;
	e->proto = 17;
	e->port = 53;
	e->exporter = 77; /* nobody said who that is */
}

/* A host whose map is frozen, and a time in which it was before. */
static void
add_guards(struct finding_batch *b)
{
	struct finding_host_guard *g = &add(b, FINDING_HOST_GUARD)->host_guard;

	*g = (struct finding_host_guard){ .host = inside(2),
		.since_ms = T0_MS,
		.until_ms = T0_MS + HOUR_MS,
		.turned_away = 5 };
	g = &add(b, FINDING_HOST_GUARD)->host_guard;
	*g = (struct finding_host_guard){ .host = inside(2),
		.since_ms = T0_MS + 2 * HOUR_MS,
		.turned_away = 300 };
}

static void
add_feeds(struct finding_batch *b)
{
	struct finding *f = add(b, FINDING_FEED);
	struct network network;

	f->feed = (struct finding_feed){ .value = FEED_VISIBILITY_BOTH,
		.samples = 812,
		.agreeing = 809,
		.state = 7,
		.changed_ms = T0_MS,
		.event_id = 1,
		.property = FEED_VISIBILITY,
		.source = FEED_SOURCE_LEARNED };
	f = add(b, FINDING_FEED);
	assert_ok(network_parse("10.0.0.0/24", &network));
	f->feed = b->findings[b->count - 2].feed;
	f->feed.network = network.prefix;
	f->feed.has_network = true;
	f->feed.value = FEED_VISIBILITY_ONE_SIDED;
	f = add(b, FINDING_FEED_EVENT);
	f->feed_event = (struct finding_feed_event){ .id = 1,
		.ts_ms = T0_MS,
		.from = FEED_VISIBILITY_UNKNOWN,
		.to = FEED_VISIBILITY_BOTH,
		.samples = 100,
		.property = FEED_VISIBILITY,
		.source = FEED_SOURCE_LEARNED };
}

struct finding_batch *
fixture_world(uint64_t sequence)
{
	struct finding_batch *b = fixture_batch(sequence, 200);
	struct finding *f;

	add_network(b, "10.0.0.0/8=servers");
	add_network(b, "10.0.9.0/24=lab");
	add_network(b, "2001:db8::/32");
	for (uint32_t i = 0; i < 3; i++)
		add_exporter(b, i);
	for (uint32_t i = 0; i < 3; i++)
		add_exporter_hour(b, i);
	for (uint16_t part = 0; part < 3; part++)
		add_template(b, 1, 256, part, 3);
	add_template(b, 2, 257, 0, 1);
	f = add(b, FINDING_ENGINE);
	f->engine = (struct finding_engine){ T0_MS + 2 * HOUR_MS, T0_MS,
		HOUR_MS, 15, 6, 31 };
	for (uint32_t n = 2; n < 5; n++)
		add_host(b, n);
	f = add_host(b, 0);
	f->host.address = fixture_addr("2001:db8::80");
	f->host.label[0] = '\0';
	add_exposures_of_every_state(b);
	add_guards(b);
	for (uint32_t n = 6; n < 9; n++)
		add_trans_darkport(b, n);
	add_trans_darkport(b, 11)->trans_darkport.state = ALERT_ACKNOWLEDGED;
	for (uint32_t n = 1; n < 31; n++)
		add_scan_event(b, n)->scan_event.place =
		    n % 3 == 0 ? PLACE_NEM : PLACE_DARKPORT;
	for (uint8_t i = 1; i < 4; i++) {
		f = add(b, FINDING_OUTCOME);
		f->outcome =
		    (struct finding_outcome){ T0_MS / HOUR_MS * HOUR_MS +
						  i * HOUR_MS - HOUR_MS,
			    10 * i, 0, OUTCOME_REFUSED, RULE_R1, REASON_NONE };
	}
	f = add(b, FINDING_OUTCOME);
	f->outcome = (struct finding_outcome){ T0_MS / HOUR_MS * HOUR_MS, 5, 0,
		OUTCOME_UNRESOLVED, RULE_S2, REASON_SAMPLED };
	f = add(b, FINDING_OUTCOME);
	f->outcome = (struct finding_outcome){ T0_MS / HOUR_MS * HOUR_MS, 7,
		UINT32_MAX, OUTCOME_UNKNOWN_DIR, RULE_D9, REASON_NONE };
	add_feeds(b);
	f = add(b, FINDING_COUNTER);
	f->counter = (struct finding_counter){ 42, COUNTER_FLOWS };
	f = add(b, FINDING_COUNTER);
	f->counter = (struct finding_counter){ 3, COUNTER_SEQUENCE_LOST };
	return b;
}

void
fixture_text(const struct fixture *x, const char *sql, char *out, size_t size)
{
	sqlite3_stmt *stmt = NULL;
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(x->path, &db, SQLITE_OPEN_READONLY, NULL);

	sqlite3_busy_timeout(db, 5000);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	snprintf(out, size, "%s",
	    sqlite3_column_type(stmt, 0) == SQLITE_NULL
		? "null"
		: (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	sqlite3_close(db);
}

int64_t
fixture_int(const struct fixture *x, const char *sql)
{
	char text[64];

	fixture_text(x, sql, text, sizeof(text));
	return strtoll(text, NULL, 10);
}

uint64_t
fixture_file_hash(const char *path)
{
	uint8_t octets[65536];
	uint64_t hash = 0;
	FILE *file = fopen(path, "rb");
	size_t n;

	assert_non_null(file);
	while ((n = fread(octets, 1, sizeof(octets), file)) > 0)
		hash = hash * 31 + hash_octets(&zero_key, octets, n);
	fclose(file);
	return hash;
}

static int
hash_row(void *arg, int columns, char **values, char **names)
{
	uint64_t *hash = arg;

	(void)names;
	for (int i = 0; i < columns; i++)
		if (values[i] != NULL)
			*hash = *hash * 31 + hash_octets(&zero_key, values[i],
						 strlen(values[i]));
	return 0;
}

static int
hash_table(void *arg, int columns, char **values, char **names)
{
	(void)names;
	if (columns == 1)
		sqlite3_str_appendf(arg, "SELECT '%q', * FROM %Q;", values[0],
		    values[0]);
	return 0;
}

uint64_t
fixture_rows_hash(const struct fixture *x)
{
	sqlite3_str *text = sqlite3_str_new(NULL);
	uint64_t hash = 0;
	sqlite3 *db;
	char *sql;
	int rc;

	rc = sqlite3_open_v2(x->path, &db, SQLITE_OPEN_READONLY, NULL);
	assert_int_equal(rc, SQLITE_OK);
	rc = sqlite3_exec(db,
	    "SELECT name FROM sqlite_schema WHERE type = 'table'"
	    " ORDER BY name",
	    hash_table, text, NULL);
	assert_int_equal(rc, SQLITE_OK);
	sql = sqlite3_str_finish(text);
	rc = sqlite3_exec(db, sql, hash_row, &hash, NULL);
	assert_int_equal(rc, SQLITE_OK);
	sqlite3_free(sql);
	sqlite3_close(db);
	return hash;
}

void
fixture_write_file(const char *path, const void *octets, size_t length)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, octets, length), (ssize_t)length);
	close(fd);
}
