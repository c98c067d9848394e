/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks: parameters at random, and the datagrams they stand for. */
#include <stdio.h>
#include <string.h>

#include "common/wire.h"
#include "tests/attacks.h"
#include "tests/datagrams.h"

#define FIELDS_MAX   128
#define FIRST_ID     256
#define IDS	     60000 /* ids wrap behind so many */
#define LIST_IDS     8	   /* templates for the records in lists */
#define LIST_ID	     40000
#define DOMAIN	     9
#define IDLE_SECONDS 5 /* longer than ATTACK_LIFETIME_MS */

uint64_t
attack_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(0x2545f4914f6cdd1d);
}

static uint32_t
below(uint64_t *state, uint32_t n)
{
	return (uint32_t)((attack_random(state) >> 32) * n >> 32);
}

/* 1..max, small ones more often. */
static uint32_t
small_or_large(uint64_t *state, uint32_t max)
{
	uint32_t limit = 1U << below(state, 9);

	return 1 + below(state, limit < max ? limit : max);
}

static uint32_t
any_octets(uint64_t *state)
{
	switch (below(state, 4)) {
	case 0:
		return ATTACK_LARGE;
	case 1:
		return 256 + below(state, ATTACK_LARGE - 256);
	default:
		return ATTACK_SMALL - below(state, 64);
	}
}

/* Takes parameter `which` anew. */
#define PARAMETERS 13
static void
draw(struct attack *a, unsigned which, uint64_t *state)
{
	switch (which) {
	case 0:
		a->filling = (enum attack_filling)below(state, ATTACK_FILLINGS);
		break;
	case 1:
		a->before = (enum attack_before)below(state, ATTACK_BEFORES);
		break;
	case 2:
		a->octets = any_octets(state);
		break;
	case 3:
		a->fields = small_or_large(state, FIELDS_MAX);
		break;
	case 4:
		a->ids = small_or_large(state, 256);
		break;
	case 5:
		a->step = small_or_large(state, 199);
		break;
	case 6:
		a->records =
		    below(state, 3) == 0 ? 0 : small_or_large(state, 64);
		break;
	case 7:
		a->entries = below(state, 13);
		break;
	case 8:
		a->is_netflow9 = below(state, 2) != 0;
		break;
	case 9:
		a->is_options = below(state, 2) != 0;
		break;
	case 10:
		a->is_bare = below(state, 2) != 0;
		break;
	case 11:
		a->is_short = below(state, 4) == 0;
		break;
	default:
		a->is_cold = below(state, 2) != 0;
		break;
	}
}

struct attack
attack_any(uint64_t *state)
{
	struct attack a = { .kind =
				(enum attack_kind)below(state, ATTACK_KINDS) };

	for (unsigned i = 0; i < PARAMETERS; i++)
		draw(&a, i, state);
	return a;
}

struct attack
attack_vary(const struct attack *a, uint64_t *state)
{
	struct attack other = *a;

	for (uint32_t n = 1 + below(state, 2); n > 0; n--)
		draw(&other, below(state, PARAMETERS), state);
	return other;
}

/* --- templates --- */

/* Field n of a kind: neighbours differ. */
static struct build_field
filler(enum attack_filling filling, unsigned n)
{
	static const struct build_field known[] = { { 7, 2, 0 }, { 11, 2, 0 },
		{ 1, 8, 0 }, { 2, 8, 0 }, { 6, 2, 0 }, { 10, 4, 0 },
		{ 14, 4, 0 }, { 136, 1, 0 }, { 239, 1, 0 }, { 233, 1, 0 },
		{ 225, 4, 0 }, { 228, 2, 0 }, { 15, 1, 6871 } };
	static const struct build_field reverse[] = { { 1, 1, 29305 },
		{ 2, 1, 29305 }, { 6, 1, 29305 }, { 16398, 1, 6871 },
		{ 16399, 1, 6871 }, { 21, 1, 6871 }, { 85, 1, 29305 } };
	static const struct build_field times[] = { { 21, 1, 0 }, { 22, 1, 0 },
		{ 158, 1, 0 }, { 159, 1, 0 }, { 154, 8, 0 }, { 155, 8, 0 },
		{ 152, 8, 0 }, { 153, 8, 0 }, { 21, 1, 29305 },
		{ 22, 1, 29305 } };

	switch (filling) {
	case ATTACK_KNOWN:
		return known[n % FIELDS(known)];
	case ATTACK_REVERSE:
		return reverse[n % FIELDS(reverse)];
	case ATTACK_TIMES:
		return times[n % FIELDS(times)];
	case ATTACK_ENTERPRISE:
		return (struct build_field){ (uint16_t)(1 + n % 32000), 1,
			1000 + n };
	case ATTACK_VARIABLE:
		return (struct build_field){ 371, 65535, 0 };
	case ATTACK_STRUCTURED:
		return (struct build_field){ 293, 65535, 0 };
	case ATTACK_PLAIN_UNKNOWN:
	case ATTACK_FILLINGS:
		break;
	}
	return (struct build_field){ (uint16_t)(400 + n % 32000), 1, 0 };
}

