/* SPDX-License-Identifier: Apache-2.0 */
/* The exporter table, who may be in it, and what each is known by. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "collector/exporter.h"
#include "common/table.h"

/* A source port that was silent for so long may make room for another. */
#define STREAM_IDLE_MS (INT64_C(600) * 1000)

/*
 * How often a datagram must follow on the number its own port had before,
 * but not on the number of the one received before it.
 */
#define INTERLEAVED_MIN 3

/* A fact that comes again is worth saving once in so long. */
#define SAVE_INTERVAL_MS (INT64_C(3600) * 1000)

static_assert(INTERFACE_OCTETS_MAX <= MEMORY_OCTETS_MAX &&
		  SAMPLING_OCTETS_MAX <= MEMORY_OCTETS_MAX,
    "a memory holds any fact");

#define BOOT_OCTETS	8
#define TIMEOUTS_OCTETS 8

struct peer_key {
	struct addr address;
	uint32_t port; /* 0 unless source_port_in_key */
};

struct peer {
	uint64_t refused;
	uint32_t domains;
	uint32_t templates;
	bool is_listed; /* may send without accept_any, too */
};

struct exporter_key {
	struct peer_key peer;
	uint32_t domain;
	uint32_t protocol;
};

static_assert(sizeof(struct exporter_key) == 28, "the key has no padding");

struct exporter_table {
	struct table *peers;
	struct table *exporters;
	uint32_t max_domains;
	uint32_t changed; /* facts to be saved */
	bool source_port_in_key;
	bool accept_any;
	struct prefix_set allow;
	uint32_t slots[EXPORTERS_MAX]; /* by index */
};

uint32_t
exporter_table_max(const struct decoder_config *config)
{
	uint64_t max = (uint64_t)config->max_exporters * config->max_domains;

	return max < EXPORTERS_MAX ? (uint32_t)max : EXPORTERS_MAX;
}

size_t
exporter_table_bytes(const struct decoder_config *config)
{
	return sizeof(struct exporter_table) +
	       table_bytes(config->max_exporters, sizeof(struct peer_key),
		   sizeof(struct peer)) +
	       table_bytes(exporter_table_max(config),
		   sizeof(struct exporter_key), sizeof(struct exporter));
}

struct exporter_table *
exporter_table_new(const struct decoder_config *config)
{
	struct exporter_table *t = calloc(1, sizeof(*t));

	assert(config->max_exporters >= 1 &&
	       config->max_exporters <= EXPORTERS_MAX);
	assert(
	    config->max_domains >= 1 && config->max_domains <= EXPORTERS_MAX);
	if (t == NULL)
		return NULL;
	t->max_domains = config->max_domains;
	t->source_port_in_key = config->source_port_in_key;
	t->accept_any = config->accept_any;
	t->allow = config->allow;
	t->peers = table_new(config->max_exporters, sizeof(struct peer_key),
	    sizeof(struct peer), &config->key);
	t->exporters = table_new(exporter_table_max(config),
	    sizeof(struct exporter_key), sizeof(struct exporter), &config->key);
	if (t->peers == NULL || t->exporters == NULL) {
		exporter_table_free(t);
		return NULL;
	}
	return t;
}

void
exporter_table_free(struct exporter_table *t)
{
	if (t == NULL)
		return;
	if (t->peers != NULL)
		table_free(t->peers);
	if (t->exporters != NULL)
		table_free(t->exporters);
	free(t);
}

/* --- who may send --- */

/* 127/8, RFC 1918, RFC 6598, 169.254/16 */
static bool
is_local_v4(const uint8_t octets[4])
{
	return octets[0] == 127 || octets[0] == 10 ||
	       (octets[0] == 172 && (octets[1] & 0xf0) == 16) ||
	       (octets[0] == 192 && octets[1] == 168) ||
	       (octets[0] == 100 && (octets[1] & 0xc0) == 64) ||
	       (octets[0] == 169 && octets[1] == 254);
}

