/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fixed work for a counter of instructions (tests/e2e/test_instructions.sh):
 *
 *	count decode FEED | count engine MIX | count list
 *
 * All input is made beforehand, seeded, with hash keys of zero; the work is
 * the function measured(). Prints how many records that were.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/encode.h"
#include "bench/stream.h"
#include "collector/decoder.h"
#include "exposure/engine.h"

#define DATAGRAMS	   500
#define RECORDS_A_DATAGRAM 24
#define NOW_MS		   INT64_C(1700000000000)
#define SECOND_MS	   1000
#define FINDINGS	   50000
#define EXIT_USAGE	   2

static const struct feed {
	const char *name;
	uint32_t version;
	enum layout layout;
	struct traffic_config traffic; /* its shares */
} feeds[] = {
	{ "v5", 5, LAYOUT_PLAIN, { .fresh = 0.5, .scans = 0.05 } },
	{ "v9", 9, LAYOUT_PLAIN, { .fresh = 0.5, .scans = 0.05 } },
	{ "ipfix", 10, LAYOUT_PLAIN, { .fresh = 0.5, .scans = 0.05 } },
	{ "ipfix-wide", 10, LAYOUT_WIDE, { .fresh = 0.5, .scans = 0.05 } },
	{ "ipfix-variable", 10, LAYOUT_VARIABLE,
	    { .fresh = 0.5, .scans = 0.05 } },
};

static const struct feed mixes[] = {
	{ "steady", 10, LAYOUT_PLAIN, { .fresh = 0.5, .scans = 0.05 } },
	{ "border", 10, LAYOUT_PLAIN, { .fresh = 1, .scans = 0.5 } },
	{ "flood", 10, LAYOUT_PLAIN,
	    { .fresh = 1, .scans = 0.05, .spoofed = 0.9 } },
	{ "web", 10, LAYOUT_PLAIN, { .fresh = 1, .shared_times = true } },
	{ "v6", 10, LAYOUT_PLAIN, { .fresh = 0.5, .scans = 0.05, .ipv6 = 1 } },
};
#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* What is worked on; one of the two is NULL. */
struct work {
	const struct stream *stream;
	struct decoder *decoder;
	struct flow_batch *batches; /* the engine's input, */
	uint32_t batch_count;	    /* a second each */
	struct engine *engine;
	struct finding_batch *findings;
};

static struct counters counters;
static struct flow_batch batch;

static void
decode_all(const struct work *w)
{
	static const uint8_t loopback[4] = { 127, 0, 0, 1 };
	struct datagram in = { .received_ms = NOW_MS };

	in.source = addr_from_v4(loopback);
	for (uint32_t i = 0; i < w->stream->count; i++) {
		if (FLOW_BATCH_MAX - batch.count < FLOW_DATAGRAM_MAX)
			batch.count = 0;
		in.data = w->stream->octets + w->stream->starts[i];
		in.length = w->stream->starts[i + 1] - w->stream->starts[i];
		(void)decoder_decode(w->decoder, &in, &batch);
	}
}

static void
judge_all(const struct work *w)
{
	for (uint32_t i = 0; i < w->batch_count; i++) {
		engine_take(w->engine, &w->batches[i]);
		engine_tick(w->engine, NOW_MS + (i + 1) * SECOND_MS);
		do {
			w->findings->count = 0;
		} while (engine_collect(w->engine, w->findings));
	}
}

/* Its name is the counter's mark: not inlined, and nothing else in it. */
__attribute__((noinline)) static void
measured(const struct work *w)
{
	if (w->engine != NULL)
		judge_all(w);
	else
		decode_all(w);
}

static struct stream *
make_stream(const struct feed *f)
{
	struct encode_config encode = { RECORDS_A_DATAGRAM, RECORDS_A_DATAGRAM,
		50, 0, { 0 } };
	struct traffic_config config = f->traffic;
	struct traffic *traffic;
	struct encoder encoder;
	struct stream *s;

	config.seed = 1;
	config.clients = 10000;
	config.services = 1000;
	config.scanners = 100;
	encode.weight[f->layout] = 1;
	traffic = traffic_new(&config);
	if (traffic == NULL)
		abort();
	encode_init(&encoder, &encode, traffic, f->version, 1, 0, 1);
	s = stream_new(&encoder, DATAGRAMS, NOW_MS);
	traffic_free(traffic);
	if (s == NULL)
		abort();
	return s;
}

/* Decodes the stream into batches, each received a second later. */
static void
fill_batches(struct work *w)
{
	for (uint32_t i = 0; i < w->stream->count; i++) {
		struct datagram in = { .data = w->stream->octets +
					       w->stream->starts[i],
			.length =
			    w->stream->starts[i + 1] - w->stream->starts[i] };
		static const uint8_t loopback[4] = { 127, 0, 0, 1 };
		struct flow_batch *last = &w->batches[w->batch_count];

		if (FLOW_BATCH_MAX - last->count < FLOW_DATAGRAM_MAX)
			last = &w->batches[++w->batch_count];
		in.source = addr_from_v4(loopback);
		in.received_ms = NOW_MS + w->batch_count * SECOND_MS;
		(void)decoder_decode(w->decoder, &in, last);
	}
	w->batch_count++;
}

static void
prepare_engine(struct work *w)
{
	struct engine_config config = engine_config_default();
	struct network network;

	if (network_parse("10.20.0.0/16", &network) != ERR_OK ||
	    prefix_set_add(&config.internal, &network) != ERR_OK ||
	    network_parse("2001:db8:a::/48", &network) != ERR_OK ||
	    prefix_set_add(&config.internal, &network) != ERR_OK)
		abort();
	w->batches =
	    calloc(w->stream->records / (FLOW_BATCH_MAX - FLOW_DATAGRAM_MAX) +
		       2,
		sizeof(*w->batches));
	w->findings = finding_batch_new(FINDINGS);
	w->engine = engine_new(&config, &counters);
	if (w->batches == NULL || w->findings == NULL || w->engine == NULL)
		abort();
	fill_batches(w);
}

static int
run(const struct feed *f, bool with_engine)
{
	struct decoder_config config = decoder_config_default();
	struct stream *stream = make_stream(f);
	struct work w = { .stream = stream,
		.decoder = decoder_new(&config, &counters) };

	if (w.decoder == NULL)
		abort();
	if (with_engine)
		prepare_engine(&w);
	measured(&w);
	printf("%" PRIu64 "\n",
	    counter_get(&counters, COUNTER_RECORDS_DELIVERED));
	engine_free(w.engine);
	free(w.findings);
	free(w.batches);
	decoder_free(w.decoder);
	stream_free(stream);
	return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
	bool with_engine = argc == 3 && strcmp(argv[1], "engine") == 0;
	const struct feed *list = with_engine ? mixes : feeds;
	size_t count = with_engine ? LENGTH(mixes) : LENGTH(feeds);

	if (argc == 2 && strcmp(argv[1], "list") == 0) {
		for (size_t i = 0; i < LENGTH(feeds); i++)
			printf("decode %s\n", feeds[i].name);
		for (size_t i = 0; i < LENGTH(mixes); i++)
			printf("engine %s\n", mixes[i].name);
		return EXIT_SUCCESS;
	}
	if (argc == 3 && (with_engine || strcmp(argv[1], "decode") == 0))
		for (size_t i = 0; i < count; i++)
			if (strcmp(list[i].name, argv[2]) == 0)
				return run(&list[i], with_engine);
	fprintf(stderr, "usage: count decode FEED | engine MIX | list\n");
	return EXIT_USAGE;
}
