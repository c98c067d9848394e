/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes decoder_decode(): the input is a sequence of [length, 2 octets]
 * [datagram], fed to one decoder, a second of time apart, from one of two
 * exporters (bit 15 of the length). Each datagram is a heap copy of its
 * exact size, so that reading one octet too many is seen.
 *
 * Oracle: every datagram ends in exactly one status; the data records
 * announced are delivered, unusable or refused; the library, behind the
 * gate, refuses and warns of nothing; what the exporters lost is what was
 * counted as lost and not recovered; another decoder takes all that this one
 * would keep over a restart, and anything else without harm.
 */
#include <stdlib.h>
#include <string.h>

#include "collector/decoder.h"
#include "common/wire.h"

#define SOURCE_BIT 0x8000U

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static const enum counter statuses[DECODE_STATUS_COUNT] = {
	COUNTER_DATAGRAMS_DECODED,
	COUNTER_REFUSED_NOT_EXPORT,
	COUNTER_REFUSED_SHORT,
	COUNTER_REFUSED_MALFORMED,
	COUNTER_REFUSED_EXPORTER_LIMIT,
	COUNTER_REFUSED_DOMAIN_LIMIT,
	COUNTER_REFUSED_NOT_ALLOWED,
};

static void
require(int truth)
{
	if (!truth)
		abort();
}

static void
check_counters(const struct counters *c, uint64_t datagrams)
{
	uint64_t ended = 0;

	for (unsigned i = 0; i < DECODE_STATUS_COUNT; i++)
		ended += counter_get(c, statuses[i]);
	require(ended == datagrams);
	require(counter_get(c, COUNTER_RECORDS_ANNOUNCED) ==
		counter_get(c, COUNTER_RECORDS_DELIVERED) +
		    counter_get(c, COUNTER_RECORDS_UNUSABLE) +
		    counter_get(c, COUNTER_RECORDS_REFUSED));
	require(counter_get(c, COUNTER_RECORDS_REFUSED) == 0);
	require(counter_get(c, COUNTER_MESSAGES_REFUSED) == 0);
	require(counter_get(c, COUNTER_FIXBUF_WARNINGS) == 0);
}

/* One datagram; the batch may only hold sane records. */
static void
decode_one(struct decoder *d, const uint8_t *octets, size_t length,
    unsigned from, int64_t now_ms, struct flow_batch *batch)
{
	uint8_t *copy = malloc(length + (length == 0));
	struct datagram in = { copy, length, now_ms, { { 0 } }, 2055 };
	char text[FLOW_TEXT_MAX];

	require(copy != NULL);
	memcpy(copy, octets, length);
	in.source.octets[15] = (uint8_t)(1 + from);
	batch->count = 0;
	require(decoder_decode(d, &in, batch) < DECODE_STATUS_COUNT);
	require(batch->count <= FLOW_DATAGRAM_MAX);
	for (uint32_t i = 0; i < batch->count; i++) {
		const struct flow_record *f = &batch->records[i];

		require(f->exporter < decoder_exporter_count(d));
		require(strlen(flow_format(f, text)) < FLOW_TEXT_MAX - 1);
	}
	free(copy);
}

static void
check_exporters(const struct decoder *d, const struct counters *c)
{
	uint64_t lost = 0;

	for (uint32_t i = 0; i < decoder_exporter_count(d); i++)
		lost += decoder_exporter(d, i).lost;
	require(lost == counter_get(c, COUNTER_SEQUENCE_LOST) -
			    counter_get(c, COUNTER_SEQUENCE_RECOVERED));
}

/* The end of the input as a memory, of every kind. */
static void
remember_anything(struct decoder *d, const unsigned char *data, size_t size)
{
	struct decoder_memory m = { .protocol = EXPORT_IPFIX, .id = 300 };
	size_t length = size < MEMORY_OCTETS_MAX ? size : MEMORY_OCTETS_MAX;

	memcpy(m.octets, data + (size - length), length);
	m.length = (uint16_t)length;
	for (m.kind = 0; m.kind <= MEMORY_NAMES + 1; m.kind++) {
		int err = decoder_remember(d, &m);

		require(err == ERR_OK || err == ERR_FORMAT || err == ERR_FULL);
	}
}

static void
check_memory(struct decoder *d, const struct decoder_config *config,
    const unsigned char *data, size_t size)
{
	struct counters *counters = calloc(1, sizeof(*counters));
	struct decoder *other;
	struct decoder_memory m;
	uint32_t cursor = 0;
	uint32_t given = 0;

	require(counters != NULL);
	other = decoder_new(config, counters);
	require(other != NULL);
	while (decoder_memory_next(d, &cursor, &m)) {
		require(decoder_remember(other, &m) == ERR_OK);
		given++;
	}
	require(given <= config->max_exporters * config->max_domains *
			     (config->max_templates + 4));
	require(!decoder_memory_next(other, &cursor, &m));
	remember_anything(other, data, size);
	decoder_free(other);
	free(counters);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static struct flow_batch batch;
	struct counters *counters = calloc(1, sizeof(*counters));
	struct decoder_config config = { .max_exporters = 4,
		.max_domains = 3,
		.max_templates = 8,
		.max_fields = 64,
		.template_lifetime_ms = 5000,
		.accept_any = true };
	struct decoder *d;
	struct wire input = wire_over(data, size);
	uint64_t datagrams = 0;

	require(counters != NULL);
	d = decoder_new(&config, counters);
	require(d != NULL);
	while (wire_left(&input) >= 2) {
		uint16_t head = wire_u16(&input);
		size_t length = head & ~SOURCE_BIT;

		if (length > wire_left(&input))
			length = wire_left(&input);
		decode_one(d, wire_take(&input, length), length,
		    (head & SOURCE_BIT) != 0,
		    INT64_C(1700000000000) + (int64_t)datagrams * 1000, &batch);
		datagrams++;
	}
	check_counters(counters, datagrams);
	check_exporters(d, counters);
	check_memory(d, &config, data, size);
	decoder_free(d);
	free(counters);
	return 0;
}