/* ::1, fc00::/7, fe80::/10 */
static bool
is_local_v6(const struct addr *a)
{
	static const struct addr loopback = { { [15] = 1 } };

	return addr_equal(a, &loopback) || (a->octets[0] & 0xfe) == 0xfc ||
	       (a->octets[0] == 0xfe && (a->octets[1] & 0xc0) == 0x80);
}

static struct peer_key
peer_key(const struct exporter_table *t, const struct addr *address,
    uint16_t port)
{
	return (struct peer_key){ *address, t->source_port_in_key ? port : 0 };
}

static bool
is_listed(const struct exporter_table *t, const struct addr *address)
{
	if (t->allow.count > 0)
		return prefix_set_find(&t->allow, address) != NULL;
	return addr_is_v4(address) ? is_local_v4(address->octets + 12)
				   : is_local_v6(address);
}

bool
exporter_is_allowed(const struct exporter_table *t, const struct addr *address,
    uint16_t port, struct peer **peer)
{
	const struct peer_key key = peer_key(t, address, port);

	*peer = table_find(t->peers, &key);
	if (t->accept_any)
		return true;
	return *peer != NULL ? (*peer)->is_listed : is_listed(t, address);
}

void
exporter_accept_any(struct exporter_table *t, bool accept)
{
	t->accept_any = accept;
}

uint32_t *
exporter_templates_held(struct exporter *e)
{
	return &e->peer->templates;
}

void
exporter_count_refused(struct peer *peer)
{
	peer->refused++;
}

/* --- who sends --- */

static void
set_name(const struct exporter_table *t, struct exporter_info *info)
{
	const struct network *n = prefix_set_find(&t->allow, &info->address);

	if (n != NULL)
		memcpy(info->name, n->label, sizeof(info->name));
}

static enum decode_status
add_exporter(struct exporter_table *t, const struct exporter_key *key,
    int64_t now_ms, struct exporter **out)
{
	struct peer *peer = table_find(t->peers, &key->peer);
	struct exporter *e;

	if (peer != NULL && peer->domains >= t->max_domains)
		return DECODE_DOMAIN_LIMIT;
	if (table_count(t->exporters) == table_max(t->exporters))
		return DECODE_EXPORTER_LIMIT;
	if (peer == NULL) {
		peer = table_insert(t->peers, &key->peer);
		if (peer == NULL)
			return DECODE_EXPORTER_LIMIT;
		peer->is_listed = is_listed(t, &key->peer.address);
	}
	peer->domains++;
	e = table_insert(t->exporters, key);
	e->peer = peer;
	e->index = table_count(t->exporters) - 1;
	t->slots[e->index] = table_slot(t->exporters, e);
	e->info.address = key->peer.address;
	e->info.domain = key->domain;
	e->info.protocol = (enum export_protocol)key->protocol;
	e->info.first_seen_ms = now_ms;
	e->info.last_seen_ms = now_ms;
	set_name(t, &e->info);
	*out = e;
	return DECODE_OK;
}

enum decode_status
exporter_get(struct exporter_table *t, const struct addr *address,
    uint16_t port, uint32_t domain, enum export_protocol protocol,
    int64_t now_ms, struct exporter **out)
{
	const struct exporter_key key = { peer_key(t, address, port), domain,
		protocol };

	*out = table_find(t->exporters, &key);
	if (*out != NULL)
		return DECODE_OK;
	return add_exporter(t, &key, now_ms, out);
}

uint32_t
exporter_count(const struct exporter_table *t)
{
	return table_count(t->exporters);
}

struct exporter *
exporter_at(const struct exporter_table *t, uint32_t index)
{
	assert(index < table_count(t->exporters));
	return table_at(t->exporters, t->slots[index]);
}

/* --- what is known of them --- */

static int
compare_offsets(const void *a, const void *b)
{
	const int64_t *left = a;
	const int64_t *right = b;

	return (*left > *right) - (*left < *right);
}

static int64_t
median_offset(const struct exporter *e)
{
	int64_t sorted[EXPORTER_OFFSETS];

	if (e->offset_count == 0)
		return 0;
	memcpy(sorted, e->offsets_ms, e->offset_count * sizeof(sorted[0]));
	qsort(sorted, e->offset_count, sizeof(sorted[0]), compare_offsets);
	return sorted[e->offset_count / 2];
}

