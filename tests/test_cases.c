/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The 90 inference cases, each a test of its own: first the verdict function
 * alone on the case's two halves and context, then the whole engine, which
 * has to come to the same by itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "exposure/engine.h"
#include "exposure/verdict.h"
#include "tests/cases.h"
#include "tests/test.h"

#define PATH "tests/cases/inference-cases.tsv"

static struct inference_case cases[CASES_MAX];
static struct CMUnitTest tests[2 * CASES_MAX];
static char names[2 * CASES_MAX][300];
static int case_count;

static bool
has_context(const struct inference_case *c, const char *word)
{
	return strstr(c->context, word) != NULL;
}

static bool
is_internal(const struct addr *a)
{
	struct prefix v4, v6;

	assert_ok(prefix_parse("10.0.0.0/8", &v4));
	assert_ok(prefix_parse("2001:db8:a::/48", &v6));
	return prefix_contains(&v4, a) || prefix_contains(&v6, a);
}

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
check(const struct inference_case *c, const struct engine_trace *t)
{
	const char *confidence =
	    strcmp(c->confidence, "-") == 0 ? "none" : c->confidence;
	/* confidence is not told where there is no attempt to be sure of */
	bool has_confidence = strcmp(c->expected, "UNRESOLVED") != 0 ||
			      strcmp(c->confidence, "-") != 0;
	char text[64];
	char expected[64];

	outcome_text(t->outcome, t->technique, t->internal, text);
	snprintf(expected, sizeof(expected), "%s", c->expected);
	for (char *p = expected; *p != '\0'; p++)
		if ((unsigned char)*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	assert_string_equal(text, expected);
	assert_string_equal(rule_name(t->rule), c->rule);
	if (has_confidence && strcmp(c->expected, "TRANSIT") != 0)
		assert_string_equal(confidence_name(t->confidence), confidence);
	if (c->port[0] >= '0' && c->port[0] <= '9')
		assert_int_equal(t->initiator == SIDE_INNER ? t->outer_port
							    : t->inner_port,
		    (int)strtol(c->port, NULL, 10));
}

/* --- the verdict alone ------------------------------------------------------
 */

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
		half_add(from_outer ? &outer : &inner, f, f->start_ms,
		    f->end_ms);
		in.proto = f->protocol;
		in.outer_port = from_outer ? f->src_port : f->dst_port;
		in.inner_port = from_outer ? f->dst_port : f->src_port;
		if (f->biflow_direction != 0)
			in.claimed = (f->biflow_direction == 1) == from_outer
					 ? SIDE_OUTER
					 : SIDE_INNER;
	}
	in.feed.one_sided = has_context(c, "one-sided");
	in.feed.sampled = has_context(c, "sampled");
	in.feed.no_flags = has_context(c, "exporter-without-flags");
	in.feed.shared_times = has_context(c, "shared-times");
	in.known_service = has_context(c, "known-service");
	in.tombstone = has_context(c, "tombstone");
	in.pinhole = has_context(c, "pinhole");
	in.prior = c->number == 89 ? SIDE_OUTER : SIDE_NONE;
	if (has_context(c, "=responder"))
		in.fan_in = FAN_IN_RESPONDER;
	if (has_context(c, "=client"))
		in.fan_in = FAN_IN_CLIENT;
	if (has_context(c, "icmp-match=10."))
		in.icmp = ICMP_ERROR_CLOSED;
	else if (has_context(c, "icmp-match"))
		in.icmp = ICMP_ERROR_UNREACHABLE;
	v = verdict_of(&in);
	t.outcome = v.outcome;
	t.rule = v.rule;
	t.confidence = v.confidence;
	t.technique = v.technique;
	t.inner_port = in.inner_port;
	t.internal = strncmp(c->expected, "INTERNAL", 8) == 0;
	check(c, &t);
}

/* --- the engine -------------------------------------------------------------
 */

struct last {
	struct engine_trace trace;
	int count;
	uint16_t outer_port; /* of the conversation looked at */
	struct engine_trace first;
};

static void
remember(const struct engine_trace *t, void *arg)
{
	struct last *last = arg;

	if (t->outer_port != last->outer_port &&
	    t->inner_port != last->outer_port)
		return;
	if (last->count++ == 0)
		last->first = *t;
	last->trace = *t;
}

static void
feed_text(struct engine *e, const char *text)
{
	struct flow_batch *batch = calloc(1, sizeof(*batch));

	assert_non_null(batch);
	assert_true(case_parse_record(text, &batch->records[0]));
	batch->count = 1;
	engine_take(e, batch);
	free(batch);
}

/* Peers that meet at 10.0.0.5:50123, in connections of no clear direction. */
static void
feed_peers(struct engine *e, bool on_one_port)
{
	for (int i = 0; i < 6; i++) {
		int port = on_one_port ? 51413 : 40000 + i * 1117;
		char text[160];

		snprintf(text, sizeof(text),
		    "198.51.100.%d:%d>10.0.0.5:50123 proto=6 flags=0x1b "
		    "pkts=5 octets=286 start_ms=500 exporter=r1",
		    10 + i, port);
		feed_text(e, text);
		snprintf(text, sizeof(text),
		    "10.0.0.5:50123>198.51.100.%d:%d proto=6 flags=0x1b "
		    "pkts=5 octets=330 start_ms=500 exporter=r1",
		    10 + i, port);
		feed_text(e, text);
	}
}

