/* SPDX-License-Identifier: Apache-2.0 */
/* The template table and the compiler. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "collector/interface.h"
#include "collector/template.h"
#include "common/table.h"

#define PEN_BIT	      0x8000U /* enterprise bit, RFC 7011, 3.2 */
#define REFRESHES_MIN 3	      /* RFC 7011, 8.4 */

#define FIELD_OCTETS		4
#define FIELD_OCTETS_MAX	8 /* with its PEN */
#define SUB_TEMPLATE_MULTI_LIST 293
#define INTERFACE_NAME		82
#define INTERFACE_DESCRIPTION	83
#define SCOPE_INTERFACE		2 /* v9, RFC 3954, 6.1 */
#define SAVED_HEADER_OCTETS	4 /* fields, scopes */

/* A refresh is worth saving once in so long. */
#define SAVE_INTERVAL_MS (INT64_C(3600) * 1000)

#define RECENT	     64	 /* templates found without a look-up */
#define SMALL_OCTETS 128 /* of steps and definition: twelve of IANA's */

struct template_key {
	uint32_t exporter;
	uint32_t id;
};

struct template_table {
	struct table *table;
	uint32_t max_each;
	uint32_t share;	 /* of an address, always there for it */
	uint32_t common; /* templates beyond their address's share */
	uint32_t common_max;
	size_t form_octets;   /* of a template's fields and definition */
	uint8_t *forms;	      /* by slot */
	uint8_t *small_forms; /* the same, SMALL_OCTETS each */
	uint32_t changed;     /* templates to be saved */
	int64_t lifetime_ms;
	uint32_t slots_seen; /* slots from here on were never used */
	uint32_t hand;	     /* where to look for old ones next */
	uint32_t lookups_left;
	struct template *recent[RECENT]; /* by recent_of() */
	struct template_key sought;	 /* by the last look-up, */
	uint64_t sought_hash;		 /* so that adding it needs no hash */
};

/* One that is longer is not kept over a restart. */
static bool
can_be_saved(const struct template *p)
{
	return p->definition_octets <= MEMORY_OCTETS_MAX;
}

static uint32_t
templates_max(uint32_t max_exporters, uint32_t max_templates)
{
	uint64_t max = (uint64_t)max_exporters * max_templates;

	return max > TEMPLATES_MAX ? TEMPLATES_MAX : (uint32_t)max;
}

/* Of a large place. */
static size_t
form_octets(uint32_t max_fields)
{
	return SAVED_HEADER_OCTETS +
	       max_fields * (sizeof(struct template_step) + FIELD_OCTETS_MAX);
}

size_t
template_table_bytes(uint32_t max_exporters, uint32_t max_templates,
    uint32_t max_fields)
{
	uint32_t max = templates_max(max_exporters, max_templates);

	return sizeof(struct template_table) +
	       max * (form_octets(max_fields) + SMALL_OCTETS) +
	       table_bytes(max, sizeof(struct template_key),
		   sizeof(struct template));
}

struct template_table *
template_table_new(uint32_t max_addresses, uint32_t max_exporters,
    uint32_t max_templates, uint32_t max_fields, int64_t lifetime_ms,
    const struct hash_key *key)
{
	struct template_table *t = calloc(1, sizeof(*t));
	uint32_t max = templates_max(max_exporters, max_templates);

	assert(
	    max >= 1 && max_fields >= 1 && max_fields <= TEMPLATE_FIELDS_MAX);
	if (t == NULL)
		return NULL;
	t->share = max / 2 / max_addresses;
	t->common_max = max - t->share * max_addresses;
	t->max_each = max_templates;
	t->lifetime_ms = lifetime_ms;
	t->form_octets = form_octets(max_fields);
	t->forms = malloc(max * t->form_octets);
	t->small_forms = malloc(max * SMALL_OCTETS);
	t->table = table_new(max, sizeof(struct template_key),
	    sizeof(struct template), key);
	if (t->table == NULL || t->forms == NULL || t->small_forms == NULL) {
		template_table_free(t);
		return NULL;
	}
	return t;
}

void
template_table_free(struct template_table *t)
{
	if (t == NULL)
		return;
	table_free(t->table);
	free(t->forms);
	free(t->small_forms);
	free(t);
}

