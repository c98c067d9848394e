/* SPDX-License-Identifier: Apache-2.0 */
/* What is learned of a feed, and from how much. */
#include "exposure/profiles.h"
#include "tests/test.h"

static struct counters counters;
static const struct network inside;

static void
feed(struct profiles *p, int records, uint8_t flags, uint64_t packets)
{
	struct flow_record f = { .protocol = 6,
		.exporter = 1,
		.has = FLOW_HAS_TCP_FLAGS | FLOW_HAS_PACKETS,
		.tcp_flags = flags,
		.packets = packets };

	for (int i = 0; i < records; i++)
		profiles_take(p, &f);
}

static struct half
half_of(uint8_t flags, uint16_t packets, int64_t first_ms)
{
	struct half h = { .present = true,
		.exporter = 1,
		.flags = flags & 63U,
		.packets = packets };

	half_set_first_ms(&h, first_ms);
	return h;
}

static void
flags_that_are_always_zero_are_no_flags_after_200_records(void **state)
{
	struct profiles *p = profiles_new(NULL, &counters);

	(void)state;
	feed(p, 199, 0, 5);
	assert_int_equal(profiles_learned(p, 1).flags, FEED_FLAGS_OK);
	feed(p, 1, 0, 1);
	assert_int_equal(profiles_learned(p, 1).flags, FEED_FLAGS_NONE);
	assert_true(profiles_get(p, 1).no_flags);
	assert_false(profiles_get(p, 2).no_flags);
	/* a router whose flags were switched on */
	feed(p, 1, 0x1b, 5);
	assert_int_equal(profiles_learned(p, 1).flags, FEED_FLAGS_OK);
	profiles_free(p);
}

static void
constant_flags_are_none_only_where_no_packet_can_have_them(void **state)
{
	struct profiles *p = profiles_new(NULL, &counters);

	(void)state;
	feed(p, 1000, 0x02, 1); /* a flood of SYNs, and nothing else */
	assert_int_equal(profiles_learned(p, 1).flags, FEED_FLAGS_OK);
	profiles_free(p);
	p = profiles_new(NULL, &counters);
	feed(p, 450, 0x1b, 5);
	feed(p, 49, 0x1b, 1);
	assert_int_equal(profiles_learned(p, 1).flags, FEED_FLAGS_OK);
	feed(p, 1, 0x1b, 1);
	assert_int_equal(profiles_learned(p, 1).flags, FEED_FLAGS_CONSTANT);
	profiles_free(p);
}

static void
flags_without_any_syn_are_no_flags_after_2000_records(void **state)
{
	struct profiles *p = profiles_new(NULL, &counters);

	(void)state;
	feed(p, 1000, 0x18, 5);
	feed(p, 999, 0x19, 5);
	assert_int_equal(profiles_learned(p, 1).flags, FEED_FLAGS_OK);
	feed(p, 1, 0x19, 5);
	assert_int_equal(profiles_learned(p, 1).flags, FEED_FLAGS_NO_SYN);
	feed(p, 1, 0x02, 1);
	assert_int_equal(profiles_learned(p, 1).flags, FEED_FLAGS_OK);
	profiles_free(p);
}

/* One biflow of one packet each way, as the decoder splits it. */
static void
feed_biflow(struct profiles *p, uint8_t flags, uint16_t reverse_has)
{
	struct flow_record f = { .protocol = 6,
		.exporter = 1,
		.has = FLOW_HAS_TCP_FLAGS | FLOW_HAS_PACKETS,
		.tcp_flags = flags,
		.packets = 1 };

	profiles_take(p, &f);
	f.has = FLOW_IS_REVERSE | FLOW_HAS_PACKETS | reverse_has;
	f.tcp_flags = 0;
	profiles_take(p, &f);
}

static void
flags_of_both_directions_in_one_half_are_merged(void **state)
{
	struct profiles *p = profiles_new(NULL, &counters);

	(void)state;
	feed_biflow(p, 0x16, 0);
	feed_biflow(p, 0x12, 0); /* says neither */
	feed_biflow(p, 0x16, 0);
	assert_int_equal(profiles_learned(p, 1).flags, FEED_FLAGS_OK);
	feed_biflow(p, 0x17, 0);
	assert_int_equal(profiles_learned(p, 1).flags, FEED_FLAGS_MERGED);
	assert_true(profiles_get(p, 1).merged_flags);
	assert_false(profiles_get(p, 1).no_flags);
	/* an answer without ACK: the flags were the forward half's alone */
	feed_biflow(p, 0x02, 0);
	assert_int_equal(profiles_learned(p, 1).flags, FEED_FLAGS_OK);
	profiles_free(p);
}

static void
biflows_with_flags_each_way_are_not_merged(void **state)
{
	struct profiles *p = profiles_new(NULL, &counters);

	(void)state;
	for (int i = 0; i < 50; i++) {
		feed_biflow(p, 0x16, FLOW_HAS_TCP_FLAGS);
		feed(p, 1, 0x16, 1); /* and no biflow at all */
	}
	assert_int_equal(profiles_learned(p, 1).flags, FEED_FLAGS_OK);
	profiles_free(p);
}

