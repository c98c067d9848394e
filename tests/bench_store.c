/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store alone: changed rows a second, by kind, on the file system of
 * TMPDIR.
 *
 *	bench_store [KIND]
 *
 * Batches as the daemon makes them, of at most 50,000 findings, are committed
 * one behind the other, each followed by the checkpoint the writer makes.
 * Printed: rows a second of wall clock, CPU time a row, and how long commits
 * took; medians of several rounds, each with a file of its own. Exit code 1
 * when the first, a busy border's mix, stays below 100,000 rows a second.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/random.h"
#include "common/log.h"
#include "store/store.h"
#include "tests/cpu_time.h"

#define BATCH_ROWS   50000
#define BATCHES	     8
#define ROUNDS	     3
#define TARGET_RATE  100000
#define CACHE_OCTETS (32 << 20) /* as the daemon has by default */
#define NOW_MS	     INT64_C(1700000000000)
#define NS_PER_S     1e9
#define NS_PER_MS    1e6

#define EXPOSURES 100000 /* of those written again; four a host */
#define SCANNERS  100
#define HOSTS	  1000 /* that are scanned */

/* Makes finding n of a round; the same n is the same finding. */
typedef void (*make_fn)(struct finding *f, uint64_t n, struct random *r);

struct round {
	double rows_a_s;
	double cpu_us;	  /* a row */
	double median_ms; /* of the commits */
	double worst_ms;
};

static struct addr
address(uint8_t net, uint32_t n)
{
	const uint8_t v4[4] = { net, (uint8_t)(n >> 16), (uint8_t)(n >> 8),
		(uint8_t)n };

	return addr_from_v4(v4);
}

static void
make_exposure(struct finding *f, uint64_t id, struct random *r)
{
	struct finding_exposure *e = &f->exposure;

	f->kind = FINDING_EXPOSURE;
	*e = (struct finding_exposure){
		.id = id + 1,
		.host = address(10, (uint32_t)id / 4),
		.first_client = address(198, (uint32_t)id % 10000),
		.first_ms = NOW_MS,
		.last_ms = NOW_MS + random_below(r, 100000),
		.accepted = random_below(r, 1000),
		.clients = random_below(r, 1000),
		.evidence = 1,
		.port = (uint16_t)(20 + id % 4),
		.proto = 6,
		.tier = TIER_CONFIRMED,
		.rule = RULE_A1_D1,
		.confidence = CONFIDENCE_HIGH,
	};
	for (unsigned i = 0; i < CLIENT_REGISTERS; i++)
		e->sketch.registers[i] = (uint8_t)random_below(r, 8);
	e->sketch.count = CLIENT_EXACT + 1;
}

static void
new_exposure(struct finding *f, uint64_t n, struct random *r)
{
	make_exposure(f, n, r);
}

static void
known_exposure(struct finding *f, uint64_t n, struct random *r)
{
	(void)n;
	make_exposure(f, random_below(r, EXPOSURES), r);
}

static void
host(struct finding *f, uint64_t n, struct random *r)
{
	(void)n;
	f->kind = FINDING_HOST;
	f->host = (struct finding_host){
		.address = address(10, random_below(r, EXPOSURES / 4)),
		.label = "servers",
		.first_seen_ms = NOW_MS,
		.last_seen_ms = NOW_MS + random_below(r, 100000),
	};
}

static void
make_event(struct finding *f, uint64_t n, struct addr source, struct random *r)
{
	f->kind = FINDING_SCAN_EVENT;
	f->scan_event = (struct finding_scan_event){
		.id = n + 1,
		.src = source,
		.dst = address(10, random_below(r, HOSTS)),
		.ts_ms = NOW_MS + (int64_t)n / 100,
		.port = (uint16_t)random_below(r, 65536),
		.src_port = (uint16_t)random_below(r, 65536),
		.proto = 6,
		.technique = TECHNIQUE_SYN,
		.answer = ANSWER_SILENT,
		.place = PLACE_DARKPORT,
		.phase = PHASE_OPERATION,
		.rule = RULE_S1,
		.confidence = CONFIDENCE_MED,
	};
}

/* What a record showed of one half. */
static struct shown_half
half(struct random *r)
{
	return (struct shown_half){
		.first_ms = NOW_MS + random_below(r, 100000),
		.packets = 1 + random_below(r, 10),
		.octets = 40 + random_below(r, 1000),
		.evidence = 1,
		.flags = 0x02,
		.shown = SHOWN_HALF,
	};
}

static void
scan_event(struct finding *f, uint64_t n, struct random *r)
{
	make_event(f, n, address(100, random_below(r, SCANNERS)), r);
}

static void
strangers_event(struct finding *f, uint64_t n, struct random *r)
{
	make_event(f, n, address(1, random_u32(r)), r);
}

/* As the engine writes most: with the half that asked. */
static void
shown_event(struct finding *f, uint64_t n, struct random *r)
{
	scan_event(f, n, r);
	f->scan_event.last_ms = f->scan_event.ts_ms;
	f->scan_event.outer = half(r);
}