/* Appends a field to skip; fixed neighbours become one. */
static void
append_skip(struct template_plan *plan, uint16_t length)
{
	struct template_field *last =
	    plan->count > 0 ? &plan->fields[plan->count - 1] : NULL;

	if (length != IE_VARIABLE && last != NULL && last->ie == IE_COUNT &&
	    last->length != IE_VARIABLE) {
		last->length = (uint16_t)(last->length + length);
		return;
	}
	plan->fields[plan->count++] =
	    (struct template_field){ IE_COUNT, length };
}

/* The name of an interface, as what it is compiled to; IE_COUNT: no name. */
static uint8_t
name_ie(uint32_t pen, uint16_t number)
{
	if (pen == 0 && number == INTERFACE_NAME)
		return TEMPLATE_IE_NAME;
	if (pen == 0 && number == INTERFACE_DESCRIPTION)
		return TEMPLATE_IE_TEXT;
	return IE_COUNT;
}

/* A field that is none of the elements we use, or not the first of it. */
static void
append_other(struct template_plan *plan, uint32_t pen, uint16_t number,
    uint16_t length, bool is_options)
{
	uint8_t name = is_options ? name_ie(pen, number) : IE_COUNT;

	if (length == IE_VARIABLE)
		plan->is_variable = true;
	if (length == 0)
		return;
	if (length == IE_VARIABLE && pen == 0 &&
	    number == SUB_TEMPLATE_MULTI_LIST) {
		plan->has_list = true;
		plan->fields[plan->count++] =
		    (struct template_field){ TEMPLATE_IE_LIST, length };
	} else if (name != IE_COUNT) {
		plan->has_name = true;
		plan->fields[plan->count++] =
		    (struct template_field){ name, length };
	} else {
		append_skip(plan, length);
	}
}

/* Members are of 1, 2, 4, 8 or 16 octets. */
static enum template_size
size_of(enum ie ie)
{
	return (enum template_size)(SIZE_1 - __builtin_ctz(ie_info(ie)->size));
}

/* Appends a field. seen: the elements there are, by their bits. */
static void
append_field(struct template_plan *plan, uint64_t seen[2], uint32_t pen,
    uint16_t number, uint16_t length, bool is_options)
{
	enum ie ie = ie_find(pen, number, length);
	uint64_t *word = &seen[ie >= 64];
	uint64_t bit = UINT64_C(1) << (ie & 63);

	/* a variable-length field takes at least its length octet */
	plan->octets += length == IE_VARIABLE ? 1 : length;
	if (ie == IE_COUNT || (*word & bit) != 0) {
		append_other(plan, pen, number, length, is_options);
		return;
	}
	*word |= bit;
	plan->steps[size_of(ie)]++;
	plan->fields[plan->count++] =
	    (struct template_field){ (uint8_t)ie, length };
}

/* What a scope of a v9 options template is called elsewhere. */
static uint16_t
scope_number(uint16_t scope)
{
	return scope == SCOPE_INTERFACE ? ie_info(IE_INGRESS_IF)->number
					: IE_PADDING;
}

bool
template_compile(const struct template_definition *definition,
    uint32_t max_fields, struct template_plan *out)
{
	struct wire fields = definition->fields;
	uint64_t seen[2] = { 0 };

	if (definition->count == 0 || definition->count > max_fields ||
	    definition->scopes > definition->count)
		return false;
	out->octets = 0;
	out->is_variable = false;
	out->has_list = false;
	out->has_name = false;
	memset(out->steps, 0, sizeof(out->steps));
	out->count = 0;
	for (uint16_t i = 0; i < definition->count; i++) {
		const uint8_t *field = wire_take(&fields, FIELD_OCTETS);
		uint16_t number;
		uint16_t length;
		uint32_t pen = 0;

		if (field == NULL)
			return false;
		number = wire_get_u16(field);
		length = wire_get_u16(field + 2);

		if (definition->has_pens && (number & PEN_BIT) != 0) {
			number &= (uint16_t)~PEN_BIT;
			pen = wire_u32(&fields);
		}
		if (!definition->has_pens && i < definition->scopes)
			number = scope_number(number);
		append_field(out, seen, pen, number, length,
		    definition->is_options);
		if (fields.failed || out->octets > TEMPLATE_OCTETS_MAX)
			return false;
	}
	out->present = (ie_set)seen[1] << 64 | seen[0];
	return out->octets > 0;
}

