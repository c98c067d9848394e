/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inference cases of tests/cases/, each a test of its own: first the
 * verdict function alone on the case's two halves and context, then the whole
 * engine, which has to come to the same by itself, and to a map that holds
 * what was accepted and nothing else.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "exposure/trace.h"
#include "exposure/verdict.h"
#include "tests/cases.h"
#include "tests/test.h"
#include "tests/world.h"

#define GIVEN	      "tests/cases/inference-cases.tsv"
#define FURTHER	      "tests/cases/further-cases.tsv"
#define GIVEN_COUNT   90
#define FURTHER_FIRST 101
#define FURTHER_MIN   60

static struct inference_case cases[CASES_MAX];
static struct CMUnitTest tests[2 * CASES_MAX];
static char names[2 * CASES_MAX][300];

/* --- reading a case ------------------------------------------------------- */

static bool
has_context(const struct inference_case *c, const char *word)
{
	return strstr(c->context, word) != NULL;
}

/* What stands behind name in the context, up to a space; false: nothing. */
static bool
context_value(const struct inference_case *c, const char *name,
    char value[CASE_TEXT_MAX])
{
	const char *at = strstr(c->context, name);

	if (at == NULL)
		return false;
	at += strlen(name);
	snprintf(value, CASE_TEXT_MAX, "%.*s", (int)strcspn(at, " "), at);
	return true;
}

static bool
is_internal(const struct addr *a)
{
	struct prefix v4, v6;

	assert_ok(prefix_parse("10.0.0.0/8", &v4));
	assert_ok(prefix_parse("2001:db8:a::/48", &v6));
	return prefix_contains(&v4, a) || prefix_contains(&v6, a);
}

/* The conversation that is judged is that of the last record. */
static const struct flow_record *
judged(const struct inference_case *c)
{
	return &c->records[c->record_count - 1];
}

static bool
is_judged(const struct inference_case *c, const struct flow_record *f)
{
	const struct flow_record *last = judged(c);
	bool same =
	    addr_equal(&f->src, &last->src) && addr_equal(&f->dst, &last->dst);
	bool turned =
	    addr_equal(&f->src, &last->dst) && addr_equal(&f->dst, &last->src);

	if (f->protocol == 1 || f->protocol == 58)
		return same || turned;
	return (same && f->src_port == last->src_port &&
		   f->dst_port == last->dst_port) ||
	       (turned && f->src_port == last->dst_port &&
		   f->dst_port == last->src_port);
}

/* The inner end of the conversation that is judged. */
static const struct addr *
inner_end(const struct inference_case *c, uint16_t *port)
{
	const struct flow_record *f = judged(c);
	bool inward = !is_internal(&f->src) || is_internal(&f->dst);

	*port = inward ? f->dst_port : f->src_port;
	return inward ? &f->dst : &f->src;
}

/* --- comparing ------------------------------------------------------------ */

/* "STEALTH-FIN:closed", "ACCEPTED/no-ack", as the table writes them. */
static void
outcome_text(unsigned outcome, unsigned technique, bool internal, char text[64])
{
	const char *name = outcome_name(outcome);

	if (outcome == OUTCOME_STEALTH_OTHER)
		snprintf(text, 64, "stealth-other");
	else if (strncmp(name, "stealth:", 8) == 0)
		snprintf(text, 64, "stealth-%s:%s", technique_name(technique),
		    name + 8);
	else
		snprintf(text, 64, "%s%s", internal ? "internal-" : "", name);
}

