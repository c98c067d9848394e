/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate: message in, records out.
 *
 * Sets, in both protocols: id 2 octets, length 2 (header included), body.
 * Ids: 0 (v9) or 2 (IPFIX) templates, 1 or 3 options templates, from 256 up
 * data of that template, the others reserved.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "collector/fixbuf.h"
#include "collector/gate.h"
#include "collector/list.h"
#include "collector/resolve.h"
#include "collector/template.h"

#define SET_HEADER_OCTETS  4
#define FIELD_OCTETS	   4 /* a field specifier, RFC 7011, 3.2 */
#define PEN_OCTETS	   4
#define PEN_BIT		   0x80U /* of the first octet */
#define IPFIX_TEMPLATE_SET 2

/* The elements of a record with a second half: no flags, which a list has. */
#define REVERSE_COUNTERS                                                       \
	(IE_BIT(IE_REV_OCTETS) | IE_BIT(IE_REV_PACKETS) |                      \
	    IE_BIT(IE_REV_OCTETS_TOTAL) | IE_BIT(IE_REV_PACKETS_TOTAL))

struct gate {
	struct exporter_table *exporters;
	struct template_table *templates;
	struct fixbuf *fixbuf;
	struct counters *counters;
	uint32_t max_fields;
	bool by_library;
	uint16_t library_ids[GATE_LIBRARY_MAX]; /* the free ones */
	uint32_t library_free;
	struct template_plan plan; /* of the template being learnt */
	struct ie_record record;   /* the last that was read */
	ie_set written;		   /* all others of its members are 0 */
	/* of the message being walked: */
	struct exporter *exporter;
	bool is_ipfix;
	int64_t now_ms;
	gate_record_fn fn;
	void *arg;
	struct gate_result result;
	uint32_t options_left; /* to be read of this message */
};

struct gate *
gate_new(const struct decoder_config *config, struct exporter_table *exporters,
    struct counters *counters)
{
	struct gate *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return NULL;
	g->exporters = exporters;
	g->counters = counters;
	g->max_fields = config->max_fields;
	g->by_library = config->by_library;
	for (uint16_t i = 0; i < GATE_LIBRARY_MAX; i++)
		g->library_ids[i] = (uint16_t)(TEMPLATE_ID_MIN + i);
	g->library_free = GATE_LIBRARY_MAX;
	g->fixbuf = fixbuf_new(counters);
	g->templates = template_table_new(config->max_exporters,
	    exporter_table_max(config), config->max_templates,
	    config->max_fields, config->template_lifetime_ms, &config->key);
	if (g->fixbuf == NULL || g->templates == NULL) {
		gate_free(g);
		return NULL;
	}
	return g;
}

void
gate_free(struct gate *g)
{
	if (g == NULL)
		return;
	template_table_free(g->templates);
	fixbuf_free(g->fixbuf);
	free(g);
}

static void
count(struct gate *g, enum counter which)
{
	counter_add(g->counters, which, 1);
}

/* --- what the library knows --- */

static bool
needs_library(const struct gate *g, const struct template *p)
{
	return g->by_library && p->is_variable && !p->is_options &&
	       resolve_is_usable(p->present);
}

static void
leave_library(struct gate *g, struct template *p)
{
	if (p->library_id == TEMPLATE_NO_LIBRARY_ID)
		return;
	fixbuf_forget(g->fixbuf, p->library_id);
	g->library_ids[g->library_free++] = p->library_id;
	p->library_id = TEMPLATE_NO_LIBRARY_ID;
}

/* Tells the library of p as it is now. False: no place is left there. */
static bool
enter_library(struct gate *g, struct template *p)
{
	if (p->library_id == TEMPLATE_NO_LIBRARY_ID) {
		if (g->library_free == 0)
			return false;
		p->library_id = g->library_ids[--g->library_free];
	}
	if (!fixbuf_learn(g->fixbuf, p->library_id, p->fields, p->count))
		count(g, COUNTER_MESSAGES_REFUSED);
	return true;
}

/* --- templates --- */

static void
forget_template(struct gate *g, struct exporter *e, struct template *p)
{
	leave_library(g, p);
	template_remove(g->templates, e, p);
}

/* Takes a template out that has grown too old. */
static bool
expire_if_old(struct gate *g, struct template *p)
{
	if (!template_is_expired(g->templates, p, g->now_ms))
		return false;
	forget_template(g, exporter_at(g->exporters, p->exporter), p);
	count(g, COUNTER_TEMPLATES_EXPIRED);
	return true;
}

static struct template *
find_template(struct gate *g, uint16_t id)
{
	struct template *p = template_find(g->templates, g->exporter, id);

	if (p == NULL || expire_if_old(g, p))
		return NULL;
	if (p->is_remembered)
		template_revive(p, g->now_ms);
	return p;
}

