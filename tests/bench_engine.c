/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine alone, from memory: CPU time a record, by mix of traffic. The
 * records are decoded beforehand, a second of data holds a million of them,
 * and findings are collected each second, as the daemon does. CPU time; the
 * median of several rounds, each with an engine of its own. Exit 1 when an
 * exposure that was offered is not found. An argument: only this mix.
 * Then what a conversation takes in memory: by its types, and by how much the
 * process grows while a table fills.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/encode.h"
#include "collector/decoder.h"
#include "exposure/engine.h"
#include "exposure/pairs.h"
#include "tests/cpu_time.h"

#define RECORDS_A_DATAGRAM 24
#define SECOND_RECORDS	   (1000 * 1000)
#define SECONDS		   2
#define ROUNDS		   3
#define NOW_MS		   INT64_C(1700000000000)
#define FINDINGS	   50000
#define ENTRIES		   (1U << 20)

static const struct mix {
	const char *name;
	struct traffic_config traffic;
} mixes[] = {
	{ "steady", { .fresh = 0.5, .scans = 0.05 } },
	{ "border", { .fresh = 1, .scans = 0.5 } },
	{ "flood", { .fresh = 1, .scans = 0.05, .spoofed = 0.9 } },
	{ "web", { .fresh = 1, .shared_times = true } },
	{ "v6", { .fresh = 0.5, .scans = 0.05, .ipv6 = 1 } },
};

static const struct encode_config encode = { RECORDS_A_DATAGRAM,
	RECORDS_A_DATAGRAM, 1000, 0, { 1, 0, 0 } };

static const uint8_t loopback[4] = { 127, 0, 0, 1 };

/* One round's parts, and what it took. */
struct round {
	struct engine *engine;
	struct finding_batch *findings;
	struct decoder *decoder;
	struct traffic *traffic;
	struct encoder encoder;
	struct flow_batch batch;
	struct counters counters;
	int64_t taken_ns;     /* engine_take() */
	int64_t collected_ns; /* engine_tick() and engine_collect() */
	uint64_t records;
};

/* Fills the batch; nothing of it is measured. */
static void
make_batch(struct round *r, int64_t now_ms)
{
	struct datagram in = { .received_ms = now_ms };
	struct encoded one;

	in.source = addr_from_v4(loopback);
	r->batch.count = 0;
	while (FLOW_BATCH_MAX - r->batch.count >= FLOW_DATAGRAM_MAX) {
		encode_next(&r->encoder, now_ms, &one);
		in.data = one.octets;
		in.length = one.length;
		(void)decoder_decode(r->decoder, &in, &r->batch);
	}
}

static void
collect(struct round *r, int64_t now_ms)
{
	int64_t start = cpu_time_ns();

	engine_tick(r->engine, now_ms);
	do {
		r->findings->count = 0;
	} while (engine_collect(r->engine, r->findings));
	r->collected_ns += cpu_time_ns() - start;
}

static void
run(struct round *r)
{
	for (int second = 0; second < SECONDS; second++) {
		uint64_t taken = 0;

		while (taken < SECOND_RECORDS) {
			int64_t start;
			int64_t now_ms =
			    NOW_MS + second * 1000 +
			    (int64_t)(taken * 1000 / SECOND_RECORDS);

			make_batch(r, now_ms);
			start = cpu_time_ns();
			engine_take(r->engine, &r->batch);
			r->taken_ns += cpu_time_ns() - start;
			taken += r->batch.count;
			if (engine_is_crowded(r->engine))
				collect(r, now_ms);
		}
		r->records += taken;
		collect(r, NOW_MS + (second + 1) * 1000);
	}
}

static struct round *
round_new(const struct mix *mix)
{
	struct round *r = calloc(1, sizeof(*r));
	struct decoder_config decoder = decoder_config_default();
	struct engine_config config = engine_config_default();
	struct traffic_config traffic = mix->traffic;
	struct network network;

	if (r == NULL || network_parse("10.20.0.0/16", &network) != ERR_OK ||
	    prefix_set_add(&config.internal, &network) != ERR_OK ||
	    network_parse("2001:db8:a::/48", &network) != ERR_OK ||
	    prefix_set_add(&config.internal, &network) != ERR_OK)
		abort();
	config.key = hash_key_random();
	traffic.seed = 1;
	traffic.clients = 10000;
	traffic.services = 1000;
	traffic.scanners = 100;
	r->decoder = decoder_new(&decoder, &r->counters);
	r->engine = engine_new(&config, &r->counters);
	r->findings = finding_batch_new(FINDINGS);
	r->traffic = traffic_new(&traffic);
	if (r->decoder == NULL || r->engine == NULL || r->findings == NULL ||
	    r->traffic == NULL)
		abort();
	encode_init(&r->encoder, &encode, r->traffic, 10, 1, 0, 1);
	return r;
}