static void
lower(char text[CASE_TEXT_MAX], const char *from)
{
	snprintf(text, CASE_TEXT_MAX, "%s", from);
	for (char *p = text; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
}

static void
check(const struct inference_case *c, const struct engine_trace *t)
{
	const char *confidence =
	    strcmp(c->confidence, "-") == 0 ? "none" : c->confidence;
	/* confidence is not told where there is no attempt to be sure of */
	bool has_confidence = strcmp(c->confidence, "*") != 0 &&
			      (strcmp(c->expected, "UNRESOLVED") != 0 ||
				  strcmp(c->confidence, "-") != 0);
	char text[64];
	char expected[CASE_TEXT_MAX];

	outcome_text(t->outcome, t->technique, t->internal, text);
	lower(expected, c->expected);
	assert_string_equal(text, expected);
	if (strcmp(c->rule, "*") != 0)
		assert_string_equal(rule_name(t->rule), c->rule);
	if (has_confidence && strcmp(c->expected, "TRANSIT") != 0)
		assert_string_equal(confidence_name(t->confidence), confidence);
	if (c->port[0] >= '0' && c->port[0] <= '9')
		assert_int_equal(t->initiator == SIDE_INNER ? t->outer_port
							    : t->inner_port,
		    (int)strtol(c->port, NULL, 10));
}

/* --- the verdict alone ---------------------------------------------------- */

static void
add_context(const struct inference_case *c, struct verdict_input *in)
{
	in->feed.one_sided = has_context(c, "one-sided");
	in->feed.sampled = has_context(c, "sampled");
	in->feed.no_flags = has_context(c, "exporter-without-flags");
	in->feed.shared_times = has_context(c, "shared-times");
	in->known_service = has_context(c, "known-service");
	in->tombstone = has_context(c, "tombstone");
	in->pinhole = has_context(c, "pinhole");
	in->prior = c->number == 89 ? SIDE_OUTER : SIDE_NONE;
	if (has_context(c, "=responder"))
		in->fan_in = FAN_IN_RESPONDER;
	if (has_context(c, "=client"))
		in->fan_in = FAN_IN_CLIENT;
}

/* What kind of error the engine would have found to fit, if any. */
static enum icmp_error
icmp_error_of(const struct inference_case *c)
{
	char value[CASE_TEXT_MAX];
	char target[ADDR_TEXT_MAX];
	const char *code;
	uint16_t port;

	if (!context_value(c, "icmp-match=", value) ||
	    strpbrk(value, ">@") != NULL)
		return ICMP_ERROR_NONE;
	code = strrchr(value, ':') + 1;
	addr_format(inner_end(c, &port), target);
	if (strcmp(code, "3/3") == 0 || strcmp(code, "1/4") == 0)
		return strstr(value, target) != NULL ? ICMP_ERROR_CLOSED
						     : ICMP_ERROR_NONE;
	if (strcmp(code, "3/4") == 0 || strcmp(code, "2/0") == 0)
		return ICMP_ERROR_NONE;
	return ICMP_ERROR_UNREACHABLE;
}

static void
verdict_is_right(void **state)
{
	const struct inference_case *c = *state;
	struct half outer = { 0 };
	struct half inner = { 0 };
	struct verdict_input in = { .outer = &outer,
		.inner = &inner,
		.header_octets = 40,
		.final = true,
		.claimed = SIDE_NONE,
		.prior = SIDE_NONE };
	struct engine_trace t = { .technique = 0 };
	struct verdict v;

	for (int i = 0; i < c->record_count; i++) {
		const struct flow_record *f = &c->records[i];
		bool from_outer =
		    !is_internal(&f->src) || (is_internal(&f->dst) && i == 0);

		if (c->number == 89 && i == 0)
			continue; /* the generation before: see prior */
		half_add(from_outer ? &outer : &inner, f, f->start_ms);
		in.proto = f->protocol;
		in.header_octets = addr_is_v4(&f->src) ? 40 : 60;
		in.outer_port = from_outer ? f->src_port : f->dst_port;
		in.inner_port = from_outer ? f->dst_port : f->src_port;
		if (f->biflow_direction == 1 || f->biflow_direction == 2)
			in.claimed = (f->biflow_direction == 1) == from_outer
					 ? SIDE_OUTER
					 : SIDE_INNER;
	}
	add_context(c, &in);
	in.icmp = icmp_error_of(c);
	v = verdict_of(&in);
	t.outcome = v.outcome;
	t.rule = v.rule;
	t.confidence = v.confidence;
	t.technique = v.technique;
	t.initiator = v.initiator;
	t.outer_port = in.outer_port;
	t.inner_port = in.inner_port;
	t.internal = strncmp(c->expected, "INTERNAL", 8) == 0;
	check(c, &t);
}

/* --- what the engine has lived through ------------------------------------ */

static void
take(struct world *w, const struct flow_record *f)
{
	w->flows->records[0] = *f;
	w->flows->count = 1;
	engine_take(w->engine, w->flows);
}

static void
take_text(struct world *w, const char *text)
{
	struct flow_record f;

	assert_true(case_parse_record(text, &f));
	take(w, &f);
}

/* Two records of one conversation, the second sent by to. */
static void
take_both(struct world *w, const char *from, const char *to, const char *first,
    const char *second)
{
	char text[256];

	snprintf(text, sizeof(text), "%s>%s %s exporter=r1", from, to, first);
	take_text(w, text);
	snprintf(text, sizeof(text), "%s>%s %s exporter=r1", to, from, second);
	take_text(w, text);
}

static void
peer_text(char text[64], bool v4, int host, int port)
{
	snprintf(text, 64, v4 ? "198.51.100.%d:%d" : "[2001:db8:7::%d]:%d",
	    host, port);
}

/* Clients opened it, so that it is confirmed: two, as UDP needs. */
static void
feed_service(struct world *w, const char *service, bool v4, uint8_t protocol)
{
	char client[64];

	for (int i = 0; i < 2; i++) {
		peer_text(client, v4, 7 + i, 40001);
		if (protocol == 6)
			take_both(w, client, service,
			    "proto=6 flags=0x02 pkts=1 octets=60",
			    "proto=6 flags=0x12 pkts=1 octets=60");
		else
			take_both(w, client, service,
			    "proto=17 flags=0x00 pkts=1 octets=60 start_ms=100",
			    "proto=17 flags=0x00 pkts=1 octets=60 "
			    "start_ms=100");
	}
}

/* Peers that meet there, in connections of no clear direction. */
static void
feed_peers(struct world *w, const char *endpoint, bool v4, bool on_one_port)
{
	char peer[64];

	for (int i = 0; i < 6; i++) {
		peer_text(peer, v4, 10 + i,
		    on_one_port ? 51413 : 40000 + i * 1117);
		take_both(w, peer, endpoint,
		    "proto=6 flags=0x1b pkts=5 octets=286 start_ms=500",
		    "proto=6 flags=0x1b pkts=5 octets=330 start_ms=500");
	}
}

/* "FROM:TYPE/CODE[>TO][@MS]": an ICMP error, to the outer end at 1001 ms. */
static void
feed_icmp_error(struct world *w, const struct inference_case *c, char *value)
{
	const struct flow_record *last = judged(c);
	char *at = strchr(value, '@');
	char *to = strchr(value, '>');
	char *code = strrchr(value, ':');
	bool v4 = addr_is_v4(&last->src);
	char outer[ADDR_TEXT_MAX];
	char text[256];

	addr_format(is_internal(&last->src) ? &last->dst : &last->src, outer);
	if (to != NULL)
		snprintf(outer, sizeof(outer), "%s", to + 1);
	*(to != NULL ? to : at != NULL ? at : value + strlen(value)) = '\0';
	*code++ = '\0';
	snprintf(text, sizeof(text),
	    "%s:0>%s%s%s:%ld proto=%d flags=none pkts=1 octets=86 start_ms=%s "
	    "exporter=r1 icmp=%s",
	    value, v4 ? "" : "[", outer, v4 ? "" : "]",
	    strtol(code, NULL, 10) * 256 +
		strtol(strchr(code, '/') + 1, NULL, 10),
	    v4 ? 1 : 58, at != NULL ? at + 1 : "1001", code);
	take_text(w, text);
}

/* Lets the engine live through what the context says. */
static void
feed_context(struct world *w, const struct inference_case *c)
{
	struct feed_profile profile = {
		.one_sided = has_context(c, "one-sided"),
		.sampled = has_context(c, "sampled"),
		.no_flags = has_context(c, "exporter-without-flags"),
		.shared_times = has_context(c, "shared-times"),
	};
	const struct flow_record *last = judged(c);
	bool v4 = addr_is_v4(&last->src);
	char value[CASE_TEXT_MAX];

	if (context_value(c, "known-service=", value))
		feed_service(w, value, v4, last->protocol);
	engine_set_profile(w->engine, 0, &profile);
	engine_set_profile(w->engine, 1, &profile);
	if (context_value(c, "fan-in(", value)) {
		*strchr(value, ')') = '\0';
		feed_peers(w, value, v4, has_context(c, "=client"));
	}
	if (has_context(c, "pinhole"))
		take_both(w, v4 ? "10.0.0.5:6881" : "[2001:db8:a::5]:6881",
		    v4 ? "198.51.100.9:6881" : "[2001:db8:7::9]:6881",
		    "proto=17 flags=0x00 pkts=1 octets=90 start_ms=100",
		    "proto=17 flags=0x00 pkts=1 octets=90 start_ms=120");
	if (context_value(c, "icmp-match=", value))
		feed_icmp_error(w, c, value);
}

/* --- the engine ----------------------------------------------------------- */

#define GENERATIONS 8

/* The verdicts of the conversation that is judged. */
struct told {
	const struct inference_case *c;
	struct engine_trace first; /* of all */
	struct engine_trace last[GENERATIONS];
	int generations;
};

static void
remember(const struct engine_trace *t, void *arg)
{
	struct told *told = arg;
	const struct flow_record f = { .src = t->outer,
		.dst = t->inner,
		.src_port = t->outer_port,
		.dst_port = t->inner_port,
		.protocol = t->proto };

	if (t->kind != TRACE_VERDICT || !is_judged(told->c, &f))
		return;
	assert_true(t->generation < GENERATIONS);
	if (told->generations == 0)
		told->first = *t;
	if (told->generations <= t->generation)
		told->generations = t->generation + 1;
	told->last[t->generation] = *t;
}

static struct world *
world_of_case(const struct inference_case *c)
{
	struct engine_config config = world_config(0);
	struct world *w;

	config.internal_scope = true;
	config.max_pairs = 256;
	config.max_sources = 256;
	config.max_hosts = 256;
	config.max_exposures = 256;
	config.max_events = 256;
	w = world_new_with(&config);
	feed_context(w, c);
	return w;
}

static void
feed_records(struct world *w, const struct inference_case *c)
{
	for (int i = 0; i < c->record_count; i++)
		take(w, &c->records[i]);
	world_drain(w);
}

/* A trailing ACK is no attempt: the connection it ends was one already. */
static void
check_tombstone(struct world *w, const struct inference_case *c)
{
	uint64_t events;

	take_both(w, "203.0.113.10:43000", "10.0.0.5:80",
	    "proto=6 flags=0x1b pkts=5 octets=286",
	    "proto=6 flags=0x1b pkts=5 octets=330");
	events = counter_get(&w->counters, COUNTER_SCAN_EVENTS);
	assert_int_equal(counter_get(&w->counters, COUNTER_ATTEMPTS), 1);
	feed_records(w, c);
	assert_int_equal(counter_get(&w->counters, COUNTER_ATTEMPTS), 1);
	assert_int_equal(counter_get(&w->counters, COUNTER_SCAN_EVENTS),
	    events);
}

/* What the context says of attempts, of the first verdict, of lateness. */
static void
check_counts(struct world *w, const struct inference_case *c,
    const struct told *told)
{
	const struct engine_trace *first =
	    told->generations > 1 ? &told->last[0] : &told->first;
	char value[CASE_TEXT_MAX];
	char expected[CASE_TEXT_MAX];
	char text[64];

	if (context_value(c, "attempts=", value))
		assert_int_equal(told->generations, strtol(value, NULL, 10));
	if (context_value(c, "late=", value))
		assert_int_equal(counter_get(&w->counters,
				     COUNTER_LATE_ANSWERS),
		    strtol(value, NULL, 10));
	if (context_value(c, "first=", value)) {
		outcome_text(first->outcome, first->technique, first->internal,
		    text);
		lower(expected, value);
		assert_string_equal(text, expected);
	}
}

/* What was accepted is in the map, in its tier; what was not, is not. */
static void
check_map(struct world *w, const struct inference_case *c)
{
	char host[ADDR_TEXT_MAX];
	char tier[CASE_TEXT_MAX];
	uint16_t port;
	const struct finding_exposure *x;

	addr_format(inner_end(c, &port), host);
	x = world_exposure(w, host, port);
	if (has_context(c, "known-service") || has_context(c, "fan-in") ||
	    has_context(c, "first=ACCEPTED"))
		return;
	if (strncmp(c->expected, "ACCEPTED", 8) != 0) {
		assert_null(x);
		return;
	}
	assert_non_null(x);
	if (context_value(c, "map=", tier))
		assert_string_equal(tier_name(x->tier), tier);
	else if (strcmp(c->confidence, "low") == 0)
		assert_int_equal(x->tier, TIER_HINT);
}

static void
engine_is_right(void **state)
{
	const struct inference_case *c = *state;
	struct told told = { .c = c };
	struct world *w = world_of_case(c);

	if (has_context(c, "tombstone")) {
		check_tombstone(w, c);
		world_free(w);
		return;
	}
	engine_set_trace(w->engine, remember, &told);
	feed_records(w, c);
	assert_int_not_equal(told.generations, 0);
	if (c->number == 89) {
		assert_int_equal(told.generations, 2);
		assert_int_equal(told.last[0].outcome, OUTCOME_SILENT);
	}
	check(c, &told.last[told.generations - 1]);
	check_counts(w, c, &told);
	check_map(w, c);
	world_free(w);
}

static void
add_test(int at, struct inference_case *c, const char *part,
    CMUnitTestFunction function)
{
	snprintf(names[at], sizeof(names[at]), "%s_of_case_%d: %s", part,
	    c->number, c->input);
	for (char *p = names[at]; *p != '\0'; p++)
		if (*p == '#')
			*p = ' ';
	tests[at] = (struct CMUnitTest){ .name = names[at],
		.test_func = function,
		.initial_state = c };
}

/* Both tables, whole, and each case under a number of its own. */
static int
load(void)
{
	int given = cases_load(GIVEN, cases, 0);
	int count = given < 0 ? given : cases_load(FURTHER, cases, given);

	if (given != GIVEN_COUNT || count < given + FURTHER_MIN) {
		fprintf(stderr, "%s: %d cases, not %d; %s: %d\n", GIVEN, given,
		    GIVEN_COUNT, FURTHER, count - given);
		return -1;
	}
	for (int i = 0; i < count; i++) {
		int number = i < given ? i + 1 : FURTHER_FIRST + i - given;

		if (cases[i].number != number) {
			fprintf(stderr, "case %d has number %d\n", number,
			    cases[i].number);
			return -1;
		}
	}
	return count;
}

int
main(void)
{
	int cases_count = load();
	int count = 0;

	if (cases_count < 0)
		return 1;
	for (int i = 0; i < cases_count; i++) {
		/* transit has no pair to judge: the engine drops it */
		if (strcmp(cases[i].expected, "TRANSIT") != 0 &&
		    !has_context(&cases[i], "engine-only"))
			add_test(count++, &cases[i], "verdict",
			    verdict_is_right);
		add_test(count++, &cases[i], "engine", engine_is_right);
	}
	return _cmocka_run_group_tests("cases", tests, (size_t)count, NULL,
	    NULL);
}