void
template_allow(struct template_table *t, uint32_t lookups)
{
	t->lookups_left = lookups;
}

bool
template_is_spent(const struct template_table *t)
{
	return t->lookups_left == 0;
}

static void
spend(struct template_table *t)
{
	t->lookups_left -= t->lookups_left > 0;
}

/* Where a template is, or would be, when it was one of the last. */
static struct template **
recent_of(struct template_table *t, uint32_t exporter, uint16_t id)
{
	return &t->recent[(id + exporter * 7) % RECENT];
}

struct template *
template_find(struct template_table *t, const struct exporter *e, uint16_t id)
{
	struct template **recent = recent_of(t, e->index, id);
	const struct template_key key = { e->index, id };
	struct template *p = *recent;

	if (p != NULL && p->exporter == e->index && p->id == id)
		return p;
	if (template_is_spent(t))
		return NULL;
	spend(t);
	t->sought = key;
	t->sought_hash = table_hash(t->table, &key);
	p = table_find_hashed(t->table, &key, t->sought_hash);
	if (p != NULL)
		*recent = p;
	return p;
}

bool
template_is_expired(const struct template_table *t, const struct template *p,
    int64_t now_ms)
{
	int64_t lifetime_ms = p->refresh_ms * REFRESHES_MIN;

	if (lifetime_ms < t->lifetime_ms)
		lifetime_ms = t->lifetime_ms;
	if (p->is_remembered)
		lifetime_ms = MEMORY_AGE_MAX_MS;
	return now_ms - p->learned_ms > lifetime_ms;
}

/* Keeps count of what is to be saved. */
static void
set_changed(struct template_table *t, struct template *p, bool is_changed)
{
	t->changed += (uint32_t)is_changed - (uint32_t)p->is_changed;
	p->is_changed = is_changed;
}

struct template *
template_add(struct template_table *t, struct exporter *e, uint16_t id)
{
	const struct template_key key = { e->index, id };
	uint32_t *held = exporter_templates_held(e);
	bool is_common = *held >= t->share;
	struct template *p;
	uint32_t slot;

	if (e->info.templates >= t->max_each ||
	    (is_common && t->common == t->common_max))
		return NULL;
	if (t->sought.exporter != key.exporter || t->sought.id != key.id)
		t->sought_hash = table_hash(t->table, &key);
	t->sought = key;
	p = table_insert_hashed(t->table, &key, t->sought_hash);
	assert(p != NULL); /* the shares and the rest are all there is */
	slot = table_slot(t->table, p);
	if (slot >= t->slots_seen)
		t->slots_seen = slot + 1;
	p->exporter = e->index;
	p->id = id;
	*recent_of(t, e->index, id) = p;
	p->is_live = true;
	e->info.templates++;
	t->common += is_common;
	++*held;
	return p;
}

void
template_remove(struct template_table *t, struct exporter *e,
    struct template *p)
{
	uint32_t *held = exporter_templates_held(e);
	struct template **recent = recent_of(t, e->index, p->id);

	assert(p->exporter == e->index);
	if (*recent == p)
		*recent = NULL;
	spend(t);
	set_changed(t, p, false);
	p->is_live = false; /* template_next() looks at free slots too */
	table_remove(t->table, p);
	e->info.templates--;
	t->common -= --*held >= t->share;
}

bool
template_is_same(const struct template *p,
    const struct template_definition *definition)
{
	struct wire kept = wire_over(p->definition, p->definition_octets);

	return p->is_options == definition->is_options &&
	       wire_u16(&kept) == definition->count &&
	       wire_u16(&kept) == definition->scopes &&
	       wire_left(&kept) == wire_left(&definition->fields) &&
	       memcmp(kept.at, definition->fields.at, wire_left(&kept)) == 0;
}

/* Room for so many octets of steps or fields, and of the definition. */
static uint8_t *
place_form(const struct template_table *t, const struct template *p,
    size_t octets)
{
	size_t slot = table_slot(t->table, p);

	return octets <= SMALL_OCTETS ? t->small_forms + slot * SMALL_OCTETS
				      : t->forms + slot * t->form_octets;
}

