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

#define DEFAULT_EXPORTERS   64
#define DEFAULT_DOMAINS	    16
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
	bool accept_any; /* by the configuration */
};

/* What became of the data records of one datagram. */
struct outcome {
	uint32_t announced;
	uint32_t delivered;
	uint32_t unusable;
	struct sequence_step step;
};

struct decoder_config
decoder_config_default(void)
{
	return (struct decoder_config){
		.max_exporters = DEFAULT_EXPORTERS,
		.max_domains = DEFAULT_DOMAINS,
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
	d->accept_any = config->accept_any;
	d->exporters = exporter_table_new(config);
	if (d->exporters != NULL)
		d->gate = gate_new(config, d->exporters, counters);
	if (d->gate == NULL) {
		decoder_free(d);
		return NULL;
	}
	return d;
}

uint64_t
decoder_bytes(const struct decoder_config *config)
{
	return sizeof(struct decoder) + exporter_table_bytes(config) +
	       template_table_bytes(exporter_table_max(config),
		   config->max_templates, config->max_fields);
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
deliver(const struct ie_record *r, ie_set present, void *arg)
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
	to->outcome.step = (struct sequence_step){ count, 0, 0, true };
}

static void
decode_templated(struct decoder *d, struct exporter *e, struct delivery *to,
    struct wire body)
{
	struct gate_result result = gate_walk(d->gate, e, to->context.header,
	    body, to->context.blank.received_ms, deliver, to);

	to->outcome.announced = result.announced;
	to->outcome.unusable += result.unusable;
	to->outcome.step = (struct sequence_step){ result.announced,
		result.options, result.templates, result.all_counted };
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

static void
decode_body(struct decoder *d, struct exporter *e, const struct datagram *in,
    const struct export_header *header, struct wire body,
    struct flow_batch *batch)
{
	struct delivery to = { .batch = batch };
	const struct outcome *o = &to.outcome;
	uint32_t before = batch->count;

	exporter_start(e, header, in->received_ms);
	to.context = (struct resolve_context){ header, &e->boot_ms,
		&e->sampling, e->header_rate,
		{ .received_ms = in->received_ms,
		    .export_ms = header->export_ms,
		    .exporter = e->index } };
	if (header->protocol == EXPORT_NETFLOW5)
		decode_netflow5(&to, body);
	else
		decode_templated(d, e, &to, body);
	exporter_account(e, in, header, o->announced, &o->step, d->counters);
	if (batch->count > before)
		batch->records[before].lost = exporter_take_lost(e);
	count_outcome(d, o);
}

static enum decode_status
decode(struct decoder *d, const struct datagram *in, struct flow_batch *batch,
    struct peer **peer)
{
	struct export_header header;
	struct exporter *e;
	struct wire body;
	size_t trailing;
	enum decode_status status;

	if (!exporter_is_allowed(d->exporters, &in->source, in->source_port,
		peer))
		return DECODE_NOT_ALLOWED;
	status = header_read(in, &header, &body, &trailing);
	if (status == DECODE_OK)
		status =
		    exporter_get(d->exporters, &in->source, in->source_port,
			header.domain, header.protocol, in->received_ms, &e);
	if (status != DECODE_OK)
		return status;
	decode_body(d, e, in, &header, body, batch);
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
		[DECODE_DOMAIN_LIMIT] = COUNTER_REFUSED_DOMAIN_LIMIT,
		[DECODE_NOT_ALLOWED] = COUNTER_REFUSED_NOT_ALLOWED,
	};
	enum decode_status status;
	struct peer *peer;

	assert(batch->count + FLOW_DATAGRAM_MAX <= FLOW_BATCH_MAX);
	status = decode(d, in, batch, &peer);
	if (status != DECODE_OK && peer != NULL)
		exporter_count_refused(peer);
	counter_add(d->counters, counter_of[status], 1);
	return status;
}

void
decoder_accept_any(struct decoder *d, bool accept)
{
	exporter_accept_any(d->exporters, accept || d->accept_any);
}

uint32_t
decoder_exporter_count(const struct decoder *d)
{
	return exporter_count(d->exporters);
}

struct exporter_info
decoder_exporter(const struct decoder *d, uint32_t index)
{
	return exporter_describe(exporter_at(d->exporters, index));
}

const char *
decoder_interface_name(const struct decoder *d, uint32_t exporter,
    uint32_t interface)
{
	return interface_names_find(&exporter_at(d->exporters, exporter)->names,
	    interface);
}

/* The next changed template, from *cursor on to the end of them. */
static bool
next_template(struct decoder *d, uint32_t *cursor, struct decoder_memory *out)
{
	struct template_table *t = gate_templates(d->gate);
	uint32_t exporter;
	bool is_last = false;

	while (!is_last) {
		if (!template_save(t, cursor, &is_last, out, &exporter))
			continue;
		exporter_sign(d->exporters, exporter_at(d->exporters, exporter),
		    out);
		return true;
	}
	return false;
}

/* The next changed fact. A walk of all exporters, but only when one has. */
static bool
next_fact(struct decoder *d, struct decoder_memory *out)
{
	uint32_t n = exporter_count(d->exporters);

	for (uint32_t i = 0; i < n; i++) {
		struct exporter *e = exporter_at(d->exporters, i);

		if (!exporter_save(d->exporters, e, out))
			continue;
		exporter_sign(d->exporters, e, out);
		return true;
	}
	return false;
}

/*
 * Templates before *cursor may have changed again: when the walk comes to the
 * end and some are left, it starts anew, so that none has to wait.
 */
bool
decoder_memory_next(struct decoder *d, uint32_t *cursor,
    struct decoder_memory *out)
{
	if (exporter_changed(d->exporters) > 0)
		return next_fact(d, out);
	while (template_changed(gate_templates(d->gate)) > 0) {
		if (next_template(d, cursor, out))
			return true;
		*cursor = 0;
	}
	return false;
}

static bool
is_memory(const struct decoder_memory *m)
{
	return m->kind >= MEMORY_TEMPLATE && m->kind <= MEMORY_NAMES &&
	       (m->protocol == EXPORT_NETFLOW5 ||
		   m->protocol == EXPORT_NETFLOW9 ||
		   m->protocol == EXPORT_IPFIX) &&
	       m->length <= MEMORY_OCTETS_MAX;
}

int
decoder_remember(struct decoder *d, const struct decoder_memory *m)
{
	struct exporter *e;
	struct peer *peer;

	if (!is_memory(m))
		return ERR_FORMAT;
	if (!exporter_is_allowed(d->exporters, &m->address, m->source_port,
		&peer))
		return ERR_RANGE;
	if (exporter_get(d->exporters, &m->address, m->source_port, m->domain,
		(enum export_protocol)m->protocol, m->learned_ms,
		&e) != DECODE_OK)
		return ERR_FULL;
	if (m->kind == MEMORY_TEMPLATE || m->kind == MEMORY_OPTIONS_TEMPLATE)
		return gate_remember(d->gate, e, m);
	return exporter_load(e, m) ? ERR_OK : ERR_FORMAT;
}
