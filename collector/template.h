/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The templates: which fields the data records of an exporter have.
 *
 * A definition is checked and compiled once (template_compile), into what a
 * data set needs: the length of its records, the fields to walk along, and
 * the set of elements we use. The table keeps that, and the definition as it
 * came: to know a refresh by, and to be kept over a restart.
 *
 * Shape: one table for all exporters, with a bound for each and one for all.
 * Fields and definition are in one of two slabs beside the table, of small
 * and of large places, one of each for a slot: never cleared, and only as
 * much touched as a template needs.
 * Look-ups: those of the last few templates are free; of others, a message
 * has so many (template_allow), since each can cost a miss of every cache.
 * When full: new templates are refused; their data sets count as unknown. Half
 * of the table is set aside in equal shares for each address that may send, so
 * that those who fill the rest do not keep another from being understood.
 * Lifetime: by the datagrams' times, since the last refresh (RFC 7011, 8.4).
 * Nothing is allocated after template_table_new().
 */
#ifndef COLLECTOR_TEMPLATE_H
#define COLLECTOR_TEMPLATE_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/exporter.h"
#include "collector/ie.h"
#include "common/hash.h"
#include "common/wire.h"

#define TEMPLATE_ID_MIN	    256	  /* RFC 7011, 3.4.1 */
#define TEMPLATE_FIELDS_MAX 1024  /* of the configuration's bound */
#define TEMPLATE_OCTETS_MAX 4096  /* of its shortest record */
#define TEMPLATES_MAX	    8192U /* of all exporters: 14 MiB */
#define TEMPLATE_LISTS_MAX  4	  /* lists read of a record; YAF has one */
#define TEMPLATE_IE_LIST    (IE_COUNT + 1)
#define TEMPLATE_IE_NAME    (IE_COUNT + 2)
#define TEMPLATE_IE_TEXT    (IE_COUNT + 3)

/*
 * A field of the compiled form: an element we use, octets to skip, a list of
 * records (list.h), or, of options, an interface's name or description.
 */
struct template_field {
	uint8_t ie;	 /* enum ie; IE_COUNT: skip; TEMPLATE_IE_... */
	uint16_t length; /* octets; IE_VARIABLE only from IE_COUNT on */
};

/* A definition as it came: field specifiers, RFC 7011, 3.2. */
struct template_definition {
	struct wire fields;
	uint16_t count;
	uint16_t scopes; /* of an options template: the first so many */
	bool is_options;
	bool has_pens; /* bit 15 of a number announces one: IPFIX, not v9 */
};

/*
 * Where an element of records of fixed length comes from and goes to. Steps
 * are in order of the members' sizes, so that reading a record is a loop for
 * each size, without a branch.
 */
struct template_step {
	uint16_t end;	 /* of the field, from the record's start */
	uint16_t to;	 /* in struct ie_record */
	uint16_t length; /* of the field */
};

enum template_size { SIZE_16, SIZE_8, SIZE_4, SIZE_2, SIZE_1, SIZES };

struct template_plan {
	ie_set present;	 /* IE_BIT of each element it has */
	uint32_t octets; /* of the shortest record */
	bool is_variable;
	bool has_list;
	bool has_name;	      /* of an interface */
	uint8_t steps[SIZES]; /* elements with members of each size */
	uint16_t count;
	struct template_field fields[TEMPLATE_FIELDS_MAX];
};

#define TEMPLATE_NO_LIBRARY_ID 0 /* the library does not know it */

struct template
{
	ie_set present;
	/* the one for records of fixed length, the other for all others */
	union {
		struct template_step *steps;
		struct template_field *fields;
	};
	uint8_t *definition;
	uint32_t octets; /* of the shortest record */
	uint32_t exporter;
	uint16_t id;
	uint16_t count; /* of fields */
	uint8_t step_counts[SIZES];
	uint16_t definition_octets;
	uint16_t library_id; /* the gate's: what the library knows it as */
	bool is_live;	     /* the slot is in use */
	bool is_options;
	bool is_variable;
	bool has_steps; /* neither is_variable nor has_name */
	bool has_list;
	bool has_name;	    /* of an interface */
	bool is_changed;    /* since template_save() */
	bool is_remembered; /* of an earlier life, and not used yet */
	int64_t learned_ms; /* or refreshed */
	int64_t refresh_ms; /* the longest interval between refreshes */
	int64_t saved_ms;   /* learned_ms as template_save() last gave it */
};

struct template_table;

/*
 * max_addresses share what the table holds; max_exporters are their domains.
 * owned: free with template_table_free(). NULL: no memory.
 */
