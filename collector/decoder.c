/* SPDX-License-Identifier: Apache-2.0 */
/* The decode door: which protocol, whose datagram, and what became of it. */
#include <assert.h>
#include <stdlib.h>

#include "collector/decoder.h"
#include "collector/exporter.h"
#include "collector/gate.h"
#include "collector/header.h"
#include "collector/netflow5.h"
#include "collector/resolve.h"
#include "collector/template.h"

#define DEFAULT_EXPORTERS   1024
#define DEFAULT_TEMPLATES   256
#define DEFAULT_FIELDS	    128
#define DEFAULT_LIFETIME_MS (INT64_C(1800) * 1000)
#define TEMPLATES_EACH_MAX  4096

/*
 * The most halves a datagram can give: biflows of two IPv4 addresses, a
 * protocol and one octet of some reverse element.
 */
static_assert(FLOW_DATAGRAM_MAX >= 2 * (65535 / (4 + 4 + 1 + 1)),
    "a batch has room for any datagram");
static_assert(FLOW_BATCH_MAX >= FLOW_DATAGRAM_MAX,
    "an empty batch takes any datagram");

struct decoder {
	struct counters *counters;
	struct exporter_table *exporters;
	struct gate *gate;
};

/* What became of the data records of one datagram. */
struct outcome {
	uint32_t announced;
	uint32_t delivered;
	uint32_t unusable;
	uint32_t units; /* the sequence number counts them */
	bool units_known;
};

struct decoder_config
decoder_config_default(void)
{
	return (struct decoder_config){
		.max_exporters = DEFAULT_EXPORTERS,
		.max_templates = DEFAULT_TEMPLATES,
		.max_fields = DEFAULT_FIELDS,
		.template_lifetime_ms = DEFAULT_LIFETIME_MS,
	};
}

struct decoder *
decoder_new(const struct decoder_config *config, struct counters *counters)
{
	struct decoder *d = calloc(1, sizeof(*d));

	assert(config->max_templates >= 1 &&
	       config->max_templates <= TEMPLATES_EACH_MAX);
	if (d == NULL)
		return NULL;
	d->counters = counters;
	d->exporters = exporter_table_new(config->max_exporters, &config->key);
	if (d->exporters != NULL)
		d->gate = gate_new(config, d->exporters, counters);
	if (d->gate == NULL) {
		decoder_free(d);
		return NULL;
	}
	return d;
}

void
decoder_free(struct decoder *d)
{
	if (d == NULL)
		return;
	gate_free(d->gate);
	exporter_table_free(d->exporters);
	free(d);
}

/* Where the records of one datagram go. */
struct delivery {
	struct resolve_context context;
	struct flow_batch *batch;
	struct outcome outcome;
};

/* Appends what r resolves to. */
static void
deliver(const struct ie_record *r, uint64_t present, void *arg)
{
	struct delivery *to = arg;
	struct flow_batch *batch = to->batch;
	unsigned added = resolve_record(&to->context, r, present,
	    &batch->records[batch->count]);

	if (added == 0)
		to->outcome.unusable++;
	else
		to->outcome.delivered++;
	batch->count += added;
}

static void
decode_netflow5(struct delivery *to, struct wire body)
{
	struct ie_record r = { 0 };
	uint16_t count = to->context.header->count;

	for (uint32_t i = 0; i < count; i++) {
		netflow5_read(&body, &r);
		deliver(&r, NETFLOW5_PRESENT, to);
	}
	to->outcome.announced = count;
	to->outcome.units = count;
	to->outcome.units_known = true;
}

static void
decode_templated(struct decoder *d, struct exporter *e, struct delivery *to,
    struct wire body)
{
	struct gate_result result = gate_walk(d->gate, e, to->context.header,
	    body, to->context.received_ms, deliver, to);

	to->outcome.announced = result.announced;
	to->outcome.unusable += result.unusable;
	to->outcome.units = result.announced + result.options;
	to->outcome.units_known = result.all_counted;
}

static void
count_outcome(struct decoder *d, const struct outcome *o)
{
	counter_add(d->counters, COUNTER_RECORDS_ANNOUNCED, o->announced);
	counter_add(d->counters, COUNTER_RECORDS_DELIVERED, o->delivered);
	counter_add(d->counters, COUNTER_RECORDS_UNUSABLE, o->unusable);
	counter_add(d->counters, COUNTER_RECORDS_REFUSED,
	    o->announced - o->delivered - o->unusable);
}

static enum decode_status
decode(struct decoder *d, const struct datagram *in, struct flow_batch *batch)
{
	struct export_header header;
	struct delivery to = { .batch = batch };
	const struct outcome *o = &to.outcome;
	struct exporter *e;
	struct wire body;
	size_t trailing;
	enum decode_status status = header_read(in, &header, &body, &trailing);

	if (status != DECODE_OK)
		return status;
	e = exporter_get(d->exporters, &in->source, &header, in->received_ms);
	if (e == NULL)
		return DECODE_EXPORTER_LIMIT;
	to.context = (struct resolve_context){ &header, &e->boot_ms,
		in->received_ms, e->index };
	if (header.protocol == EXPORT_NETFLOW5)
		decode_netflow5(&to, body);
	else
		decode_templated(d, e, &to, body);
	exporter_account(e, &header, in->received_ms, o->announced, o->units,
	    o->units_known, d->counters);
	count_outcome(d, o);
	counter_add(d->counters, COUNTER_OCTETS_TRAILING, trailing);
	return DECODE_OK;
}

enum decode_status
decoder_decode(struct decoder *d, const struct datagram *in,
    struct flow_batch *batch)
{
	static const enum counter counter_of[DECODE_STATUS_COUNT] = {
		[DECODE_OK] = COUNTER_DATAGRAMS_DECODED,
		[DECODE_NOT_EXPORT] = COUNTER_REFUSED_NOT_EXPORT,
		[DECODE_SHORT] = COUNTER_REFUSED_SHORT,
		[DECODE_MALFORMED] = COUNTER_REFUSED_MALFORMED,
		[DECODE_EXPORTER_LIMIT] = COUNTER_REFUSED_EXPORTER_LIMIT,
	};
	enum decode_status status;

	assert(batch->count + FLOW_DATAGRAM_MAX <= FLOW_BATCH_MAX);
	status = decode(d, in, batch);
	counter_add(d->counters, counter_of[status], 1);
	return status;
}

uint32_t
decoder_exporter_count(const struct decoder *d)
{
	return exporter_count(d->exporters);
}

struct exporter_info
decoder_exporter(const struct decoder *d, uint32_t index)
{
	return exporter_at(d->exporters, index)->info;
}