static void
write_steps(const struct template_plan *plan, struct template_step *steps)
{
	struct template_step *next[SIZES];
	uint16_t end = 0;

	for (unsigned i = 0; i < SIZES; i++) {
		next[i] = steps;
		steps += plan->steps[i];
	}
	for (uint16_t i = 0; i < plan->count; i++) {
		const struct template_field *field = &plan->fields[i];

		end = (uint16_t)(end + field->length);
		if (field->ie < IE_COUNT)
			*next[size_of((enum ie)field->ie)]++ =
			    (struct template_step){ end,
				    ie_info((enum ie)field->ie)->offset,
				    field->length };
	}
}

/* Sets steps or fields, behind which there is room for the definition. */
static void
set_form(const struct template_table *t, struct template *p,
    const struct template_plan *plan, size_t definition_octets)
{
	size_t count = 0;
	size_t octets = plan->count * sizeof(plan->fields[0]);
	uint8_t *at;

	p->has_steps = !plan->is_variable && !plan->has_name;
	memcpy(p->step_counts, plan->steps, sizeof(p->step_counts));
	for (unsigned i = 0; p->has_steps && i < SIZES; i++)
		count += plan->steps[i];
	if (p->has_steps)
		octets = count * sizeof(struct template_step);
	at = place_form(t, p, octets + definition_octets);
	p->fields = (struct template_field *)(void *)at;
	p->definition = at + octets;
	if (p->has_steps)
		write_steps(plan, p->steps);
	else
		memcpy(p->fields, plan->fields, octets);
}

void
template_fill(struct template_table *t, struct template *p,
    const struct template_plan *plan,
    const struct template_definition *definition, int64_t now_ms)
{
	size_t octets = wire_left(&definition->fields);
	uint8_t *kept;

	if (p->fields != NULL) /* it is none that was just added */
		spend(t);
	p->present = plan->present;
	p->octets = plan->octets;
	p->is_options = definition->is_options;
	p->is_variable = plan->is_variable;
	p->has_list = plan->has_list;
	p->has_name = plan->has_name;
	p->is_remembered = false;
	p->learned_ms = now_ms;
	p->refresh_ms = 0;
	p->count = plan->count;
	set_form(t, p, plan, SAVED_HEADER_OCTETS + octets);
	kept = p->definition;
	wire_put_u16(kept, definition->count);
	wire_put_u16(kept + 2, definition->scopes);
	memcpy(kept + SAVED_HEADER_OCTETS, definition->fields.at, octets);
	p->definition_octets = (uint16_t)(SAVED_HEADER_OCTETS + octets);
	set_changed(t, p, can_be_saved(p));
}

void
template_read(const struct template *p, const uint8_t *record,
    struct ie_record *out)
{
	const struct template_step *step = p->steps;
	uint8_t *base = (uint8_t *)out;

	for (unsigned i = p->step_counts[SIZE_16]; i > 0; i--, step++)
		memcpy(base + step->to, record + step->end - 16, 16);
	for (unsigned i = p->step_counts[SIZE_8]; i > 0; i--, step++) {
		uint64_t value = ie_unsigned(record + step->end, step->length);

		memcpy(base + step->to, &value, sizeof(value));
	}
	for (unsigned i = p->step_counts[SIZE_4]; i > 0; i--, step++) {
		uint32_t value =
		    (uint32_t)ie_unsigned(record + step->end, step->length);

		memcpy(base + step->to, &value, sizeof(value));
	}
	for (unsigned i = p->step_counts[SIZE_2]; i > 0; i--, step++) {
		uint16_t value =
		    (uint16_t)ie_unsigned(record + step->end, step->length);

		memcpy(base + step->to, &value, sizeof(value));
	}
	for (unsigned i = p->step_counts[SIZE_1]; i > 0; i--, step++)
		base[step->to] = record[step->end - 1];
}

/* As template_next_length(), without a reader. NULL: it does not fit. */
static const uint8_t *
skip_length(const uint8_t *at, const uint8_t *end, size_t *length)
{
	if (*length == IE_VARIABLE) {
		if (at == end)
			return NULL;
		*length = *at++;
		if (*length == IE_VARIABLE_LONG) {
			if (end - at < 2)
				return NULL;
			*length = wire_get_u16(at);
			at += 2;
		}
	}
	return (size_t)(end - at) >= *length ? at : NULL;
}