struct template_table *template_table_new(uint32_t max_addresses,
    uint32_t max_exporters, uint32_t max_templates, uint32_t max_fields,
    int64_t lifetime_ms, const struct hash_key *key);
void template_table_free(struct template_table *t); /* takes NULL */

/* What template_table_new() allocates, in octets. */
size_t template_table_bytes(uint32_t max_exporters, uint32_t max_templates,
    uint32_t max_fields);

/*
 * Compiles a definition. The scopes of a v9 options template have numbers of
 * their own (RFC 3954, 6.1), of which the interface is read.
 * Elements we do not use, or in a length we do not know, and all but the
 * first of several equal ones (RFC 7011, 8) become octets to skip,
 * neighbours as one. Fields of no length are left out: they exist, and mean
 * nothing. A v9 field may be of variable length, as in IPFIX: the standard
 * has none, but H3C's routers send them.
 * False, with *out undefined: no or too many fields, more scopes than those, a
 * record that could be
 * of no length at all, or one longer than TEMPLATE_OCTETS_MAX.
 */
bool template_compile(const struct template_definition *definition,
    uint32_t max_fields, struct template_plan *out);

/*
 * From here on, so many look-ups may be made; 0 at first. A redefinition and
 * a removal cost one, too.
 */
void template_allow(struct template_table *t, uint32_t lookups);

/*
 * The template of an exporter under id. NULL: there is none, or, when
 * template_is_spent() before, it is not one of the last few.
 */
struct template *template_find(struct template_table *t,
    const struct exporter *e, uint16_t id);
bool template_is_spent(const struct template_table *t);

/*
 * Not refreshed for the table's lifetime, or three times the longest interval
 * seen between refreshes, whichever is longer.
 */
bool template_is_expired(const struct template_table *t,
    const struct template *p, int64_t now_ms);

/*
 * A new entry for id, not filled; counts into e->info.templates.
 * Before: template_find() gave NULL for it, not spent. NULL: one of the
 * bounds is met.
 */
struct template *template_add(struct template_table *t, struct exporter *e,
    uint16_t id);
void template_remove(struct template_table *t, struct exporter *e,
    struct template *p);

/* Whether p was filled from just this definition. */
bool template_is_same(const struct template *p,
    const struct template_definition *definition);

/* Fills p from a compiled definition. plan->count <= max_fields. */
void template_fill(struct template_table *t, struct template *p,
    const struct template_plan *plan,
    const struct template_definition *definition, int64_t now_ms);

/*
 * Reads one record into out; members that p has no element for are left
 * alone. Before: p->has_steps; p->octets octets are there, and 8 before them.
 */
void template_read(const struct template *p, const uint8_t *record,
    struct ie_record *out);

/* The length of the next field: told by the definition, or before it. */
static inline uint16_t
template_next_length(const struct template_field *field, struct wire *set)
{
	uint16_t length = field->length;

	if (length != IE_VARIABLE)
		return length;
	length = wire_u8(set);
	return length == IE_VARIABLE_LONG ? wire_u16(set) : length;
}

/* The first lists of records of a record; they are looked into later. */
struct template_lists {
	unsigned count;
	struct wire at[TEMPLATE_LISTS_MAX];
};

/*
 * The same, of any length; *set moves past it. False: it does not fit. Before:
 * !p->has_steps. lists may be NULL.
 */
bool template_read_next(const struct template *p, struct wire *set,
    struct ie_record *out, struct template_lists *lists);

/*
 * The name of the interface that the record at the front of set is about, of
 * no octets if there is none. Before: p->has_name, and the record fits.
 */
struct wire template_name(const struct template *p, struct wire set);

/* The same definition came again. */
void template_refresh(struct template_table *t, struct template *p,
    int64_t now_ms);

/* The first use of one that was remembered: its lifetime begins. */
void template_revive(struct template *p, int64_t now_ms);

/*
 * One template after the other, round and round; NULL at a free slot. Asked
 * once a datagram, it gets to those of exporters that have gone silent.
 */
struct template *template_next(struct template_table *t);

/* How many template_save() will give. */
uint32_t template_changed(const struct template_table *t);

/*
 * Looks at slot *slot, and moves it on. True when the template there is to
 * be kept: its id, kind, learned_ms and octets are in *out, the rest is
 * left; *exporter says whose it is. *is_last: the last slot was looked at.
 */
bool template_save(struct template_table *t, uint32_t *slot, bool *is_last,
    struct decoder_memory *out, uint32_t *exporter);

/* What template_save() wrote. False: it did not. */
bool template_load(const struct decoder_memory *m,
    struct template_definition *out);

/* Takes p as loaded: not to be saved again, and not old yet. */
void template_set_remembered(struct template_table *t, struct template *p);

#endif
