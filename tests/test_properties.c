/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold for any records: over every export there is in the tests
 * (tests/inputs.h) the engine finds the same, however the records are cut
 * into batches, shuffled, doubled, or hashed; and what is lost, late, or
 * without an answer never makes it find what is not. B25 to B30.
 *
 * Each property is tried with PROPERTY_SEEDS seeds (10; with a sanitizer 1).
 * A false exposure is one of any tier that the same records undisturbed do not
 * show. Where a property cannot hold for a case it says so: struct exception.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exposure/trace.h"
#include "exposure/verdict.h"
#include "tests/inputs.h"
#include "tests/test.h"
#include "tests/world.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SEEDS 1
#else
#define SEEDS 10
#endif

static struct inputs *inputs;
static int seeds = SEEDS;

/* --- feeding -------------------------------------------------------------- */

static void
feed(struct world *w, const struct flow_record *flows, uint32_t count,
    uint32_t cut)
{
	for (uint32_t at = 0; at < count; at += cut) {
		uint32_t n = count - at < cut ? count - at : cut;

		memcpy(w->flows->records, flows + at, n * sizeof(*flows));
		w->flows->count = n;
		engine_take(w->engine, w->flows);
		if (engine_is_crowded(w->engine))
			world_collect(w);
	}
}

static struct world *
world_of(const struct flow_record *flows, uint32_t count)
{
	struct engine_config config = inputs_config();
	struct world *w = world_new_with(&config);

	feed(w, flows, count, 1000);
	world_drain(w);
	return w;
}

/* A small generator: the same shuffles on every machine. */
static uint32_t
next_random(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
	return (uint32_t)(*seed >> 33);
}

static void
shuffle(struct flow_record *flows, uint32_t count, uint64_t seed)
{
	for (uint32_t i = count; i > 1; i--) {
		uint32_t j = next_random(&seed) % i;
		struct flow_record swap = flows[i - 1];

		flows[i - 1] = flows[j];
		flows[j] = swap;
	}
}

/* As if all had come at once: only then may any come before any other. */
static void
receive_at_once(struct flow_record *flows, uint32_t count)
{
	int64_t last_ms = 0;

	for (uint32_t i = 0; i < count; i++)
		if (flows[i].received_ms > last_ms)
			last_ms = flows[i].received_ms;
	for (uint32_t i = 0; i < count; i++) {
		/* the exporters' clocks are as right as they were */
		flows[i].export_ms += last_ms - flows[i].received_ms;
		flows[i].received_ms = last_ms;
	}
}

static struct flow_record *
copy_of(const struct input *in, uint32_t times)
{
	struct flow_record *copy =
	    calloc(in->count * (size_t)times, sizeof(*copy));

	assert_non_null(copy);
	for (uint32_t i = 0; i < times; i++)
		memcpy(copy + i * in->count, in->flows,
		    in->count * sizeof(*copy));
	return copy;
}

/* --- comparing ------------------------------------------------------------ */

static int
compare_exposures(const void *a, const void *b)
{
	const struct finding_exposure *x = a;
	const struct finding_exposure *y = b;
	int order = addr_compare(&x->host, &y->host);

	if (order != 0)
		return order;
	if (x->proto != y->proto)
		return x->proto - y->proto;
	if (x->port != y->port)
		return x->port - y->port;
	return x->first_ms == y->first_ms  ? 0
	       : x->first_ms < y->first_ms ? -1
					   : 1;
}

static int
compare_events(const void *a, const void *b)
{
	const struct finding_scan_event *x = a;
	const struct finding_scan_event *y = b;
	int order = addr_compare(&x->src, &y->src);

	if (order == 0)
		order = addr_compare(&x->dst, &y->dst);
	if (order == 0)
		order = x->proto - y->proto;
	if (order == 0)
		order = x->port - y->port;
	if (order == 0)
		order = x->src_port - y->src_port;
	if (order == 0)
		order = x->technique - y->technique;
	if (order == 0 && x->ts_ms != y->ts_ms)
		order = x->ts_ms < y->ts_ms ? -1 : 1;
	return order;
}

static void
sort(struct world *w)
{
	qsort(w->exposures, w->exposure_count, sizeof(w->exposures[0]),
	    compare_exposures);
	qsort(w->events, w->event_count, sizeof(w->events[0]), compare_events);
}