bool
template_read_next(const struct template *p, struct wire *set,
    struct ie_record *out, struct template_lists *lists)
{
	const uint8_t *at = set->at;

	for (uint16_t i = 0; i < p->count; i++) {
		const struct template_field *field = &p->fields[i];
		size_t length = field->length;

		at = skip_length(at, set->end, &length);
		if (at == NULL) {
			set->failed = true;
			return false;
		}
		if (field->ie < IE_COUNT)
			ie_store(out, (enum ie)field->ie, at, (uint16_t)length);
		else if (field->ie == TEMPLATE_IE_LIST && lists != NULL &&
			 lists->count < TEMPLATE_LISTS_MAX)
			lists->at[lists->count++] = wire_over(at, length);
		at += length;
	}
	set->at = at;
	return true;
}

struct wire
template_name(const struct template *p, struct wire set)
{
	struct wire description = wire_part(&set, 0);

	for (uint16_t i = 0; i < p->count; i++) {
		const struct template_field *field = &p->fields[i];
		uint16_t length = template_next_length(field, &set);
		struct wire name = wire_part(&set, length);

		if (field->ie < TEMPLATE_IE_NAME)
			continue;
		name = interface_name_of(name);
		if (field->ie == TEMPLATE_IE_NAME && wire_left(&name) > 0)
			return name;
		if (wire_left(&description) == 0)
			description = name;
	}
	return description;
}

void
template_revive(struct template *p, int64_t now_ms)
{
	p->is_remembered = false;
	p->learned_ms = now_ms;
}

void
template_refresh(struct template_table *t, struct template *p, int64_t now_ms)
{
	if (p->is_remembered)
		p->is_remembered = false; /* this life has just begun */
	else if (now_ms - p->learned_ms > p->refresh_ms)
		p->refresh_ms = now_ms - p->learned_ms;
	p->learned_ms = now_ms;
	if (now_ms - p->saved_ms >= SAVE_INTERVAL_MS && can_be_saved(p))
		set_changed(t, p, true);
}

struct template *
template_next(struct template_table *t)
{
	struct template *p;

	if (t->slots_seen == 0)
		return NULL;
	t->hand = t->hand + 1 < t->slots_seen ? t->hand + 1 : 0;
	p = table_at(t->table, t->hand);
	return p->is_live ? p : NULL;
}

uint32_t
template_changed(const struct template_table *t)
{
	return t->changed;
}

bool
template_save(struct template_table *t, uint32_t *slot, bool *is_last,
    struct decoder_memory *out, uint32_t *exporter)
{
	struct template *p = NULL;
	const struct template_key *key;

	if (*slot < t->slots_seen)
		p = table_at(t->table, *slot);
	++*slot;
	*is_last = *slot >= t->slots_seen;
	if (p == NULL || !p->is_live || !p->is_changed)
		return false;
	key = table_key(t->table, p);
	*exporter = p->exporter;
	out->kind = p->is_options ? MEMORY_OPTIONS_TEMPLATE : MEMORY_TEMPLATE;
	out->id = (uint16_t)key->id;
	out->learned_ms = p->learned_ms;
	out->length = p->definition_octets;
	memcpy(out->octets, p->definition, p->definition_octets);
	p->saved_ms = p->learned_ms;
	set_changed(t, p, false);
	return true;
}

bool
template_load(const struct decoder_memory *m, struct template_definition *out)
{
	struct wire w;

	if (m->length < SAVED_HEADER_OCTETS || m->length > MEMORY_OCTETS_MAX)
		return false;
	w = wire_over(m->octets, m->length);
	out->count = wire_u16(&w);
	out->scopes = wire_u16(&w);
	out->fields = w;
	out->is_options = m->kind == MEMORY_OPTIONS_TEMPLATE;
	out->has_pens = m->protocol == EXPORT_IPFIX;
	return wire_left(&w) >= (size_t)out->count * FIELD_OCTETS;
}

void
template_set_remembered(struct template_table *t, struct template *p)
{
	p->is_remembered = true;
	p->saved_ms = p->learned_ms;
	set_changed(t, p, false);
}
