/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes decoder_decode(): the input is a sequence of [length, 2 octets]
 * [datagram], fed to one decoder, a second of time apart, from one of two
 * exporters (bit 15 of the length). Each datagram is a heap copy of its
 * exact size, so that reading one octet too many is seen.
 *
 * Oracle: every datagram ends in exactly one status; the data records
 * announced are delivered, unusable or refused; the library, behind the
 * gate, refuses and warns of nothing.
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

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static struct flow_batch batch;
	struct counters *counters = calloc(1, sizeof(*counters));
	struct decoder_config config = { .max_exporters = 4,
		.max_templates = 8,
		.max_fields = 64,
		.template_lifetime_ms = 5000 };
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
	decoder_free(d);
	free(counters);
	return 0;
}