/* What differs between two runs, the first thing; "": nothing. */
static char difference[400];

#define DIFFERS(...) snprintf(difference, sizeof(difference), __VA_ARGS__)

static void
tell_exposure(const char *what, const struct finding_exposure *x)
{
	char host[ADDR_TEXT_MAX];

	DIFFERS("%s %s proto %d port %d, %s, %s, from %lld", what,
	    addr_format(&x->host, host), x->proto, x->port, tier_name(x->tier),
	    rule_name(x->rule), (long long)x->first_ms);
}

static bool
is_same_map(struct world *a, struct world *b)
{
	sort(a);
	sort(b);
	for (uint32_t i = 0; i < a->exposure_count || i < b->exposure_count;
	     i++) {
		const struct finding_exposure *x = &a->exposures[i];
		const struct finding_exposure *y = &b->exposures[i];

		if (i >= a->exposure_count ||
		    (i < b->exposure_count && compare_exposures(x, y) > 0))
			tell_exposure("new:", y);
		else if (i >= b->exposure_count || compare_exposures(x, y) < 0)
			tell_exposure("missing:", x);
		else if (x->last_ms != y->last_ms || x->tier != y->tier ||
			 x->accepted != y->accepted ||
			 x->clients != y->clients ||
			 !addr_equal(&x->first_client, &y->first_client))
			tell_exposure("other:", y);
		else
			continue;
		return false;
	}
	if (a->host_count != b->host_count)
		DIFFERS("%u hosts, not %u", b->host_count, a->host_count);
	return a->host_count == b->host_count;
}

static bool
is_same_events(struct world *a, struct world *b)
{
	sort(a);
	sort(b);
	if (a->event_count != b->event_count) {
		DIFFERS("%u scan events, not %u", b->event_count,
		    a->event_count);
		return false;
	}
	for (uint32_t i = 0; i < a->event_count; i++) {
		const struct finding_scan_event *x = &a->events[i];
		const struct finding_scan_event *y = &b->events[i];

		if (compare_events(x, y) == 0 && x->answer == y->answer &&
		    x->place == y->place)
			continue;
		DIFFERS("scan event at port %d differs: %s, not %s", y->port,
		    answer_name(y->answer), answer_name(x->answer));
		return false;
	}
	return true;
}

static bool
is_same_outcomes(const struct world *a, const struct world *b)
{
	for (unsigned o = 0; o < OUTCOME_COUNT; o++) {
		if (world_outcomes(a, o) == world_outcomes(b, o))
			continue;
		DIFFERS("%llu %s, not %llu",
		    (unsigned long long)world_outcomes(b, o), outcome_name(o),
		    (unsigned long long)world_outcomes(a, o));
		return false;
	}
	return true;
}

static bool
is_known(const struct world *truth, const struct finding_exposure *x)
{
	for (uint32_t i = 0; i < truth->exposure_count; i++)
		if (truth->exposures[i].proto == x->proto &&
		    truth->exposures[i].port == x->port &&
		    addr_equal(&truth->exposures[i].host, &x->host))
			return true;
	return false;
}

/*
 * A false exposure that cannot be told from a true one: the records that
 * would tell are taken away, and those left are what a connection that the
 * outside opened leaves. Of this case, by this rule, and never confirmed.
 */
struct exception {
	int number;
	enum rule rule;
};

#define ANY_CASE (-1)

static const struct exception no_exceptions[] = { { 0, RULE_NONE } };

static bool
is_excepted(const struct input *in, const struct exception *exceptions,
    const struct finding_exposure *x)
{
	if (in->kind != INPUT_CASES || x->tier == TIER_CONFIRMED)
		return false;
	for (; exceptions->number != 0; exceptions++)
		if (exceptions->rule == x->rule &&
		    (exceptions->number == ANY_CASE ||
			exceptions->number == inputs_case_of(&x->host)))
			return true;
	return false;
}

