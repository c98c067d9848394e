/* SPDX-License-Identifier: Apache-2.0 */
/* Matching of ICMP errors to attempts. */
#include <stdlib.h>

#include "exposure/icmp_errors.h"
#include "exposure/protocol.h"

/* inference: [attempt start - 1 s, attempt end + 5 s] */
#define BEFORE_MS 1000
#define AFTER_MS  5000

/* A scanner's other attempts looked at for one decision; more: ambiguous. */
#define CANDIDATES_MAX 8192

/* RFC 792; RFC 4443, 3.1 and 3.4. */
#define UNREACHABLE	       3
#define UNREACHABLE_V6	       1
#define PARAMETER_V6	       4
#define PROTOCOL_UNREACHABLE   2
#define PORT_UNREACHABLE       3
#define PORT_UNREACHABLE_V6    4
#define FRAGMENTATION_NEEDED   4 /* RFC 1191 */
#define UNKNOWN_NEXT_HEADER_V6 1

struct icmp_errors {
	uint32_t next; /* where the next one goes */
	struct icmp_error_record ring[ICMP_ERRORS_MAX];
};

struct icmp_errors *
icmp_errors_new(void)
{
	struct icmp_errors *errors = calloc(1, sizeof(*errors));

	if (errors == NULL)
		return NULL;
	for (uint32_t i = 0; i < ICMP_ERRORS_MAX; i++)
		errors->ring[i].source = TABLE_NONE;
	return errors;
}

void
icmp_errors_free(struct icmp_errors *errors)
{
	free(errors);
}

/* What an error says; ICMP_SAYS_NOTHING: it is none of these. */
static enum icmp_says
says_what(const struct flow_record *f)
{
	if ((f->has & FLOW_HAS_ICMP) == 0)
		return ICMP_SAYS_NOTHING;
	if (f->protocol == PROTOCOL_ICMP && f->icmp_type == UNREACHABLE) {
		if (f->icmp_code == PORT_UNREACHABLE)
			return ICMP_SAYS_NO_PORT;
		if (f->icmp_code == FRAGMENTATION_NEEDED)
			return ICMP_SAYS_NOTHING; /* smaller ones arrive */
		return f->icmp_code == PROTOCOL_UNREACHABLE
			   ? ICMP_SAYS_NO_PROTOCOL
			   : ICMP_SAYS_UNREACHABLE;
	}
	if (f->protocol != PROTOCOL_ICMP6)
		return ICMP_SAYS_NOTHING;
	if (f->icmp_type == UNREACHABLE_V6)
		return f->icmp_code == PORT_UNREACHABLE_V6
			   ? ICMP_SAYS_NO_PORT
			   : ICMP_SAYS_UNREACHABLE;
	if (f->icmp_type == PARAMETER_V6 &&
	    f->icmp_code == UNKNOWN_NEXT_HEADER_V6)
		return ICMP_SAYS_NO_PROTOCOL;
	return ICMP_SAYS_NOTHING;
}

bool
flow_is_icmp_error(const struct flow_record *f)
{
	return says_what(f) != ICMP_SAYS_NOTHING;
}

/* Takes a record out of its source's chain. */
static void
unlink_record(struct icmp_errors *errors, struct source *source, uint32_t which)
{
	struct icmp_error_record *record = &errors->ring[which];
	uint32_t *at = &source->errors;

	while (*at != which)
		at = &errors->ring[*at].next;
	*at = record->next;
	source->error_count--;
	record->source = TABLE_NONE;
}

/* Empties the place of the oldest of all. */
static void
make_room(struct icmp_errors *errors, struct sources *s,
    const struct source *wanted)
{
	struct icmp_error_record *record = &errors->ring[errors->next];
	struct source *source;

	if (record->source == TABLE_NONE)
		return;
	source = sources_at(s, record->source);
	unlink_record(errors, source, errors->next);
	if (source != wanted)
		sources_release(s, source);
}

/* The oldest of a source that has some: the last of its chain. */
static uint32_t
oldest_of(const struct icmp_errors *errors, const struct source *source)
{
	uint32_t at = source->errors;

	while (errors->ring[at].next != TABLE_NONE)
		at = errors->ring[at].next;
	return at;
}

