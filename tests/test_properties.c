/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold for any records: over every export there is in the tests
 * (tests/inputs.h) the engine finds the same, however the records are cut
 * into batches, shuffled, doubled, or hashed; and what is lost, late, or
 * without an answer never makes it find what is not. B25 to B30.
 *
 * Each property is tried with PROPERTY_SEEDS seeds (10; with a sanitizer 1).
 * A false exposure is one of the map, hints left out, that the same records
 * undisturbed do not show.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
world_of_with(const struct engine_config *config,
    const struct feed_profile *profile, const struct flow_record *flows,
    uint32_t count)
{
	struct world *w = world_new_with(config);

	for (uint32_t i = 0; profile != NULL && i < count; i++)
		engine_set_profile(w->engine, flows[i].exporter, profile);
	feed(w, flows, count, 1000);
	world_drain(w);
	return w;
}

static struct world *
world_of(const struct flow_record *flows, uint32_t count)
{
	struct engine_config config = inputs_config();

	return world_of_with(&config, NULL, flows, count);
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
		DIFFERS("scan event at port %d differs", y->port);
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

/* All that is in b's map is in a's. */
static bool
is_without_false_exposure(const struct world *a, const struct world *b)
{
	for (uint32_t i = 0; i < b->exposure_count; i++) {
		const struct finding_exposure *x = &b->exposures[i];

		if (x->tier == TIER_HINT || is_known(a, x))
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
holds_for(const char *name, property_fn holds, enum input_kind last)
{
	unsigned long runs[INPUT_KIND_COUNT] = { 0 };
	unsigned long exposures = 0;
	int failures = 0;

	for (int i = 0; i < inputs->count; i++) {
		const struct input *in = &inputs->all[i];
		struct world *truth;

		if (in->kind > last)
			continue;
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
	    runs[INPUT_CASES] + runs[INPUT_FRAGILE], exposures, failures);
	assert_int_equal(failures, 0);
}

static void
holds_everywhere(const char *name, property_fn holds)
{
	holds_for(name, holds, INPUT_FRAGILE);
}

/* Properties that take records away, or turn their order round. */
static void
holds_without_some(const char *name, property_fn holds)
{
	holds_for(name, holds, INPUT_CASES);
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

/*
 * Corpora use a 5-tuple again and again within seconds: to which attempt a
 * record belongs then depends on what came before. Their exposures do not.
 */
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
	want = world_of(copy, in->count);
	shuffle(copy, in->count, seed + 1);
	got = world_of(copy, in->count);
	same = in->kind == INPUT_CORPUS
		   ? is_without_false_exposure(want, got)
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
	holds_without_some("shuffled", order_does_not_matter);
}

static bool
second_exporter_doubles_nothing(const struct input *in, struct world *truth,
    uint64_t seed)
{
	struct flow_record *copy = copy_of(in, 2);
	int64_t skew_ms = (int64_t)seed * 50;
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
	       is_without_false_exposure(truth, got);
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
	same = is_without_false_exposure(truth, got);
	world_free(got);
	free(kept);
	return same;
}

static void
lost_datagrams_make_no_false_exposure(void **state) /* B28 */
{
	(void)state;
	holds_without_some("lost", loss_shows_nothing_new);
}

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
	same = is_without_false_exposure(truth, got);
	world_free(got);
	free(copy);
	return same;
}

static void
exporter_clock_off_by_minutes_changes_no_exposure(void **state) /* B29 */
{
	(void)state;
	holds_without_some("shifted", clock_of_another_does_not_matter);
}

static bool
is_inside(const struct engine_config *config, const struct addr *a)
{
	return prefix_set_find(&config->internal, a) != NULL;
}

/* Odd seeds leave it to the engine to learn that no answers come. */
static bool
half_a_feed_shows_no_silence(const struct input *in, struct world *truth,
    uint64_t seed)
{
	const struct feed_profile one_sided = { .one_sided = true };
	struct engine_config config = inputs_config();
	struct flow_record *kept = copy_of(in, 1);
	uint32_t count = 0;
	struct world *got;
	bool holds;

	for (uint32_t i = 0; i < in->count; i++)
		if (!is_inside(&config, &in->flows[i].src) ||
		    is_inside(&config, &in->flows[i].dst))
			kept[count++] = in->flows[i];
	shuffle(kept, count, seed + 1);
	receive_at_once(kept, count);
	got = world_of_with(&config, seed % 2 == 0 ? &one_sided : NULL, kept,
	    count);
	holds = is_without_false_exposure(truth, got);
	if (holds && seed % 2 == 0 &&
	    world_outcomes(got, OUTCOME_SILENT) +
		    world_outcomes(got, OUTCOME_REFUSED) +
		    world_outcomes(got, OUTCOME_ECHO_SILENT) !=
		0) {
		DIFFERS("silent or refused");
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
	holds_without_some("unanswered", half_a_feed_shows_no_silence);
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
	holds = is_without_false_exposure(truth, got);
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
		TEST(second_exporter_that_sees_the_same_doubles_nothing),
		TEST(lost_datagrams_make_no_false_exposure),
		TEST(exporter_clock_off_by_minutes_changes_no_exposure),
		TEST(without_the_answers_nothing_is_silent_or_refused),
		TEST(small_tables_lose_silence_and_no_exposure),
		TEST(flood_of_a_million_keeps_every_exposure),
	};

	return cmocka_run_group_tests(tests, load_all, free_all);
}