/* All that is in b's map is in a's, but for exceptions. */
static bool
is_without_false_exposure(const struct input *in, const struct world *a,
    const struct world *b, const struct exception *exceptions)
{
	for (uint32_t i = 0; i < b->exposure_count; i++) {
		const struct finding_exposure *x = &b->exposures[i];

		if (is_known(a, x) || is_excepted(in, exceptions, x))
			continue;
		tell_exposure("false:", x);
		return false;
	}
	return true;
}

/* --- a property over all inputs ------------------------------------------- */

/* One run of a property; false, with the difference told: it does not hold. */
typedef bool (
    *property_fn)(const struct input *in, struct world *truth, uint64_t seed);

static void
holds_everywhere(const char *name, property_fn holds)
{
	unsigned long runs[INPUT_KIND_COUNT] = { 0 };
	unsigned long exposures = 0;
	int failures = 0;

	for (int i = 0; i < inputs->count; i++) {
		const struct input *in = &inputs->all[i];
		struct world *truth;

		truth = world_of(in->flows, in->count);
		exposures += truth->exposure_count;
		for (int seed = 0; seed < seeds; seed++) {
			runs[in->kind]++;
			if (holds(in, truth, (uint64_t)seed))
				continue;
			print_error("%s: %s, seed %d: %s\n", name, in->name,
			    seed, difference);
			failures++;
			break;
		}
		world_free(truth);
	}
	print_message("# %s: %d seeds; runs: %lu of captures, %lu of corpora, "
		      "%lu of cases; %lu exposures; %d failures\n",
	    name, seeds, runs[INPUT_CAPTURE], runs[INPUT_CORPUS],
	    runs[INPUT_CASES] + runs[INPUT_REUSE], exposures, failures);
	assert_int_equal(failures, 0);
}

/* --- properties ----------------------------------------------------------- */

static bool
cut_and_hash_key_do_not_matter(const struct input *in, struct world *want,
    uint64_t seed)
{
	static const uint32_t cuts[] = { 1, 7, 4096 };
	struct engine_config config = inputs_config();
	struct world *got;
	bool same;

	config.key = hash_key_random();
	got = world_new_with(&config);
	feed(got, in->flows, in->count, cuts[seed % 3]);
	world_drain(got);
	/* every octet of it: the store must be the same */
	same = want->exposure_count == got->exposure_count &&
	       want->event_count == got->event_count &&
	       memcmp(want->exposures, got->exposures,
		   want->exposure_count * sizeof(want->exposures[0])) == 0 &&
	       memcmp(want->events, got->events,
		   want->event_count * sizeof(want->events[0])) == 0 &&
	       memcmp(want->alerts, got->alerts,
		   want->alert_count * sizeof(want->alerts[0])) == 0;
	DIFFERS("something, in batches of %u", cuts[seed % 3]);
	world_free(got);
	return same;
}

static void
cut_of_the_batches_and_the_hash_key_make_no_difference(void **state)
{
	(void)state;
	holds_everywhere("cut", cut_and_hash_key_do_not_matter);
}

/* --- 5-tuples that are used again --- */

/* An inner end that 5-tuples lead to which were used again. */
struct endpoint {
	struct addr host;
	uint16_t port;
	uint8_t proto;
};

static struct endpoint reused[WORLD_MAX];
static uint32_t reused_count;

static bool
is_reused(const struct addr *host, uint8_t proto, uint16_t port)
{
	for (uint32_t i = 0; i < reused_count; i++)
		if (reused[i].port == port && reused[i].proto == proto &&
		    addr_equal(&reused[i].host, host))
			return true;
	return false;
}

static void
note_reuse(const struct engine_trace *t, void *arg)
{
	(void)arg;
	if (t->kind != TRACE_RECORD || t->generation == 0 ||
	    is_reused(&t->inner, t->proto, t->inner_port))
		return;
	assert_true(reused_count < WORLD_MAX);
	reused[reused_count++] =
	    (struct endpoint){ t->inner, t->inner_port, t->proto };
}

/* Adds those of the records in this order. */
static void
find_reused(const struct flow_record *flows, uint32_t count)
{
	struct engine_config config = inputs_config();
	struct world *w = world_new_with(&config);

	engine_set_trace(w->engine, note_reuse, NULL);
	feed(w, flows, count, 1000);
	world_free(w);
}