bool
icmp_errors_add(struct icmp_errors *errors, struct sources *s,
    struct source *source, const struct flow_record *f, int64_t start_ms,
    int64_t end_ms)
{
	uint32_t which = errors->next;
	struct icmp_error_record *record = &errors->ring[which];
	bool has_room;

	make_room(errors, s, source);
	has_room = source->error_count < ICMP_ERRORS_EACH;
	if (!has_room)
		unlink_record(errors, source, oldest_of(errors, source));
	errors->next = (which + 1) % ICMP_ERRORS_MAX;
	record->from = f->src;
	record->start_ms = start_ms;
	record->end_ms = end_ms;
	record->packets =
	    f->packets > UINT32_MAX ? UINT32_MAX : (uint32_t)f->packets;
	record->says = (uint8_t)says_what(f);
	record->source = sources_slot(s, source);
	record->next = source->errors;
	source->errors = which;
	source->error_count++;
	return has_room;
}

void
icmp_errors_forget(struct icmp_errors *errors, struct source *source)
{
	while (source->errors != TABLE_NONE) {
		struct icmp_error_record *record =
		    &errors->ring[source->errors];

		source->errors = record->next;
		record->source = TABLE_NONE;
	}
	source->error_count = 0;
}

/* A host without it would be none. */
static bool
is_spoken(uint8_t proto)
{
	return proto == PROTOCOL_TCP || proto == PROTOCOL_UDP ||
	       protocol_is_icmp(proto);
}

/* The error could be an answer to this attempt. */
static bool
fits(const struct icmp_error_record *record, const struct pairs *p,
    const struct pair *pair)
{
	struct addr target = pairs_key(p, pair).inner;

	if (!pair->outer.present || pair->inner.present)
		return false;
	/* only the target knows its ports and protocols */
	if (record->says != ICMP_SAYS_UNREACHABLE &&
	    !addr_equal(&record->from, &target))
		return false;
	if (record->says == ICMP_SAYS_NO_PORT &&
	    !protocol_has_ports(pair->proto))
		return false;
	if (record->says == ICMP_SAYS_NO_PROTOCOL && is_spoken(pair->proto))
		return false;
	return record->start_ms <= pair_last_ms(pair) + AFTER_MS &&
	       record->end_ms >= pair_ts_ms(pair) - BEFORE_MS;
}

/* The attempts a record fits, but for the one that is looked at. */
struct candidates {
	uint64_t packets; /* theirs, and of the one looked at */
	uint32_t others;
};

static bool
is_udp(const struct pair *pair)
{
	return pair->proto == PROTOCOL_UDP;
}

static struct candidates
find_candidates(const struct icmp_error_record *record,
    const struct source *source, const struct pairs *p, const struct pair *pair,
    uint32_t *steps)
{
	struct candidates all = { .packets = pair->outer.packets };
	uint32_t looked = 0;

	for (const struct attempt *at = sources_first_attempt(source, p);
	     at != NULL; at = sources_next_attempt(p, at)) {
		const struct pair *other = pairs_at(p, at->pair);

		if (++looked > CANDIDATES_MAX || *steps == 0)
			return (struct candidates){ UINT64_MAX, looked };
		(*steps)--;
		if (other == pair || !fits(record, p, other))
			continue;
		/* a closed TCP port resets: "port unreachable" is UDP's,
		 * and only a firewall's where there was no UDP */
		if (record->says == ICMP_SAYS_NO_PORT &&
		    is_udp(pair) != is_udp(other)) {
			if (is_udp(other))
				return (struct candidates){ 0, looked };
			continue;
		}
		all.packets += other->outer.packets;
		all.others++;
		if (all.packets > record->packets)
			break; /* ambiguous already */
	}
	return all;
}

enum icmp_error
icmp_errors_match(const struct icmp_errors *errors, const struct source *source,
    const struct pairs *p, const struct pair *pair, uint32_t *steps,
    bool *ambiguous)
{
	enum icmp_error found = ICMP_ERROR_NONE;

	*ambiguous = false;
	for (uint32_t at = source->errors; at != TABLE_NONE;
	     at = errors->ring[at].next) {
		const struct icmp_error_record *record = &errors->ring[at];
		struct candidates all;

		if (!fits(record, p, pair))
			continue;
		all = find_candidates(record, source, p, pair, steps);
		if (all.others != 0 && all.packets != record->packets) {
			*ambiguous = true;
			continue;
		}
		/* the target's own word counts more than a router's */
		if (record->says != ICMP_SAYS_UNREACHABLE)
			return ICMP_ERROR_CLOSED;
		found = ICMP_ERROR_UNREACHABLE;
	}
	return found;
}