/* Exposures, each with three witnesses behind it. */
static void
witness(struct finding *f, uint64_t n, struct random *r)
{
	uint64_t id = n % BATCH_ROWS / 4;

	if (n % 4 == 0) {
		make_exposure(f, id, r);
		return;
	}
	f->kind = FINDING_WITNESS;
	f->witness = (struct finding_witness){
		.exposure_id = id + 1,
		.index = (uint8_t)(n % 4),
		.witness = {
			.client = address(198, random_below(r, 10000)),
			.counted_ms = NOW_MS,
			.last_ms = NOW_MS + random_below(r, 100000),
			.outer = half(r),
			.inner = half(r),
			.client_port = (uint16_t)random_below(r, 65536),
			.roles = WITNESS_OPENER,
			.rule = RULE_A1_D1,
			.confidence = CONFIDENCE_HIGH,
		},
	};
}

/* As a busy border has them: mostly events, and the maps' signs of life. */
static void
mixed(struct finding *f, uint64_t n, struct random *r)
{
	switch (n % 10) {
	case 0:
		known_exposure(f, n, r);
		break;
	case 1:
		host(f, n, r);
		break;
	case 2:
		strangers_event(f, n, r);
		break;
	default:
		scan_event(f, n, r);
	}
}

static const struct kind {
	const char *name;
	make_fn make;
} kinds[] = {
	{ "mixed", mixed },
	{ "scan events", scan_event },
	{ "strangers' events", strangers_event },
	{ "with one half", shown_event },
	{ "new exposures", new_exposure },
	{ "known exposures", known_exposure },
	{ "with 3 witnesses", witness },
	{ "hosts", host },
};

static double
wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * NS_PER_S + (double)t.tv_nsec;
}

static void
commit(struct store *s, const struct finding_batch *batch)
{
	char message[STORE_MESSAGE_MAX];

	if (store_write(s, batch, message) != ERR_OK) {
		fprintf(stderr, "bench_store: %s\n", message);
		exit(1);
	}
	store_checkpoint(s, false);
}

static struct round
measure(struct store *s, make_fn make, struct finding_batch *batch)
{
	struct random r = random_seeded(1);
	double commits_ms[BATCHES];
	double wall = 0;
	double cpu = 0;
	struct round out = { 0 };

	for (int i = 0; i < BATCHES; i++) {
		double wall_start, took;
		int64_t cpu_start;

		batch->count = 0;
		batch->sequence = (uint64_t)i + 1;
		for (uint64_t n = 0; n < BATCH_ROWS; n++)
			make(finding_batch_add(batch, FINDING_HOST),
			    (uint64_t)i * BATCH_ROWS + n, &r);
		wall_start = wall_ns();
		cpu_start = cpu_time_ns();
		commit(s, batch);
		cpu += (double)(cpu_time_ns() - cpu_start);
		took = wall_ns() - wall_start;
		wall += took;
		commits_ms[i] = took / NS_PER_MS;
	}
	out.rows_a_s = BATCHES * BATCH_ROWS / (wall / NS_PER_S);
	out.cpu_us = cpu / 1e3 / BATCHES / BATCH_ROWS;
	out.median_ms = cpu_time_median(commits_ms, BATCHES); /* sorts them */
	out.worst_ms = commits_ms[BATCHES - 1];
	return out;
}

/* One round in a new file. */
static struct round
run_round(make_fn make, struct finding_batch *batch)
{
	static struct counters counters;
	static const char *const suffixes[] = { "", "-wal", "-shm", ".lock" };
	const char *tmp = getenv("TMPDIR");
	char folder[256], path[300], name[320];
	char message[STORE_MESSAGE_MAX];
	struct store *s = NULL;
	struct round out;

	snprintf(folder, sizeof(folder), "%s/bench-store-XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(folder) == NULL) {
		perror("bench_store");
		exit(1);
	}
	snprintf(path, sizeof(path), "%s/map.db", folder);
	if (store_open(path, &counters, &s, message) != ERR_OK) {
		fprintf(stderr, "bench_store: %s\n", message);
		exit(1);
	}
	out = measure(s, make, batch);
	store_close(s);
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
		(void)unlink(name);
	}
	(void)rmdir(folder);
	return out;
}

static int
measure_kind(const struct kind *k, struct finding_batch *batch)
{
	double rate[ROUNDS], cpu[ROUNDS], median[ROUNDS], worst[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		struct round r = run_round(k->make, batch);

		rate[i] = r.rows_a_s;
		cpu[i] = r.cpu_us;
		median[i] = r.median_ms;
		worst[i] = r.worst_ms;
	}
	printf("%-18s %10.0f %8.2f %10.0f %10.0f\n", k->name,
	    cpu_time_median(rate, ROUNDS), cpu_time_median(cpu, ROUNDS),
	    cpu_time_median(median, ROUNDS), cpu_time_median(worst, ROUNDS));
	return k == &kinds[0] && cpu_time_median(rate, ROUNDS) < TARGET_RATE;
}

int
main(int argc, char **argv)
{
	struct finding_batch *batch = finding_batch_new(BATCH_ROWS);
	int missed = 0;

	if (batch == NULL || store_take_cache(CACHE_OCTETS) != ERR_OK)
		abort();
	log_set_level(LOG_LEVEL_ERROR);
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	printf("%-18s %10s %8s %10s %10s\n", "store alone", "rows/s", "CPU us",
	    "median ms", "worst ms");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (argc < 2 || strcmp(argv[1], kinds[i].name) == 0)
			missed |= measure_kind(&kinds[i], batch);
	free(batch);
	return missed;
}