/* Fills p, new or known, from the plan. False: the library is full. */
static bool
set_template(struct gate *g, struct template *p,
    const struct template_definition *definition)
{
	template_fill(g->templates, p, &g->plan, definition, g->now_ms);
	if (needs_library(g, p))
		return enter_library(g, p);
	leave_library(g, p);
	return true;
}

/* p (NULL: not known yet) gets another definition, or goes. */
static struct template *
replace_template(struct gate *g, struct template *p, uint16_t id,
    const struct template_definition *definition)
{
	bool is_new = p == NULL;

	if (is_new)
		p = template_add(g->templates, g->exporter, id);
	if (p != NULL && !set_template(g, p, definition)) {
		forget_template(g, g->exporter, p);
		p = NULL;
	}
	if (p == NULL) {
		count(g, COUNTER_TEMPLATES_REFUSED_LIMIT);
	} else if (is_new) {
		count(g, COUNTER_TEMPLATES_LEARNED);
	} else {
		count(g, COUNTER_TEMPLATES_CHANGED);
		g->exporter->info.templates_changed++;
	}
	return p;
}

/*
 * Takes one definition, and returns its template. What was known under the
 * id before is replaced, or, when the new one is refused, forgotten: to read
 * the data by the old one would be a guess.
 */
static struct template *
learn_template(struct gate *g, uint16_t id,
    const struct template_definition *definition)
{
	struct template *p = NULL;

	if (id >= TEMPLATE_ID_MIN)
		p = find_template(g, id);
	if (p != NULL && template_is_same(p, definition)) {
		template_refresh(g->templates, p, g->now_ms);
		return p;
	}
	if (id < TEMPLATE_ID_MIN ||
	    !template_compile(definition, g->max_fields, &g->plan)) {
		if (p != NULL)
			forget_template(g, g->exporter, p);
		count(g, COUNTER_TEMPLATES_REFUSED);
		if (definition->count > g->max_fields)
			count(g, COUNTER_TEMPLATES_REFUSED_FIELDS);
		return NULL;
	}
	p = replace_template(g, p, id, definition);
	return p;
}

/* The next `field_count` field specifiers; failed when they do not fit. */
static struct wire
take_fields(struct gate *g, struct wire *set, uint16_t field_count)
{
	struct wire start = *set;

	if (!g->is_ipfix)
		return wire_part(set, (size_t)field_count * FIELD_OCTETS);
	for (uint16_t i = 0; i < field_count && !set->failed; i++) {
		const uint8_t *field = wire_take(set, FIELD_OCTETS);

		if (field != NULL && (field[0] & PEN_BIT) != 0)
			wire_take(set, PEN_OCTETS);
	}
	if (set->failed)
		return *set;
	return wire_part(&start, (size_t)(set->at - start.at));
}

/* Counts a definition; false: this message may have no more of them. */
static bool
may_learn(struct gate *g)
{
	g->result.templates++;
	if (!template_is_spent(g->templates))
		return true;
	count(g, COUNTER_TEMPLATES_REFUSED_LIMIT);
	return false;
}

static void
walk_template_set(struct gate *g, struct wire set)
{
	while (wire_left(&set) >= FIELD_OCTETS) {
		struct template_definition definition = { .has_pens =
							      g->is_ipfix };
		uint16_t id = wire_u16(&set);

		definition.count = wire_u16(&set);
		if (definition.count == 0 && id == 0)
			return; /* padding */
		if (definition.count == 0 && g->is_ipfix) {
			count(g, COUNTER_TEMPLATES_WITHDRAWN);
			continue;
		}
		definition.fields = take_fields(g, &set, definition.count);
		if (definition.fields.failed) {
			count(g, COUNTER_TEMPLATES_REFUSED);
			return;
		}
		if (may_learn(g))
			(void)learn_template(g, id, &definition);
	}
}

/*
 * IPFIX: id, fields in all, scope fields, specifiers (RFC 7011, 3.4.2.2).
 * v9: id, octets of scope specifiers, octets of option specifiers, both
 * (RFC 3954, 6.1).
 */
static void
walk_options_template_set(struct gate *g, struct wire set)
{
	while (wire_left(&set) >= FIELD_OCTETS) {
		struct template_definition definition = { .is_options = true,
			.has_pens = g->is_ipfix };
		uint16_t id = wire_u16(&set);
		uint16_t first = wire_u16(&set);
		uint16_t second;

		if (first == 0 && id == 0)
			return; /* padding */
		if (first == 0 && g->is_ipfix) {
			count(g, COUNTER_TEMPLATES_WITHDRAWN);
			continue;
		}
		second = wire_u16(&set);
		definition.count = first;
		definition.scopes = second;
		if (!g->is_ipfix) {
			definition.count =
			    (uint16_t)(((size_t)first + second) / FIELD_OCTETS);
			definition.scopes = first / FIELD_OCTETS;
		}
		definition.fields = take_fields(g, &set, definition.count);
		if (definition.fields.failed) {
			count(g, COUNTER_TEMPLATES_REFUSED);
			return;
		}
		count(g, COUNTER_OPTIONS_TEMPLATES);
		if (may_learn(g))
			(void)learn_template(g, id, &definition);
	}
}