static void
set_reused_aside(struct world *w)
{
	uint32_t exposures = 0;
	uint32_t events = 0;

	for (uint32_t i = 0; i < w->exposure_count; i++) {
		const struct finding_exposure *x = &w->exposures[i];

		if (!is_reused(&x->host, x->proto, x->port))
			w->exposures[exposures++] = *x;
	}
	for (uint32_t i = 0; i < w->event_count; i++) {
		const struct finding_scan_event *v = &w->events[i];

		if (!is_reused(&v->dst, v->proto, v->port))
			w->events[events++] = *v;
	}
	w->exposure_count = exposures;
	w->event_count = events;
}

/*
 * Where a 5-tuple is used again within seconds, what came before a record says
 * to which attempt it belongs. Then the number of attempts, their times and the
 * evidence may differ at the inner end. What is exposed may not, nor anything
 * about any other end.
 */
static bool
is_same_but_for_reuse(const struct input *in, struct world *a, struct world *b)
{
	if (!is_without_false_exposure(in, a, b, no_exceptions) ||
	    !is_without_false_exposure(in, b, a, no_exceptions))
		return false;
	set_reused_aside(a);
	set_reused_aside(b);
	return is_same_map(a, b) && is_same_events(a, b);
}

/* Corpora and cases of reuse use a 5-tuple as no client does: at once. */
static void
note_reused(const struct input *in, const struct world *w,
    const struct flow_record *flows)
{
	if ((in->kind == INPUT_CORPUS || in->kind == INPUT_REUSE) &&
	    counter_get(&w->counters, COUNTER_GENERATION_SPLITS) != 0)
		find_reused(flows, in->count);
}

/*
 * By how much an exporter's clock is off is learned in the order of its
 * datagrams. The corpora put exporters together that are none, and captures
 * of others are from clocks that are off: there it is given.
 */
static void
give_feeds(struct world *w, const struct input *in)
{
	struct feed_override given = { .given = 1U << FEED_CLOCK_OFFSET };

	if (in->kind != INPUT_CORPUS && (in->kind != INPUT_CAPTURE || in->lab))
		return;
	if (in->kind == INPUT_CORPUS) {
		/* a share of conversations: reuse changes their number */
		given.given |= 1U << FEED_VISIBILITY;
		given.values[FEED_VISIBILITY] = FEED_VISIBILITY_BOTH;
	}
	for (uint32_t i = 0; i < in->count; i++)
		engine_override_feed(w->engine, in->flows[i].exporter, &given);
}

/* There is room for all: what is given up depends on what came first. */
static struct world *
world_in_order(const struct input *in, const struct flow_record *flows)
{
	struct engine_config config = inputs_config();
	struct world *w;

	config.max_pairs = config.max_sources = 2 * INPUT_RECORDS_MAX;
	w = world_new_with(&config);
	give_feeds(w, in);
	feed(w, flows, in->count, 1000);
	world_drain(w);
	return w;
}

static bool
order_does_not_matter(const struct input *in, struct world *truth,
    uint64_t seed)
{
	struct flow_record *copy = copy_of(in, 1);
	struct world *want;
	struct world *got;
	bool same;

	(void)truth;
	receive_at_once(copy, in->count);
	want = world_in_order(in, copy);
	reused_count = 0;
	note_reused(in, want, copy);
	shuffle(copy, in->count, seed + 1);
	got = world_in_order(in, copy);
	note_reused(in, got, copy);
	same = reused_count != 0
		   ? is_same_but_for_reuse(in, want, got)
		   : is_same_map(want, got) && is_same_events(want, got) &&
			 is_same_outcomes(want, got);
	world_free(want);
	world_free(got);
	free(copy);
	return same;
}

static void
order_of_the_records_makes_no_difference(void **state) /* B26 */
{
	(void)state;
	holds_everywhere("shuffled", order_does_not_matter);
}

/* So many records have 120 orders. */
#define PERMUTED_MAX 5

/* The next order of the count numbers in at, as a dictionary has them. */
static bool
next_order(uint32_t *at, uint32_t count)
{
	uint32_t i, j, swap;

	if (count < 2)
		return false;
	i = j = count - 1;
	while (i > 0 && at[i - 1] >= at[i])
		i--;
	if (i == 0)
		return false;
	while (at[j] <= at[i - 1])
		j--;
	swap = at[i - 1], at[i - 1] = at[j], at[j] = swap;
	for (j = count - 1; i < j; i++, j--)
		swap = at[i], at[i] = at[j], at[j] = swap;
	return true;
}