/* Lets the engine live through what the context says. */
static void
feed_context(struct engine *e, const struct inference_case *c)
{
	struct feed_profile profile = {
		.one_sided = has_context(c, "one-sided"),
		.sampled = has_context(c, "sampled"),
		.no_flags = has_context(c, "exporter-without-flags"),
		.shared_times = has_context(c, "shared-times"),
	};

	engine_set_profile(e, 0, &profile);
	engine_set_profile(e, 1, &profile);
	if (has_context(c, "known-service")) {
		feed_text(e,
		    "198.51.100.7:40001>10.0.0.5:80 proto=6 flags=0x02 "
		    "pkts=1 octets=60 exporter=r1");
		feed_text(e,
		    "10.0.0.5:80>198.51.100.7:40001 proto=6 flags=0x12 "
		    "pkts=1 octets=60 exporter=r1");
	}
	if (has_context(c, "=responder"))
		feed_peers(e, false);
	if (has_context(c, "=client"))
		feed_peers(e, true);
	if (has_context(c, "pinhole")) {
		feed_text(e,
		    "10.0.0.5:6881>198.51.100.9:6881 proto=17 flags=0x00 "
		    "pkts=1 octets=90 start_ms=100 exporter=r1");
		feed_text(e,
		    "198.51.100.9:6881>10.0.0.5:6881 proto=17 flags=0x00 "
		    "pkts=1 octets=90 start_ms=120 exporter=r1");
	}
	if (has_context(c, "icmp-match=10.0.0.5:3/3"))
		feed_text(e,
		    "10.0.0.5:0>203.0.113.10:771 proto=1 flags=none pkts=1 "
		    "octets=86 start_ms=1001 exporter=r1 icmp=3/3");
	if (has_context(c, "icmp-match=203.0.113.1:3/1 ") ||
	    strcmp(c->context, "icmp-match=203.0.113.1:3/1") == 0)
		feed_text(e,
		    "203.0.113.1:0>203.0.113.10:769 proto=1 flags=none "
		    "pkts=1 octets=86 start_ms=1001 exporter=r1 icmp=3/1");
	if (has_context(c, "3/13"))
		feed_text(e,
		    "203.0.113.1:0>203.0.113.10:781 proto=1 flags=none "
		    "pkts=3 octets=258 start_ms=1001 exporter=r1 icmp=3/13");
}

static struct engine *
new_engine(struct counters *counters)
{
	struct engine_config config = engine_config_default();
	struct network network;
	struct engine *e;

	assert_ok(network_parse("10.0.0.0/8", &network));
	assert_ok(prefix_set_add(&config.internal, &network));
	assert_ok(network_parse("2001:db8:a::/48", &network));
	assert_ok(prefix_set_add(&config.internal, &network));
	config.training_ms = 0;
	config.internal_scope = true;
	config.max_pairs = 256;
	config.max_sources = 256;
	config.max_hosts = 256;
	config.max_exposures = 256;
	config.max_events = 256;
	e = engine_new(&config, counters);
	assert_non_null(e);
	return e;
}

static void
feed_records(struct engine *e, const struct inference_case *c)
{
	struct flow_batch *batch = calloc(1, sizeof(*batch));

	assert_non_null(batch);
	memcpy(batch->records, c->records,
	    (size_t)c->record_count * sizeof(c->records[0]));
	batch->count = (uint32_t)c->record_count;
	engine_take(e, batch);
	free(batch);
}

/* A trailing ACK is no attempt: the connection it ends was one already. */
static void
check_tombstone(struct engine *e, struct counters *counters,
    const struct inference_case *c)
{
	uint64_t attempts, events;

	feed_text(e, "203.0.113.10:43000>10.0.0.5:80 proto=6 flags=0x1b pkts=5 "
		     "octets=286 exporter=r1");
	feed_text(e, "10.0.0.5:80>203.0.113.10:43000 proto=6 flags=0x1b pkts=5 "
		     "octets=330 exporter=r1");
	attempts = counter_get(counters, COUNTER_ATTEMPTS);
	events = counter_get(counters, COUNTER_SCAN_EVENTS);
	assert_int_equal(attempts, 1);
	feed_records(e, c);
	assert_false(engine_drain(e));
	assert_int_equal(counter_get(counters, COUNTER_ATTEMPTS), attempts);
	assert_int_equal(counter_get(counters, COUNTER_SCAN_EVENTS), events);
}

static void
engine_is_right(void **state)
{
	const struct inference_case *c = *state;
	struct counters counters = { 0 };
	struct last last = { .count = 0 };
	struct engine *e;

	e = new_engine(&counters);
	feed_context(e, c);
	if (has_context(c, "tombstone")) {
		check_tombstone(e, &counters, c);
		engine_free(e);
		return;
	}
	last.outer_port = is_internal(&c->records[0].src)
			      ? c->records[0].dst_port
			      : c->records[0].src_port;
	engine_set_trace(e, remember, &last);
	feed_records(e, c);
	assert_false(engine_drain(e));
	assert_int_not_equal(last.count, 0);
	if (c->number == 89) {
		/* two generations: the first ends silent, last or not */
		assert_true(last.trace.outcome == OUTCOME_SILENT);
		last.trace = last.first;
	}
	check(c, &last.trace);
	engine_free(e);
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

int
main(void)
{
	int count = 0;

	case_count = cases_load(PATH, cases);
	if (case_count != 90) {
		fprintf(stderr, "%s: %d cases, not 90\n", PATH, case_count);
		return 1;
	}
	for (int i = 0; i < case_count; i++) {
		/* transit has no pair to judge: the engine drops it */
		if (strcmp(cases[i].expected, "TRANSIT") != 0)
			add_test(count++, &cases[i], "verdict",
			    verdict_is_right);
		add_test(count++, &cases[i], "engine", engine_is_right);
	}
	return _cmocka_run_group_tests("cases", tests, (size_t)count, NULL,
	    NULL);
}