/* --- data --- */

/* Moves past one record of p; false: no whole one is left. */
static bool
take_record(struct wire *set, const struct template *p)
{
	for (uint16_t i = 0; i < p->count; i++) {
		uint16_t length = template_next_length(&p->fields[i], set);

		wire_take(set, length);
	}
	return !set->failed;
}

/* The last record of a set goes on behind its end. */
static void
set_is_cut(struct gate *g)
{
	g->result.all_counted = false;
	count(g, COUNTER_SETS_MALFORMED);
}

/*
 * How many whole records set holds, and in *octets how long they are. What
 * is behind them must be too short for a record: padding (RFC 7011, 3.3.1).
 */
static uint32_t
count_records(struct gate *g, struct wire set, const struct template *p,
    size_t *octets)
{
	const uint8_t *start = set.at;
	uint32_t records = 0;

	if (!p->is_variable) {
		records = (uint32_t)(wire_left(&set) / p->octets);
		*octets = (size_t)records * p->octets;
		return records;
	}
	*octets = 0;
	while (wire_left(&set) >= p->octets) {
		if (!take_record(&set, p)) {
			set_is_cut(g);
			break;
		}
		records++;
		*octets = (size_t)(set.at - start);
	}
	return records;
}

/* The record to read records of p into: members p has no element for are 0. */
static struct ie_record *
record_for(struct gate *g, const struct template *p)
{
	ie_set written = p->present | (p->has_list ? LIST_FLAGS : 0);

	if ((g->written & ~written) != 0)
		memset(&g->record, 0, sizeof(g->record));
	g->written = written;
	return &g->record;
}

static void
decode_by_plan(struct gate *g, const struct template *p, const uint8_t *octets,
    uint32_t records)
{
	struct ie_record *r = record_for(g, p);

	for (uint32_t i = 0; i < records; i++, octets += p->octets) {
		template_read(p, octets, r);
		g->fn(r, p->present, g->arg);
	}
}

/*
 * The same of any length, as far as whole records go; what is left must be
 * too short for one. Returns how many there were.
 */
static uint32_t
decode_by_walk(struct gate *g, const struct template *p, struct wire set)
{
	bool reverse = (p->present & REVERSE_COUNTERS) != 0;
	struct ie_record *r = record_for(g, p);
	struct template_lists lists;
	uint32_t records = 0;

	while (wire_left(&set) >= p->octets) {
		ie_set present = p->present;

		lists.count = 0;
		if (!template_read_next(p, &set, r, &lists)) {
			set_is_cut(g);
			break;
		}
		records++;
		if (p->has_list)
			present |= list_read(g->templates, g->exporter, p,
			    &lists, reverse, r);
		g->fn(r, present, g->arg);
	}
	return records;
}

static void
decode_by_library(struct gate *g, const struct template *p,
    const uint8_t *octets, size_t length, uint32_t records)
{
	bool good = fixbuf_start(g->fixbuf, p->library_id, octets, length);
	bool reverse = (p->present & REVERSE_COUNTERS) != 0;
	struct wire set = wire_over(octets, length);
	struct template_lists lists;
	struct ie_record ours;
	struct ie_record r;

	for (uint32_t i = 0; good && i < records; i++) {
		ie_set present = p->present;

		good = fixbuf_next(g->fixbuf, &r);
		/* the library's record is kept, of ours only the lists */
		lists.count = 0;
		if (good && p->has_list &&
		    template_read_next(p, &set, &ours, &lists))
			present |= list_read(g->templates, g->exporter, p,
			    &lists, reverse, &r);
		if (good)
			g->fn(&r, present, g->arg);
	}
	if (!fixbuf_finish(g->fixbuf))
		count(g, COUNTER_MESSAGES_REFUSED);
}

static void
read_options(struct gate *g, const struct template *p, struct wire set,
    uint32_t records)
{
	struct ie_record *r = record_for(g, p);

	for (; records > 0 && g->options_left > 0; records--) {
		struct wire record = set;

		g->options_left--;
		if (p->has_steps)
			template_read(p, wire_take(&set, p->octets), r);
		else if (!template_read_next(p, &set, r, NULL))
			return;
		if (p->has_name &&
		    !exporter_take_name(g->exporters, g->exporter, r,
			template_name(p, record), g->now_ms))
			count(g, COUNTER_INTERFACE_NAMES_REFUSED);
		if ((p->present & EXPORTER_OPTIONS) != 0)
			exporter_take_options(g->exporters, g->exporter, r,
			    p->present, g->now_ms);
	}
}

