/* SPDX-License-Identifier: Apache-2.0 */
/* Sequences of datagrams into a decoder. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire.h"
#include "tests/replay.h"

#define START_MS    (INT64_C(1700000000) * 1000)
#define APART_MS    1000
#define SOURCE_PORT 2055

static const uint8_t source[4] = { 10, 9, 0, 1 };

static void *
allocated(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

struct decoder_config
replay_small_tables(void)
{
	struct decoder_config config = decoder_config_default();

	config.max_exporters = 2;
	config.max_domains = 4;
	config.accept_any = true;
	config.max_templates = 8;
	config.max_fields = 64;
	config.template_lifetime_ms = INT64_C(5) * APART_MS;
	return config;
}

void
replay_start(struct replay *r, const struct decoder_config *config)
{
	memset(&r->counters, 0, sizeof(r->counters));
	r->decoder = allocated(decoder_new(config, &r->counters));
	r->datagrams = 0;
	r->records = 0;
	r->batch.count = 0;
}

void
replay_end(struct replay *r)
{
	decoder_free(r->decoder);
	r->decoder = NULL;
}

void
replay_one(struct replay *r, const uint8_t *octets, size_t length,
    uint16_t version)
{
	uint8_t *copy = allocated(malloc(length + (length == 0)));
	const struct datagram in = { copy, length,
		START_MS + (int64_t)r->datagrams * APART_MS,
		addr_from_v4(source), SOURCE_PORT };

	if (length > 0)
		memcpy(copy, octets, length);
	if (version != REPLAY_AS_SENT && length >= sizeof(version))
		wire_put_u16(copy, version);
	r->batch.count = 0;
	(void)decoder_decode(r->decoder, &in, &r->batch);
	r->datagrams++;
	r->records += r->batch.count;
	free(copy);
}

void
replay_octets(struct replay *r, const uint8_t *octets, size_t length,
    uint16_t version, replay_fn fn, void *arg)
{
	struct wire input = wire_over(octets, length);

	while (wire_left(&input) >= sizeof(uint16_t)) {
		size_t size = wire_u16(&input);

		if (size > wire_left(&input))
			size = wire_left(&input);
		replay_one(r, wire_take(&input, size), size, version);
		if (fn != NULL)
			fn(r, arg);
	}
}

/* How many datagrams ended in some status: decoded, or refused for a reason. */
static uint64_t
ended(const struct replay *r)
{
	static const char refused[] = "datagrams_refused_";
	uint64_t sum = counter_get(&r->counters, COUNTER_DATAGRAMS_DECODED);

	for (unsigned i = 0; i < COUNTER_COUNT; i++)
		if (strncmp(counter_name((enum counter)i), refused,
			sizeof(refused) - 1) == 0)
			sum += counter_get(&r->counters, (enum counter)i);
	return sum;
}

const char *
replay_lie(const struct replay *r)
{
	const struct counters *c = &r->counters;
	uint64_t delivered = counter_get(c, COUNTER_RECORDS_DELIVERED);

	if (ended(r) != r->datagrams)
		return "a datagram has no status, or two";
	if (counter_get(c, COUNTER_RECORDS_ANNOUNCED) !=
	    delivered + counter_get(c, COUNTER_RECORDS_UNUSABLE) +
		counter_get(c, COUNTER_RECORDS_REFUSED))
		return "records announced are not those accounted for";
	if (r->records < delivered || r->records > 2 * delivered)
		return "a record gave no flow, or more than two";
	if (counter_get(c, COUNTER_RECORDS_REFUSED) != 0)
		return "the library did not give a record";
	if (counter_get(c, COUNTER_MESSAGES_REFUSED) != 0)
		return "the library refused a message";
	if (counter_get(c, COUNTER_FIXBUF_WARNINGS) != 0)
		return "the library warned";
	return NULL;
}

/* The batch may only hold sane records. */
static void
check_batch(struct replay *r, void *arg)
{
	char text[FLOW_TEXT_MAX];

	(void)arg;
	if (r->batch.count > FLOW_DATAGRAM_MAX)
		abort();
	for (uint32_t i = 0; i < r->batch.count; i++) {
		const struct flow_record *f = &r->batch.records[i];

		if (f->exporter >= decoder_exporter_count(r->decoder) ||
		    strlen(flow_format(f, text)) >= FLOW_TEXT_MAX - 1)
			abort();
	}
}

void
replay_fuzz(const uint8_t *octets, size_t length, uint16_t version)
{
	static struct replay r; /* large, and most of it is not touched */
	const struct decoder_config config = replay_small_tables();
	const char *lie;

	replay_start(&r, &config);
	replay_octets(&r, octets, length, version, check_batch, NULL);
	lie = replay_lie(&r);
	if (lie != NULL) {
		fprintf(stderr, "%s\n", lie);
		abort();
	}
	replay_end(&r);
}