static void
visibility_follows_the_share_of_halves_that_found_their_answer(void **state)
{
	struct profiles *p = profiles_new(NULL, &counters);
	struct half here = half_of(0x1b, 5, 0);
	struct half none = { .present = false };

	(void)state;
	for (int i = 0; i < 3; i++)
		profiles_take_half(p, &here, &none, true, &inside, 0);
	assert_int_equal(profiles_learned(p, 1).visibility,
	    FEED_VISIBILITY_UNKNOWN);
	for (int i = 3; i < 99; i++)
		profiles_take_half(p, &here, &none, true, &inside, 0);
	/* none of so many: not sure, but no silence either */
	assert_int_equal(profiles_learned(p, 1).visibility,
	    FEED_VISIBILITY_PARTLY);
	profiles_take_half(p, &here, &none, true, &inside, 0);
	assert_true(profiles_get(p, 1).one_sided);
	for (int i = 0; i < 400; i++)
		profiles_take_half(p, &here, &here, true, &inside, 0);
	assert_int_equal(profiles_learned(p, 1).visibility,
	    FEED_VISIBILITY_PARTLY);
	assert_true(profiles_get(p, 1).partly);
	assert_false(profiles_get(p, 1).one_sided);
	for (int i = 0; i < 2000; i++)
		profiles_take_half(p, &here, &here, true, &inside, 0);
	assert_int_equal(profiles_learned(p, 1).visibility,
	    FEED_VISIBILITY_BOTH);
	profiles_free(p);
}

static void
answers_are_missing_by_chance_until_the_first_is_seen(void **state)
{
	struct profiles *p = profiles_new(NULL, &counters);

	(void)state;
	feed(p, 1, 0x02, 1);
	assert_true(profiles_missing(p, 1, &inside, 0).partly);
	assert_false(profiles_take_first_answers(p));
	profiles_take_answer(p, 1, false);
	assert_true(profiles_take_first_answers(p));
	assert_false(profiles_take_first_answers(p));
	assert_false(profiles_missing(p, 1, &inside, 0).partly);
	assert_true(profiles_missing(p, 1, &inside, 0).unsure);
	/* what is answered inside tells nothing of the outside, and back */
	assert_true(profiles_missing(p, 1, NULL, 0).partly);
	profiles_take_answer(p, 1, true);
	assert_false(profiles_missing(p, 1, NULL, 0).partly);
	/* of whom nothing is kept, nothing will ever be known */
	profiles_take_answer(p, PROFILES_MAX, false);
	assert_true(profiles_missing(p, PROFILES_MAX, &inside, 0).partly);
	profiles_free(p);
}

static void
halves_between_inner_ends_say_nothing_of_visibility(void **state)
{
	struct profiles *p = profiles_new(NULL, &counters);
	struct half here = half_of(0x1b, 5, 0);

	(void)state;
	for (int i = 0; i < 100; i++)
		profiles_take_half(p, &here, &here, true, NULL, 0);
	assert_int_equal(profiles_learned(p, 1).visibility_halves, 0);
	assert_true(profiles_get(p, 1).shared_times);
	profiles_free(p);
}

static void
probes_and_short_halves_say_nothing_of_visibility(void **state)
{
	struct profiles *p = profiles_new(NULL, &counters);
	struct half syn = half_of(0x02, 3, 0);
	struct half two = half_of(0x1b, 2, 0);
	struct half none = { .present = false };

	(void)state;
	for (int i = 0; i < 500; i++) {
		profiles_take_half(p, &syn, &none, true, &inside, 0);
		profiles_take_half(p, &two, &none, true, &inside, 0);
	}
	assert_int_equal(profiles_learned(p, 1).visibility_halves, 0);
	profiles_free(p);
}

static void
feed_that_stopped_seeing_answers_is_noticed(void **state)
{
	struct profiles *p = profiles_new(NULL, &counters);
	struct half here = half_of(0x1b, 5, 0);
	struct half none = { .present = false };

	(void)state;
	for (int i = 0; i < 100000; i++)
		profiles_take_half(p, &here, &here, true, &inside, 0);
	for (int i = 0; i < 6000; i++)
		profiles_take_half(p, &here, &none, true, &inside, 0);
	assert_true(profiles_get(p, 1).one_sided);
	profiles_free(p);
}

static void
equal_times_of_both_halves_make_a_meter_with_shared_times(void **state)
{
	struct profiles *p = profiles_new(NULL, &counters);
	struct half a = half_of(0x1b, 5, 1000);
	struct half b = half_of(0x1b, 5, 1001);

	(void)state;
	for (int i = 0; i < 20; i++)
		profiles_take_half(p, &a, &a, true, &inside, 0);
	assert_true(profiles_get(p, 1).shared_times);
	for (int i = 0; i < 20; i++)
		profiles_take_half(p, &a, &b, true, &inside, 0);
	assert_false(profiles_get(p, 1).shared_times);
	profiles_free(p);
}

static void
configured_profile_is_never_overruled(void **state)
{
	struct profiles *p = profiles_new(NULL, &counters);
	struct feed_profile given = { .sampled = true };

	(void)state;
	profiles_force(p, 1, &given);
	profiles_force(p, PROFILES_MAX, &given); /* ignored */
	feed(p, 1000, 0, 5);
	assert_true(profiles_get(p, 1).sampled);
	assert_false(profiles_get(p, 1).no_flags);
	profiles_free(p);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(flags_that_are_always_zero_are_no_flags_after_200_records),
		TEST(
		    constant_flags_are_none_only_where_no_packet_can_have_them),
		TEST(flags_without_any_syn_are_no_flags_after_2000_records),
		TEST(flags_of_both_directions_in_one_half_are_merged),
		TEST(biflows_with_flags_each_way_are_not_merged),
		TEST(
		    visibility_follows_the_share_of_halves_that_found_their_answer),
		TEST(answers_are_missing_by_chance_until_the_first_is_seen),
		TEST(halves_between_inner_ends_say_nothing_of_visibility),
		TEST(probes_and_short_halves_say_nothing_of_visibility),
		TEST(feed_that_stopped_seeing_answers_is_noticed),
		TEST(equal_times_of_both_halves_make_a_meter_with_shared_times),
		TEST(configured_profile_is_never_overruled),
	};

	return RUN_TESTS(tests);
}