/* How many orders of these records find something else than they do. */
static int
count_other_orders(const struct flow_record *flows, uint32_t count)
{
	struct world *want = world_of(flows, count);
	uint32_t at[PERMUTED_MAX] = { 0, 1, 2, 3, 4 };
	int others = 0;

	while (next_order(at, count)) {
		struct flow_record ordered[PERMUTED_MAX];
		struct world *got;

		for (uint32_t i = 0; i < count; i++)
			ordered[i] = flows[at[i]];
		got = world_of(ordered, count);
		if (!is_same_map(want, got) || !is_same_events(want, got) ||
		    !is_same_outcomes(want, got)) {
			print_error("case %d, from record %u on: %s\n",
			    inputs_case_of(&flows->src), at[0], difference);
			others++;
		}
		world_free(got);
	}
	world_free(want);
	return others;
}

/* The records of a case begin the count ones at flows: how many they are. */
static uint32_t
length_of_case(const struct flow_record *flows, uint32_t count)
{
	uint32_t length = 0;

	while (length < count && inputs_case_of(&flows[length].src) ==
				     inputs_case_of(&flows->src))
		length++;
	return length;
}

static void
every_order_of_a_small_case_finds_the_same(void **state)
{
	int cases = 0;
	int others = 0;

	(void)state;
	for (int i = 0; i < inputs->count; i++) {
		const struct input *in = &inputs->all[i];
		struct flow_record *copy = copy_of(in, 1);
		uint32_t length;

		receive_at_once(copy, in->count);
		for (uint32_t from = 0;
		     in->kind == INPUT_CASES && from < in->count;
		     from += length) {
			length = length_of_case(copy + from, in->count - from);
			if (length > PERMUTED_MAX)
				continue;
			others += count_other_orders(copy + from, length);
			cases++;
		}
		free(copy);
	}
	print_message("# %d cases in every order\n", cases);
	assert_int_not_equal(cases, 0);
	assert_int_equal(others, 0);
}

static bool
second_exporter_doubles_nothing(const struct input *in, struct world *truth,
    uint64_t seed)
{
	struct flow_record *copy = copy_of(in, 2);
	/* one second after a close is another attempt, on a clock that is right
	 * to half of that: reuse is 1.5 s behind, in the cases */
	int64_t skew_ms =
	    (int64_t)(seed % 10) * (seed / 10 % 2 == 0 ? 50 : -50);
	struct world *got;
	bool same;

	for (uint32_t i = 0; i < in->count; i++) {
		struct flow_record *again = &copy[2 * i + 1];

		copy[2 * i] = in->flows[i];
		*again = in->flows[i];
		again->exporter += INPUT_EXPORTERS;
		again->start_ms += skew_ms;
		again->end_ms += skew_ms;
	}
	got = world_of(copy, 2 * in->count);
	same = is_same_outcomes(truth, got) &&
	       truth->event_count == got->event_count &&
	       truth->exposure_count == got->exposure_count &&
	       is_without_false_exposure(in, truth, got, no_exceptions);
	world_free(got);
	free(copy);
	return same;
}

static void
second_exporter_that_sees_the_same_doubles_nothing(void **state) /* B27 */
{
	(void)state;
	holds_everywhere("doubled", second_exporter_doubles_nothing);
}

/* One record of the case is lost. */
static const struct exception without_one[] = {
	{ 38, RULE_A1_D2 }, /* the reset of who was probed: a SYN-ACK is left */
	{ 293, RULE_A1_D2 }, /* the same */
	{ 90, RULE_A1_D5 },  /* one SYN of two: the other's end has opened */
	{ 108, RULE_A1_D1 }, /* the same */
	{ 124, RULE_A4_D4 }, /* one claim of two: the other one stands */
	{ 323, RULE_A1_D8 }, /* the SYN that made the port a client's */
	{ 324, RULE_A1_D8 }, /* the same */
	{ 326, RULE_A4_D8 }, /* the same */
	{ 0, RULE_NONE },
};