/* The n-th field of an options template; n makes neighbours differ. */
static struct build_field
option(enum attack_filling filling, unsigned n)
{
	static const struct build_field rates[] = { { 34, 1, 0 }, { 48, 1, 0 },
		{ 50, 1, 0 }, { 10, 1, 0 }, { 305, 1, 0 }, { 306, 1, 0 },
		{ 36, 1, 0 }, { 37, 1, 0 }, { 160, 8, 0 } };
	static const struct build_field names[] = { { 10, 1, 0 }, { 82, 1, 0 },
		{ 83, 2, 0 }, { 82, 65535, 0 } };

	if (filling == ATTACK_KNOWN || filling == ATTACK_REVERSE)
		return rates[n % FIELDS(rates)];
	if (filling == ATTACK_TIMES || filling == ATTACK_STRUCTURED)
		return names[n % FIELDS(names)];
	return filler(filling, n);
}

static bool
has_options(const struct attack *a)
{
	return a->kind == ATTACK_OPTIONS ||
	       (a->kind == ATTACK_DEFINITIONS && a->is_options);
}

/* Fills fields with those of the n-th template; returns how many. */
static size_t
fields_of(const struct attack *a, unsigned n, struct build_field *fields)
{
	static const struct build_field front[] = { { 8, 4, 0 }, { 12, 4, 0 },
		{ 4, 1, 0 } };
	size_t count = 0;

	if (!a->is_bare && !has_options(a)) {
		memcpy(fields, front, sizeof(front));
		count = FIELDS(front);
	}
	for (unsigned i = 0; count < FIELDS_MAX && i < a->fields; i++) {
		fields[count] = has_options(a) ? option(a->filling, n + i)
					       : filler(a->filling, n + i);
		if (a->is_netflow9)
			fields[count].pen = 0;
		count++;
	}
	return count;
}

static uint16_t
id_of(const struct attack *a, unsigned n)
{
	return (uint16_t)(FIRST_ID + n % a->ids * a->step % IDS);
}

static size_t
definition_octets(const struct build_field *fields, size_t count)
{
	size_t octets = 6;

	for (size_t i = 0; i < count; i++)
		octets += fields[i].pen != 0 ? 8 : 4;
	return octets;
}

static void
start(const struct attack *a, struct build *b)
{
	if (a->is_netflow9)
		build_netflow9(b, DOMAIN, 0);
	else
		build_ipfix(b, DOMAIN, 0);
}

static void
open_template_set(const struct attack *a, struct build *b)
{
	build_set(b, (uint16_t)((a->is_netflow9 ? 0 : 2) + has_options(a)));
}

static void
define(const struct attack *a, struct build *b, unsigned n, uint16_t id)
{
	struct build_field fields[FIELDS_MAX];
	size_t count = fields_of(a, n, fields);

	if (!has_options(a)) {
		build_definition(b, id, fields, count);
		return;
	}
	build_u16(b, id);
	build_u16(b, (uint16_t)(a->is_netflow9 ? 4 : count));
	build_u16(b, (uint16_t)(a->is_netflow9 ? 4 * (count - 1) : 1));
	for (size_t i = 0; i < count; i++) {
		build_u16(b, (uint16_t)(fields[i].number |
					(fields[i].pen != 0 ? 0x8000U : 0)));
		build_u16(b, fields[i].length);
		if (fields[i].pen != 0)
			build_u32(b, fields[i].pen);
	}
}

/* --- records --- */

/* A list of as many records as a->entries says, of templates there are. */
static void
append_list(const struct attack *a, struct build *b, unsigned n)
{
	build_u8(b, (uint8_t)(1 + 5 * a->entries));
	build_u8(b, 255); /* semantic: undefined */
	for (uint32_t i = 0; i < a->entries; i++) {
		build_u16(b, (uint16_t)(LIST_ID + (n + i) % LIST_IDS));
		build_u16(b, 5);
		build_u8(b, (uint8_t)n);
	}
}

static size_t
record_octets(const struct attack *a, const struct build_field *fields,
    size_t count)
{
	size_t octets = 0;

	for (size_t i = 0; i < count; i++)
		octets += fields[i].length != 65535 ? fields[i].length
			  : fields[i].number == 293 ? 2 + 5 * (size_t)a->entries
						    : 1;
	return octets;
}

static void
append_record(const struct attack *a, struct build *b, unsigned n,
    const struct build_field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (fields[i].number == 293 && fields[i].length == 65535)
			append_list(a, b, n);
		else if (fields[i].length == 65535)
			build_u8(b, 0);
		else
			for (uint16_t k = 0; k < fields[i].length; k++)
				build_u8(b, (uint8_t)(1 + n * 37 + k));
	}
}