static void
round_free(struct round *r)
{
	engine_free(r->engine);
	decoder_free(r->decoder);
	traffic_free(r->traffic);
	free(r->findings);
	free(r);
}

static int
measure(const struct mix *mix)
{
	double taken[ROUNDS];
	double collected[ROUNDS];
	uint64_t shed = 0;
	uint64_t scans = 0;
	uint64_t missing = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct round *r = round_new(mix);
		struct engine_summary now;
		uint64_t offered;

		run(r);
		engine_summary(r->engine, &now);
		offered = traffic_counts(r->traffic).exposures;
		missing +=
		    offered > now.exposures ? offered - now.exposures : 0;
		shed = counter_get(&r->counters, COUNTER_SHED_PAIRS);
		scans = counter_get(&r->counters, COUNTER_SHED_SCANS);
		taken[i] = (double)r->taken_ns / (double)r->records;
		collected[i] = (double)r->collected_ns / (double)r->records;
		round_free(r);
	}
	printf("%-14s %8.1f %8.1f %12.2f %12" PRIu64 " %10" PRIu64 " %10" PRIu64
	       "\n",
	    mix->name, cpu_time_median(taken, ROUNDS),
	    cpu_time_median(collected, ROUNDS),
	    1e3 / (cpu_time_median(taken, ROUNDS) +
		      cpu_time_median(collected, ROUNDS)),
	    shed, scans, missing);
	return missing != 0;
}

/* Resident octets of this process (proc(5), statm). */
static double
resident(void)
{
	FILE *statm = fopen("/proc/self/statm", "r");
	char line[256];
	char *at;

	if (statm == NULL || fgets(line, sizeof(line), statm) == NULL)
		abort();
	fclose(statm);
	at = strchr(line, ' ');
	if (at == NULL)
		abort();
	return (double)strtoul(at, NULL, 10) * (double)sysconf(_SC_PAGESIZE);
}

/* Fills a table; attempts: each as one of a scanner, with a scan event. */
static void
measure_entries(const char *name, bool is_ipv6, bool attempts)
{
	struct pairs_config config = { .max = ENTRIES,
		.wait_ms = 120000,
		.revoke_ms = 1845000 };
	struct pairs *p;
	struct pair_key key = { .proto = 6 };
	size_t octets = pairs_entry_bytes(ENTRIES, is_ipv6) +
			(attempts ? sizeof(struct attempt) : 0);
	double before = resident();

	if (addr_parse(is_ipv6 ? "2001:db8::1" : "192.0.2.1", &key.outer) !=
		ERR_OK ||
	    addr_parse(is_ipv6 ? "2001:db8::2" : "192.0.2.2", &key.inner) !=
		ERR_OK ||
	    (p = pairs_new(&config)) == NULL)
		abort();
	for (uint32_t i = 0; i < ENTRIES; i++) {
		struct pair *pair;

		memcpy(key.outer.octets + 12, &i, sizeof(i));
		pair = pairs_add(p, &key, pairs_hash(p, &key), NOW_MS);
		pairs_set_tombstone(p, pair, NOW_MS);
		if (attempts)
			(void)pairs_make_attempt(p, pair);
	}
	printf("%-14s %8zu %12.1f\n", name, octets,
	    (resident() - before) / ENTRIES);
	pairs_free(p);
}

int
main(int argc, char **argv)
{
	int failed = 0;

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	printf("%-14s %8s %8s %12s %12s %10s %10s\n", "engine alone", "take ns",
	    "tick ns", "M records/s", "pairs shed", "of scans", "exp. lost");
	for (size_t i = 0; i < sizeof(mixes) / sizeof(mixes[0]); i++)
		if (argc < 2 || strcmp(argv[1], mixes[i].name) == 0)
			failed |= measure(&mixes[i]);
	if (argc >= 2)
		return failed;
	printf("\n%-14s %8s %12s\n", "octets a pair", "types", "resident");
	measure_entries("IPv4", false, false);
	measure_entries("IPv6", true, false);
	measure_entries("IPv4, scan", false, true);
	return failed;
}