static bool
loss_shows_nothing_new(const struct input *in, struct world *truth,
    uint64_t seed)
{
	struct flow_record *kept = copy_of(in, 1);
	uint32_t count = 0;
	struct world *got;
	bool same;

	for (uint32_t i = 0; i < in->count; i++)
		if (in->datagram[i] % 10 != seed % 10)
			kept[count++] = in->flows[i];
	got = world_of(kept, count);
	same = is_without_false_exposure(in, truth, got, without_one);
	world_free(got);
	free(kept);
	return same;
}

static void
lost_datagrams_make_no_false_exposure(void **state) /* B28 */
{
	(void)state;
	holds_everywhere("lost", loss_shows_nothing_new);
}

/*
 * A record comes from another router, minutes off: the 5-tuple was used twice,
 * it seems, and what one use alone shows is that of a connection.
 */
static const struct exception with_two_clocks[] = {
	{ 90, RULE_A1_D1 },  /* each SYN with the other's SYN-ACK */
	{ 90, RULE_A1_D5 },  /* and the times of those two */
	{ 102, RULE_A1_D1 }, /* as 90 */
	{ 108, RULE_A1_D1 },
	{ 108, RULE_A1_D2 }, /* a SYN-ACK without the SYN of its end */
	{ 108, RULE_A2 },    /* SYN and ACK, without the SYN between them */
	{ 110, RULE_A1_D1 },
	{ 110, RULE_A2 },
	{ 124, RULE_A4_D4 }, /* each claim by itself */
	{ 323, RULE_A1_D8 }, /* a client in the next minutes, not the last */
	{ 323, RULE_A4_D8 }, /* the same */
	{ 324, RULE_A1_D8 }, /* the same */
	{ 324, RULE_A4_D8 }, /* the same */
	{ 326, RULE_A4_D8 }, /* the same */
	{ 0, RULE_NONE },
};

/*
 * Even seeds: another router, its clock off, sees all again. Odd ones: half
 * of the datagrams come from that router instead.
 */
static bool
clock_of_another_does_not_matter(const struct input *in, struct world *truth,
    uint64_t seed)
{
	int64_t shift_ms = (seed / 2) % 2 == 0 ? 300000 : -300000;
	bool again = seed % 2 == 0;
	uint32_t count = again ? 2 * in->count : in->count;
	struct flow_record *copy = copy_of(in, again ? 2 : 1);
	struct world *got;
	bool same;

	for (uint32_t i = 0; i < in->count; i++) {
		struct flow_record *f = &copy[again ? in->count + i : i];
		uint64_t which = seed * 1000003 + in->datagram[i];

		if (!again && (next_random(&which) & 1) == 0)
			continue;
		f->exporter += INPUT_EXPORTERS;
		f->start_ms += shift_ms;
		f->end_ms += shift_ms;
	}
	got = world_of(copy, count);
	same = is_without_false_exposure(in, truth, got, with_two_clocks);
	world_free(got);
	free(copy);
	return same;
}

static void
exporter_clock_off_by_minutes_changes_no_exposure(void **state) /* B29 */
{
	(void)state;
	holds_everywhere("shifted", clock_of_another_does_not_matter);
}

static bool
is_inside(const struct engine_config *config, const struct addr *a)
{
	return prefix_set_find(&config->internal, a) != NULL;
}

/* Nothing that the inside sent is left. */
static const struct exception without_answers[] = {
	{ ANY_CASE, RULE_A5 }, /* a hint: on such feeds a reset is a sign */
	{ 108, RULE_A4_D1 },   /* SYN and ACK: the inside sent the other SYN */
	{ 124, RULE_A4_D4 },   /* the claim against it was the inside's */
	{ 323, RULE_A4_D8 },   /* the SYN was the inside's */
	{ 324, RULE_A4_D8 },   /* the same */
	{ 326, RULE_A4_D8 },   /* the same */
	{ 0, RULE_NONE },
};

/* Counts what nobody can know who sees no answers. */
static void
count_silence(const struct engine_trace *t, void *arg)
{
	enum answer answer;

	if (t->kind != TRACE_VERDICT)
		return;
	answer = outcome_answer(t->outcome);
	*(unsigned long *)arg +=
	    answer == ANSWER_SILENT || answer == ANSWER_REFUSED;
}

