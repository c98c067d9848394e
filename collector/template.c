/* SPDX-License-Identifier: Apache-2.0 */
/* The template table and the compiler. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "collector/template.h"
#include "common/table.h"

#define PEN_BIT	      0x8000U /* enterprise bit, RFC 7011, 3.2 */
#define REFRESHES_MIN 3	      /* RFC 7011, 8.4 */

struct template_key {
	uint32_t exporter;
	uint32_t id;
};

struct template_table {
	struct table *table;
	uint32_t max_each;
	uint32_t max_fields;
	int64_t lifetime_ms;
	struct hash_key key;
	uint32_t slots_seen; /* slots from here on were never used */
	uint32_t hand;	     /* where to look for old ones next */
};

struct template_table *
template_table_new(uint32_t max_exporters, uint32_t max_templates,
    uint32_t max_fields, int64_t lifetime_ms, const struct hash_key *key)
{
	struct template_table *t = calloc(1, sizeof(*t));
	uint64_t max = (uint64_t)max_exporters * max_templates;

	assert(
	    max >= 1 && max_fields >= 1 && max_fields <= TEMPLATE_FIELDS_MAX);
	if (t == NULL)
		return NULL;
	t->max_each = max_templates;
	t->max_fields = max_fields;
	t->lifetime_ms = lifetime_ms;
	t->key = *key;
	t->table =
	    table_new(max < TEMPLATES_MAX ? (uint32_t)max : TEMPLATES_MAX,
		sizeof(struct template_key),
		sizeof(struct template) +
		    max_fields * sizeof(struct template_field),
		key);
	if (t->table == NULL) {
		free(t);
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

static bool
append_field(struct template_plan *plan, uint32_t pen, uint16_t number,
    uint16_t length)
{
	enum ie ie = ie_find(pen, number, length);

	/* a variable-length field takes at least its length octet */
	plan->octets += length == IE_VARIABLE ? 1 : length;
	if (plan->octets > TEMPLATE_OCTETS_MAX)
		return false;
	if (length == IE_VARIABLE)
		plan->is_variable = true;
	if (length == 0)
		return true;
	if (ie == IE_COUNT || (plan->present & IE_BIT(ie)) != 0) {
		append_skip(plan, length);
		return true;
	}
	plan->present |= IE_BIT(ie);
	plan->fields[plan->count++] =
	    (struct template_field){ (uint8_t)ie, length };
	return true;
}

bool
template_compile(struct wire fields, uint16_t count, bool has_pens,
    uint32_t max_fields, struct template_plan *out)
{
	if (count == 0 || count > max_fields)
		return false;
	out->present = 0;
	out->octets = 0;
	out->is_variable = false;
	out->count = 0;
	for (uint16_t i = 0; i < count; i++) {
		uint16_t number = wire_u16(&fields);
		uint16_t length = wire_u16(&fields);
		uint32_t pen = 0;

		if (has_pens && (number & PEN_BIT) != 0) {
			number &= (uint16_t)~PEN_BIT;
			pen = wire_u32(&fields);
		}
		if (fields.failed || !append_field(out, pen, number, length))
			return false;
	}
	return out->octets > 0;
}

uint64_t
template_digest(const struct template_table *t, const void *octets,
    size_t length)
{
	return hash_octets(&t->key, octets, length);
}

struct template *
template_find(const struct template_table *t, const struct exporter *e,
    uint16_t id)
{
	const struct template_key key = { e->index, id };

	return table_find(t->table, &key);
}

bool
template_is_expired(const struct template_table *t, const struct template *p,
    int64_t now_ms)
{
	int64_t lifetime_ms = p->refresh_ms * REFRESHES_MIN;

	if (lifetime_ms < t->lifetime_ms)
		lifetime_ms = t->lifetime_ms;
	return now_ms - p->learned_ms > lifetime_ms;
}

struct template *
template_add(struct template_table *t, struct exporter *e, uint16_t id)
{
	const struct template_key key = { e->index, id };
	struct template *p;
	uint32_t slot;

	if (e->info.templates >= t->max_each)
		return NULL;
	p = table_insert(t->table, &key);
	if (p == NULL)
		return NULL;
	slot = table_slot(t->table, p);
	if (slot >= t->slots_seen)
		t->slots_seen = slot + 1;
	p->exporter = e->index;
	p->is_live = true;
	e->info.templates++;
	return p;
}

void
template_remove(struct template_table *t, struct exporter *e,
    struct template *p)
{
	assert(p->exporter == e->index);
	p->is_live = false; /* template_next() looks at free slots too */
	table_remove(t->table, p);
	e->info.templates--;
}

void
template_fill(struct template *p, const struct template_plan *plan,
    bool is_options, uint64_t digest, int64_t now_ms)
{
	p->digest = digest;
	p->present = plan->present;
	p->octets = plan->octets;
	p->is_options = is_options;
	p->is_variable = plan->is_variable;
	p->learned_ms = now_ms;
	p->refresh_ms = 0;
	p->count = plan->count;
	memcpy(p->fields, plan->fields, plan->count * sizeof(p->fields[0]));
}

void
template_read(const struct template *p, const uint8_t *record,
    struct ie_record *out)
{
	for (uint16_t i = 0; i < p->count; i++) {
		const struct template_field *field = &p->fields[i];

		if (field->ie != IE_COUNT)
			ie_store(out, (enum ie)field->ie, record,
			    field->length);
		record += field->length;
	}
}

void
template_refresh(struct template *p, int64_t now_ms)
{
	if (now_ms - p->learned_ms > p->refresh_ms)
		p->refresh_ms = now_ms - p->learned_ms;
	p->learned_ms = now_ms;
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