struct exporter_info
exporter_describe(const struct exporter *e)
{
	struct exporter_info info = e->info;

	info.refused = e->peer->refused;
	info.clock_offset_ms = median_offset(e);
	info.sampling = sampling_of_exporter(&e->sampling, e->header_rate);
	info.sequence_unit = sequence_unit(&e->sequence, e->info.protocol);
	return info;
}

/* --- accounts --- */

/* The stream of the port; NULL when too many are known. */
static struct stream *
find_stream(struct exporter *e, uint16_t port, int64_t now_ms)
{
	struct stream *idle = NULL;

	for (unsigned i = 0; i < e->stream_count; i++) {
		struct stream *s = &e->streams[i];

		if (s->port == port)
			return s;
		if (now_ms - s->seen_ms > STREAM_IDLE_MS)
			idle = s;
	}
	if (e->stream_count < EXPORTER_STREAMS)
		idle = &e->streams[e->stream_count++];
	if (idle != NULL)
		*idle = (struct stream){ .port = port };
	return idle;
}

/*
 * Several exporters behind one address (a NAT, a container host) come from
 * different ports, mixed, and each goes on where it was, while together they
 * leap. One exporter that restarts leaps once, to a port that stays; one
 * that sends from several ports has one number for all.
 */
static void
judge_sharing(struct exporter *e, bool port_returned,
    const struct sequence_change *all, const struct sequence_change *own)
{
	if (sequence_is_smooth(all)) {
		if (port_returned)
			e->interleaved = 0;
		return;
	}
	e->doubtful += all->lost;
	if (!port_returned || !sequence_is_smooth(own))
		return;
	if (++e->interleaved >= INTERLEAVED_MIN)
		e->info.shared_address = true;
}

/* What the sequence number says: of the exporter, or of one behind it. */
static struct sequence_change
follow_sequence(struct exporter *e, const struct datagram *in,
    const struct export_header *header, const struct sequence_step *step)
{
	bool is_other =
	    e->info.datagrams > 0 && in->source_port != e->info.source_port;
	bool was_shared = e->info.shared_address;
	struct sequence_change all;
	struct sequence_change own = { 0 };
	struct stream *stream;
	bool is_known;

	if (!is_other && e->stream_count == 0)
		return sequence_take(&e->sequence, header, step);
	if (e->stream_count == 0)
		e->streams[e->stream_count++] = (struct stream){ e->sequence,
			e->info.last_seen_ms, e->info.source_port };
	stream = find_stream(e, in->source_port, in->received_ms);
	is_known = stream != NULL && stream->sequence.started;
	if (stream != NULL) {
		own = sequence_take(&stream->sequence, header, step);
		stream->seen_ms = in->received_ms;
	}
	if (was_shared)
		return own;
	all = sequence_take(&e->sequence, header, step);
	judge_sharing(e, is_other && is_known, &all, &own);
	if (!e->info.shared_address)
		return all;
	own.recovered += (uint32_t)(e->doubtful - all.lost);
	return own;
}

/* What an earlier life knew is used, or too old for that. */
static void
revive(struct exporter *e, int64_t now_ms)
{
	e->is_remembered = false;
	if (now_ms - e->facts[FACT_SAMPLING].learned_ms > MEMORY_AGE_MAX_MS)
		e->sampling = (struct sampling){ 0 };
	if (now_ms - e->facts[FACT_BOOT].learned_ms > MEMORY_AGE_MAX_MS)
		e->boot_ms = 0;
	if (now_ms - e->facts[FACT_TIMEOUTS].learned_ms > MEMORY_AGE_MAX_MS) {
		e->info.active_timeout_s = 0;
		e->info.idle_timeout_s = 0;
	}
	if (now_ms - e->facts[FACT_NAMES].learned_ms > MEMORY_AGE_MAX_MS)
		e->names = (struct interface_names){ 0 };
}

void
exporter_start(struct exporter *e, const struct export_header *header,
    int64_t now_ms)
{
	if (e->is_remembered)
		revive(e, now_ms);
	e->header_rate = sampling_of_header(header->sampling);
}