/* --- datagrams --- */

/* A set of a->records of something, or of all there is room for. */
static bool
is_set_full(const struct attack *a, unsigned n)
{
	return a->records != 0 && n % a->records == 0;
}

static void
build_definitions(const struct attack *a, struct build *b)
{
	start(a, b);
	for (unsigned n = 0;; n++) {
		struct build_field fields[FIELDS_MAX];
		size_t count = fields_of(a, n, fields);

		if (b->length + 4 + definition_octets(fields, count) >
		    a->octets)
			break;
		if (n == 0 || is_set_full(a, n))
			open_template_set(a, b);
		define(a, b, n, id_of(a, n));
	}
	build_done(b);
}

/* Teaches the templates of records: for lists, their records' too. */
static void
build_teaching(const struct attack *a, struct build *b)
{
	static const uint16_t flags[] = { 14, 15, 16398, 16399 };

	start(a, b);
	open_template_set(a, b);
	for (unsigned n = 0; n < a->ids && b->length < ATTACK_LARGE - 2048; n++)
		define(a, b, n, id_of(a, n));
	if (a->kind == ATTACK_LISTS && !a->is_netflow9) {
		build_set(b, 2);
		for (uint16_t i = 0; i < LIST_IDS; i++)
			build_definition(b, (uint16_t)(LIST_ID + i),
			    &(struct build_field){ flags[i % FIELDS(flags)], 1,
				6871 },
			    1);
	}
	build_done(b);
}

static void
build_records(const struct attack *a, struct build *b)
{
	unsigned set = 0;

	start(a, b);
	for (unsigned n = 0;; n++) {
		struct build_field fields[FIELDS_MAX];
		size_t count;

		if (n > 0 && is_set_full(a, n))
			set++;
		count = fields_of(a, set % a->ids, fields);
		if (b->length + 4 + record_octets(a, fields, count) > a->octets)
			break;
		if (n == 0 || is_set_full(a, n)) {
			b->length -= n > 0 && a->is_short;
			build_set(b, id_of(a, set));
		}
		append_record(a, b, n, fields, count);
	}
	build_done(b);
}

static void
build_unknown(const struct attack *a, struct build *b)
{
	start(a, b);
	for (unsigned n = 0; b->length + 4 + a->entries <= a->octets; n++) {
		build_set(b, id_of(a, n));
		build_zeros(b, a->entries);
	}
	build_done(b);
}

static size_t
put(uint8_t *out, const struct build *b)
{
	wire_put_u16(out, (uint16_t)b->length);
	memcpy(out + 2, b->octets, b->length);
	return b->length + 2;
}

size_t
attack_build(const struct attack *a, uint8_t *out)
{
	static struct build b;
	struct attack kind = *a;
	size_t length = 0;

	if (kind.kind == ATTACK_LISTS)
		kind.filling = ATTACK_STRUCTURED;
	switch (kind.kind) {
	case ATTACK_DEFINITIONS:
		build_definitions(&kind, &b);
		break;
	case ATTACK_RECORDS:
	case ATTACK_OPTIONS:
	case ATTACK_LISTS:
		build_teaching(&kind, &b);
		length = put(out, &b);
		build_records(&kind, &b);
		break;
	case ATTACK_UNKNOWN:
	case ATTACK_KINDS:
		build_unknown(&kind, &b);
		break;
	}
	if (kind.before != ATTACK_FRESH)
		length += put(out + length, &b);
	for (int i = 0; kind.before == ATTACK_OLD && i < IDLE_SECONDS; i++) {
		wire_put_u16(out + length, 0); /* a datagram of no octets */
		length += 2;
	}
	return length + put(out + length, &b);
}

const char *
attack_kind_name(enum attack_kind kind)
{
	static const char *const names[ATTACK_KINDS] = { "definitions",
		"records", "options", "lists", "unknown sets" };

	return names[kind];
}

void
attack_describe(const struct attack *a, char *out, size_t size)
{
	static const char *const fillings[ATTACK_FILLINGS] = { "known",
		"reverse", "times", "unknown", "enterprise", "variable",
		"structured" };
	static const char *const befores[ATTACK_BEFORES] = { "", ", again",
		", again when old" };

	snprintf(out, size,
	    "%s%s %s, %u %s fields%s, %u ids by %u, %u a set%s, %u entries%s%s",
	    a->is_netflow9 ? "v9 " : "IPFIX ", attack_kind_name(a->kind),
	    a->is_options ? "(options)" : "", (unsigned)a->fields,
	    fillings[a->filling], a->is_bare ? " alone" : "", (unsigned)a->ids,
	    (unsigned)a->step, (unsigned)a->records,
	    a->is_short ? ", short" : "", (unsigned)a->entries,
	    befores[a->before], a->is_cold ? ", cold" : "");
}