/* Records of flows that are of any length, and not for the library. */
static bool
is_read_by_walk(const struct template *p)
{
	return p->is_variable && !p->is_options &&
	       p->library_id == TEMPLATE_NO_LIBRARY_ID &&
	       resolve_is_usable(p->present);
}

static void
walk_data_set(struct gate *g, uint16_t id, struct wire set)
{
	const struct template *p = find_template(g, id);
	uint32_t records;
	size_t octets;

	if (p == NULL) {
		count(g, COUNTER_SETS_UNKNOWN_TEMPLATE);
		counter_add(g->counters, COUNTER_SET_OCTETS_UNKNOWN_TEMPLATE,
		    wire_left(&set));
		g->exporter->info.unknown_template_sets++;
		g->result.all_counted = false;
		return;
	}
	if (wire_left(&set) < p->octets) {
		count(g, COUNTER_SETS_MALFORMED);
		return;
	}
	if (is_read_by_walk(p)) {
		g->result.announced += decode_by_walk(g, p, set);
		return;
	}
	records = count_records(g, set, p, &octets);
	if (p->is_options) {
		g->result.options += records;
		if (p->has_name || (p->present & EXPORTER_OPTIONS) != 0)
			read_options(g, p, set, records);
		return;
	}
	g->result.announced += records;
	if (!resolve_is_usable(p->present))
		g->result.unusable += records;
	else if (p->library_id != TEMPLATE_NO_LIBRARY_ID)
		decode_by_library(g, p, set.at, octets, records);
	else
		decode_by_plan(g, p, set.at, records);
}

/* --- the walk --- */

static void
walk_set(struct gate *g, uint16_t id, struct wire set)
{
	uint16_t first = g->is_ipfix ? IPFIX_TEMPLATE_SET : 0;

	if (id >= TEMPLATE_ID_MIN)
		walk_data_set(g, id, set);
	else if (id == first)
		walk_template_set(g, set);
	else if (id == first + 1)
		walk_options_template_set(g, set);
	else
		count(g, COUNTER_SETS_RESERVED);
}

struct gate_result
gate_walk(struct gate *g, struct exporter *e,
    const struct export_header *header, struct wire body, int64_t now_ms,
    gate_record_fn fn, void *arg)
{
	struct template *old = template_next(g->templates);
	bool is_frame = wire_left(&body) <= GATE_FRAME_OCTETS;

	g->exporter = e;
	g->is_ipfix = header->protocol == EXPORT_IPFIX;
	g->now_ms = now_ms;
	g->fn = fn;
	g->arg = arg;
	g->options_left = is_frame ? GATE_FRAME_OPTIONS : GATE_OPTIONS_MAX;
	g->result = (struct gate_result){ .all_counted = true };
	template_allow(g->templates,
	    is_frame ? GATE_FRAME_LOOKUPS : GATE_LOOKUPS_MAX);
	if (old != NULL)
		(void)expire_if_old(g, old);
	while (wire_left(&body) >= SET_HEADER_OCTETS) {
		uint16_t id = wire_u16(&body);
		uint16_t length = wire_u16(&body);
		struct wire set;

		if (id == 0 && length == 0)
			break; /* some exporters fill up with zeros */
		if (length < SET_HEADER_OCTETS)
			body.failed = true;
		set = wire_part(&body, (size_t)length - SET_HEADER_OCTETS);
		if (set.failed) {
			count(g, COUNTER_SETS_MALFORMED);
			g->result.all_counted = false;
			break;
		}
		walk_set(g, id, set);
	}
	counter_add(g->counters, COUNTER_OPTIONS_RECORDS, g->result.options);
	return g->result;
}

struct template_table *
gate_templates(struct gate *g)
{
	return g->templates;
}

int
gate_remember(struct gate *g, struct exporter *e,
    const struct decoder_memory *m)
{
	struct template_definition definition;
	struct template_plan *plan = &g->plan;
	struct template *p;

	if (!template_load(m, &definition) || m->id < TEMPLATE_ID_MIN ||
	    !template_compile(&definition, g->max_fields, plan))
		return ERR_FORMAT;
	g->exporter = e;
	g->now_ms = m->learned_ms;
	template_allow(g->templates, GATE_FRAME_LOOKUPS);
	p = learn_template(g, m->id, &definition);
	if (p == NULL)
		return ERR_FULL;
	template_set_remembered(g->templates, p);
	return ERR_OK;
}