/* Records a unit of the sequence stands for: v9 counts datagrams. */
static int64_t
unit_records(const struct exporter *e, const struct export_header *header)
{
	if (header->protocol != EXPORT_NETFLOW9 || e->info.datagrams == 0 ||
	    e->info.records < e->info.datagrams)
		return 1;
	return (int64_t)(e->info.records / e->info.datagrams);
}

int32_t
exporter_take_lost(struct exporter *e)
{
	int64_t lost = e->untold_lost;

	e->untold_lost = 0;
	if (lost > INT32_MAX)
		return INT32_MAX;
	return lost < INT32_MIN ? INT32_MIN : (int32_t)lost;
}

void
exporter_account(struct exporter *e, const struct datagram *in,
    const struct export_header *header, uint32_t records,
    const struct sequence_step *step, struct counters *counters)
{
	struct sequence_change c = follow_sequence(e, in, header, step);
	struct exporter_info *info = &e->info;

	info->lost += c.lost;
	if (c.recovered > info->lost)
		c.recovered = (uint32_t)info->lost;
	info->lost -= c.recovered;
	e->untold_lost +=
	    (c.lost - (int64_t)c.recovered) * unit_records(e, header);
	info->reordered += c.is_late;
	info->duplicates += c.is_duplicate;
	info->restarts += c.is_restart;
	counter_add(counters, COUNTER_SEQUENCE_LOST, c.lost);
	counter_add(counters, COUNTER_SEQUENCE_RECOVERED, c.recovered);
	counter_add(counters, COUNTER_SEQUENCE_REORDERED, c.is_late);
	counter_add(counters, COUNTER_SEQUENCE_DUPLICATES, c.is_duplicate);
	counter_add(counters, COUNTER_SEQUENCE_RESTARTS, c.is_restart);
	e->offsets_ms[e->offset_at] = in->received_ms - header->export_ms;
	e->offset_at = (uint8_t)((e->offset_at + 1U) % EXPORTER_OFFSETS);
	if (e->offset_count < EXPORTER_OFFSETS)
		e->offset_count++;
	info->source_port = in->source_port;
	info->last_seen_ms = in->received_ms;
	info->datagrams++;
	info->records += records;
}

/* --- facts, and their way over a restart --- */

static void
set_changed(struct exporter_table *t, struct fact_state *fact, bool is_changed)
{
	t->changed += (uint32_t)is_changed - (uint32_t)fact->is_changed;
	fact->is_changed = is_changed;
}

static void
note(struct exporter_table *t, struct fact_state *fact, bool is_news,
    int64_t now_ms)
{
	fact->learned_ms = now_ms;
	if (is_news || now_ms - fact->saved_ms >= SAVE_INTERVAL_MS)
		set_changed(t, fact, true);
}

static bool
take_timeouts(struct exporter_info *info, const struct ie_record *r,
    ie_set present)
{
	const struct exporter_info before = *info;

	if ((present & IE_BIT(IE_ACTIVE_TIMEOUT)) != 0)
		info->active_timeout_s = r->active_timeout;
	if ((present & IE_BIT(IE_IDLE_TIMEOUT)) != 0)
		info->idle_timeout_s = r->idle_timeout;
	return before.active_timeout_s != info->active_timeout_s ||
	       before.idle_timeout_s != info->idle_timeout_s;
}

void
exporter_take_options(struct exporter_table *t, struct exporter *e,
    const struct ie_record *r, ie_set present, int64_t now_ms)
{
	const ie_set timeouts =
	    IE_BIT(IE_ACTIVE_TIMEOUT) | IE_BIT(IE_IDLE_TIMEOUT);

	if ((present & SAMPLING_PRESENT) != 0)
		note(t, &e->facts[FACT_SAMPLING],
		    sampling_learn(&e->sampling, r, present), now_ms);
	if ((present & IE_BIT(IE_BOOT_MS)) != 0 && r->boot_ms != 0) {
		note(t, &e->facts[FACT_BOOT], e->boot_ms != r->boot_ms, now_ms);
		e->boot_ms = r->boot_ms;
	}
	if ((present & timeouts) != 0)
		note(t, &e->facts[FACT_TIMEOUTS],
		    take_timeouts(&e->info, r, present), now_ms);
}