/*
 * Odd seeds leave it to the engine to learn that no answers come. Of four, two
 * have the records at once, in any order; two as they came, so that attempts
 * are judged when little is known.
 */
static bool
half_a_feed_shows_no_silence(const struct input *in, struct world *truth,
    uint64_t seed)
{
	const struct feed_profile one_sided = { .one_sided = true };
	struct engine_config config = inputs_config();
	struct flow_record *kept = copy_of(in, 1);
	struct world *got = world_new_with(&config);
	unsigned long silences = 0;
	uint32_t count = 0;
	bool holds;

	for (uint32_t i = 0; i < in->count; i++)
		if (!is_inside(&config, &in->flows[i].src) ||
		    is_inside(&config, &in->flows[i].dst))
			kept[count++] = in->flows[i];
	if ((seed / 2) % 2 == 0) {
		shuffle(kept, count, seed + 1);
		receive_at_once(kept, count);
	}
	for (uint32_t i = 0; seed % 2 == 0 && i < count; i++)
		engine_set_profile(got->engine, kept[i].exporter, &one_sided);
	engine_set_trace(got->engine, count_silence, &silences);
	feed(got, kept, count, 1000);
	world_drain(got);
	holds = is_without_false_exposure(in, truth, got, without_answers);
	if (holds && silences != 0) {
		DIFFERS("silent or refused, %lu times", silences);
		holds = false;
	}
	world_free(got);
	free(kept);
	return holds;
}

static void
without_the_answers_nothing_is_silent_or_refused(void **state) /* B30 */
{
	(void)state;
	holds_everywhere("unanswered", half_a_feed_shows_no_silence);
}

static bool
small_tables_show_nothing_new(const struct input *in, struct world *truth,
    uint64_t seed)
{
	struct engine_config config = inputs_config();
	struct world *got;
	bool holds;

	config.max_pairs = 4U << (seed % 6);
	config.max_sources = 4 + (uint32_t)seed;
	config.key = hash_key_random();
	got = world_new_with(&config);
	feed(got, in->flows, in->count, 100);
	world_drain(got);
	holds = is_without_false_exposure(in, truth, got, no_exceptions);
	/* a meter that sends both halves side by side loses none at all */
	if (holds && in->lab && config.max_pairs >= 16 &&
	    got->exposure_count != truth->exposure_count) {
		DIFFERS("%u exposures, not %u", got->exposure_count,
		    truth->exposure_count);
		holds = false;
	}
	world_free(got);
	return holds;
}

static void
small_tables_lose_silence_and_no_exposure(void **state)
{
	(void)state;
	holds_everywhere("capped", small_tables_show_nothing_new);
}

/* --- a flood -------------------------------------------------------------- */

#define FLOOD	    1000000
#define FLOOD_REAL  10
#define FLOOD_PAIRS 1000

static void
put_syn(struct flow_record *f, uint32_t source, int64_t at_ms)
{
	static const uint8_t outside[4] = { 198, 18, 0, 0 };
	static const uint8_t inside[4] = { 10, 0, 0, 5 };
	uint8_t octets[4];

	memset(f, 0, sizeof(*f));
	memcpy(octets, outside, 4);
	octets[1] = (uint8_t)(18 + (source >> 16));
	octets[2] = (uint8_t)(source >> 8);
	octets[3] = (uint8_t)source;
	f->src = addr_from_v4(octets);
	f->dst = addr_from_v4(inside);
	f->src_port = (uint16_t)(1024 + source % 50000);
	f->dst_port = 8080;
	f->protocol = 6;
	f->tcp_flags = 0x02;
	f->packets = 1;
	f->octets = 40;
	f->sampling = 1;
	f->has = FLOW_HAS_PORTS | FLOW_HAS_TCP_FLAGS | FLOW_HAS_PACKETS |
		 FLOW_HAS_TIMES;
	f->received_ms = f->export_ms = f->start_ms = f->end_ms = at_ms;
}

