/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decoder alone, from memory: CPU time a record, by protocol and
 * template. CPU time, so that other load counts little; the median of
 * several rounds. Exit 1 when a record is not delivered.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/stream.h"
#include "collector/decoder.h"
#include "tests/cpu_time.h"

#define DATAGRAMS  1024 /* over and over */
#define RECORDS	   (1000 * 1000)
#define ROUNDS	   5
#define NOW_MS	   INT64_C(1700000000000)
#define BURST	   64 /* datagrams a batch, as the socket gives them */
#define V5_RECORDS 30

static const struct feed {
	const char *name;
	uint32_t version;
	uint32_t records;
	enum layout layout;
	double ipv6;
} feeds[] = {
	{ "v5", 5, V5_RECORDS, LAYOUT_PLAIN, 0 },
	{ "v9, 10 fields", 9, 24, LAYOUT_PLAIN, 0 },
	{ "v9, 19 fields", 9, 24, LAYOUT_WIDE, 0 },
	{ "IPFIX, 10 fields", 10, 24, LAYOUT_PLAIN, 0 },
	{ "IPFIX, 19 fields", 10, 24, LAYOUT_WIDE, 0 },
	{ "IPFIX, 10 fields, IPv6", 10, 24, LAYOUT_PLAIN, 1 },
	{ "IPFIX, variable length", 10, 24, LAYOUT_VARIABLE, 0 },
};

static const uint8_t loopback[4] = { 127, 0, 0, 1 };
static struct flow_batch batch;

static struct stream *
make_stream(const struct feed *f)
{
	struct encode_config encode = { f->records, f->records, DATAGRAMS, 0,
		{ 0 } };
	const struct traffic_config config = { .seed = 1,
		.clients = 10000,
		.services = 1000,
		.scanners = 100,
		.fresh = 1,
		.scans = 0.05,
		.ipv6 = f->ipv6 };
	struct traffic *traffic = traffic_new(&config);
	struct encoder encoder;
	struct stream *s = NULL;

	encode.weight[f->layout] = 1;
	if (traffic != NULL) {
		encode_init(&encoder, &encode, traffic, f->version, 1, 0, 1);
		s = stream_new(&encoder, DATAGRAMS, NOW_MS);
	}
	traffic_free(traffic);
	return s;
}

/* Returns nanoseconds a record. */
static double
decode_round(struct decoder *d, const struct stream *s)
{
	struct datagram in = { .received_ms = NOW_MS };
	int64_t start = cpu_time_ns();
	uint64_t records = 0;

	in.source = addr_from_v4(loopback);
	while (records < RECORDS) {
		for (uint32_t i = 0; i < s->count; i++) {
			if (i % BURST == 0)
				batch.count = 0;
			in.data = s->octets + s->starts[i];
			in.length = s->starts[i + 1] - s->starts[i];
			decoder_decode(d, &in, &batch);
		}
		records += s->records;
	}
	return (double)(cpu_time_ns() - start) / (double)records;
}

static int
measure(const struct feed *f)
{
	struct decoder_config config = decoder_config_default();
	static struct counters counters;
	struct stream *s = make_stream(f);
	struct decoder *d = decoder_new(&config, &counters);
	double rounds[ROUNDS];
	uint64_t missing;

	if (s == NULL || d == NULL)
		abort();
	for (int i = 0; i < ROUNDS; i++)
		rounds[i] = decode_round(d, s);
	printf("%-24s %8.1f %8.1f %12.1f\n", f->name,
	    cpu_time_median(rounds, ROUNDS), rounds[0],
	    1e3 / cpu_time_median(rounds, ROUNDS));
	missing = counter_get(&counters, COUNTER_RECORDS_ANNOUNCED) -
		  counter_get(&counters, COUNTER_RECORDS_DELIVERED);
	if (missing != 0)
		printf("%s: %" PRIu64 " records were not delivered\n", f->name,
		    missing);
	decoder_free(d);
	stream_free(s);
	return missing != 0;
}

int
main(void)
{
	int failed = 0;

	(void)setvbuf(stdout, NULL, _IOLBF, 0);

	printf("%-24s %8s %8s %12s\n", "decoder alone", "ns", "least",
	    "M records/s");
	for (size_t i = 0; i < sizeof(feeds) / sizeof(feeds[0]); i++)
		failed |= measure(&feeds[i]);
	return failed;
}