bool
exporter_take_name(struct exporter_table *t, struct exporter *e,
    const struct ie_record *r, struct wire name, int64_t now_ms)
{
	uint32_t interface = r->ingress_if != 0 ? r->ingress_if : r->egress_if;
	bool is_news;

	if (interface == 0 || wire_left(&name) == 0)
		return true;
	if (!interface_names_learn(&e->names, interface, name, &is_news))
		return false;
	note(t, &e->facts[FACT_NAMES], is_news, now_ms);
	return true;
}

uint32_t
exporter_changed(const struct exporter_table *t)
{
	return t->changed;
}

bool
exporter_save(struct exporter_table *t, struct exporter *e,
    struct decoder_memory *out)
{
	unsigned i = 0;

	while (i < FACT_COUNT && !e->facts[i].is_changed)
		i++;
	if (i == FACT_COUNT)
		return false;
	set_changed(t, &e->facts[i], false);
	e->facts[i].saved_ms = e->facts[i].learned_ms;
	out->id = 0;
	out->learned_ms = e->facts[i].learned_ms;
	switch ((enum exporter_fact)i) {
	case FACT_SAMPLING:
		out->kind = MEMORY_SAMPLING;
		out->length = sampling_save(&e->sampling, out->octets);
		break;
	case FACT_BOOT:
		out->kind = MEMORY_BOOT;
		out->length = BOOT_OCTETS;
		wire_put_u32(out->octets, (uint32_t)(e->boot_ms >> 32));
		wire_put_u32(out->octets + 4, (uint32_t)e->boot_ms);
		break;
	case FACT_NAMES:
		out->kind = MEMORY_NAMES;
		out->length = interface_names_save(&e->names, out->octets);
		break;
	case FACT_TIMEOUTS:
	case FACT_COUNT:
		out->kind = MEMORY_TIMEOUTS;
		out->length = TIMEOUTS_OCTETS;
		wire_put_u32(out->octets, e->info.active_timeout_s);
		wire_put_u32(out->octets + 4, e->info.idle_timeout_s);
		break;
	}
	return true;
}

static void
set_loaded(struct exporter *e, enum exporter_fact which, int64_t learned_ms)
{
	e->facts[which].learned_ms = learned_ms;
	e->facts[which].saved_ms = learned_ms;
	e->is_remembered = true;
}

bool
exporter_load(struct exporter *e, const struct decoder_memory *m)
{
	struct wire w = wire_over(m->octets, m->length);
	struct sampling sampling;
	struct interface_names names;

	switch ((enum memory_kind)m->kind) {
	case MEMORY_SAMPLING:
		if (!sampling_load(&sampling, w))
			return false;
		e->sampling = sampling;
		set_loaded(e, FACT_SAMPLING, m->learned_ms);
		return true;
	case MEMORY_BOOT:
		if (m->length != BOOT_OCTETS)
			return false;
		e->boot_ms = wire_u64(&w);
		set_loaded(e, FACT_BOOT, m->learned_ms);
		return true;
	case MEMORY_TIMEOUTS:
		if (m->length != TIMEOUTS_OCTETS)
			return false;
		e->info.active_timeout_s = wire_u32(&w);
		e->info.idle_timeout_s = wire_u32(&w);
		set_loaded(e, FACT_TIMEOUTS, m->learned_ms);
		return true;
	case MEMORY_NAMES:
		if (!interface_names_load(&names, w))
			return false;
		e->names = names;
		set_loaded(e, FACT_NAMES, m->learned_ms);
		return true;
	case MEMORY_TEMPLATE:
	case MEMORY_OPTIONS_TEMPLATE:
		break;
	}
	return false;
}

void
exporter_sign(const struct exporter_table *t, const struct exporter *e,
    struct decoder_memory *out)
{
	const struct exporter_key *key = table_key(t->exporters, e);

	out->address = key->peer.address;
	out->source_port = (uint16_t)key->peer.port;
	out->domain = key->domain;
	out->protocol = (uint8_t)key->protocol;
}