/* One attempt that is real: its SYN, and much later in the flood the answer. */
static void
put_real(struct flow_record *f, uint32_t which, bool answer, int64_t at_ms)
{
	struct addr swap;

	put_syn(f, 0x700000 + which, at_ms);
	f->dst_port = (uint16_t)(80 + which);
	if (!answer)
		return;
	swap = f->src;
	f->src = f->dst;
	f->dst = swap;
	f->dst_port = f->src_port;
	f->src_port = (uint16_t)(80 + which);
	f->tcp_flags = 0x12;
}

/* Takes what the engine found, all but the scan events. */
static void
collect_without_events(struct world *w)
{
	w->without_events = true;
	world_collect(w);
}

static void
flood_of_a_million_keeps_every_exposure(void **state) /* B25 */
{
	struct engine_config config = inputs_config();
	const uint32_t each = FLOOD / FLOOD_REAL;
	struct engine_summary summary;
	uint64_t unanswered;
	struct world *w;
	size_t before;

	(void)state;
	config.max_pairs = FLOOD_PAIRS;
	w = world_new_with(&config);
	before = mallinfo2().uordblks;
	for (uint32_t i = 0; i < FLOOD;) {
		struct flow_record *f = w->flows->records;
		uint32_t n = 0;

		if (i % each == 0)
			put_real(&f[n++], i / each, false, WORLD_MS + i / 100);
		for (uint32_t k = 0; k < 1000; k++, i++)
			put_syn(&f[n++], i, WORLD_MS + i / 100);
		if (i % each == each / 2)
			put_real(&f[n++], i / each, true, WORLD_MS + i / 100);
		w->flows->count = n;
		engine_take(w->engine, w->flows);
		collect_without_events(w);
		engine_summary(w->engine, &summary);
		assert_true(summary.pairs <= FLOOD_PAIRS);
	}
	assert_int_equal(mallinfo2().uordblks, before);
	while (engine_drain(w->engine))
		collect_without_events(w);
	collect_without_events(w);
	assert_int_equal(w->exposure_count, FLOOD_REAL);
	for (uint16_t which = 0; which < FLOOD_REAL; which++)
		assert_non_null(
		    world_exposure(w, "10.0.0.5", (uint16_t)(80 + which)));
	/* all of the flood, and the SYNs of real ones that were shed before
	 * the answer came */
	unanswered = world_outcomes(w, OUTCOME_SILENT) +
		     world_outcomes(w, OUTCOME_UNRESOLVED);
	assert_in_range(unanswered, FLOOD, FLOOD + FLOOD_REAL);
	assert_int_equal(unanswered + world_outcomes(w, OUTCOME_ACCEPTED) +
			     world_outcomes(w, OUTCOME_ACCEPTED_NO_ACK),
	    counter_get(&w->counters, COUNTER_ATTEMPTS));
	assert_true(world_outcomes(w, OUTCOME_SILENT) <= FLOOD_PAIRS);
	world_free(w);
}

/* --- the run -------------------------------------------------------------- */

static int
load_all(void **state)
{
	const char *wanted = getenv("PROPERTY_SEEDS");
	unsigned long records = 0;
	unsigned long files = 0;

	(void)state;
	if (wanted != NULL)
		seeds = (int)strtol(wanted, NULL, 10);
	/* engines come and go: memory is kept, not given back each time */
	mallopt(M_MMAP_THRESHOLD, 1 << 30);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	inputs = inputs_load();
	for (int i = 0; i < inputs->count; i++)
		records += inputs->all[i].count, files += inputs->all[i].files;
	print_message("# %lu files in %d inputs, %lu records\n", files,
	    inputs->count, records);
	return seeds > 0 ? 0 : -1;
}

static int
free_all(void **state)
{
	(void)state;
	inputs_free(inputs);
	return 0;
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(cut_of_the_batches_and_the_hash_key_make_no_difference),
		TEST(order_of_the_records_makes_no_difference),
		TEST(every_order_of_a_small_case_finds_the_same),
		TEST(second_exporter_that_sees_the_same_doubles_nothing),
		TEST(lost_datagrams_make_no_false_exposure),
		TEST(exporter_clock_off_by_minutes_changes_no_exposure),
		TEST(without_the_answers_nothing_is_silent_or_refused),
		TEST(small_tables_lose_silence_and_no_exposure),
		TEST(flood_of_a_million_keeps_every_exposure),
	};

	return cmocka_run_group_tests(tests, load_all, free_all);
}
