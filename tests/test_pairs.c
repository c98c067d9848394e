/* SPDX-License-Identifier: Apache-2.0 */
/* The pair table: generations, timers, and who goes first. */
#include <string.h>

#include "exposure/floods.h"
#include "exposure/pairs.h"
#include "tests/test.h"

#define WAIT_MS	  120000
#define REVOKE_MS 1845000

static struct pairs *
new_pairs(uint32_t max)
{
	struct pairs *p = pairs_new(&(struct pairs_config){ .max = max,
	    .wait_ms = WAIT_MS,
	    .revoke_ms = REVOKE_MS });

	assert_non_null(p);
	return p;
}

static struct pair_key
key_of(uint16_t port)
{
	struct pair_key key;

	memset(&key, 0, sizeof(key));
	assert_ok(addr_parse("203.0.113.10", &key.outer));
	assert_ok(addr_parse("10.0.0.5", &key.inner));
	key.outer_port = port;
	key.inner_port = 80;
	key.proto = 6;
	return key;
}

/* A pair whose outer half spans these times, with these flags. */
static struct pair *
add(struct pairs *p, struct pair_key *key, int64_t first_ms, int64_t last_ms,
    uint8_t flags)
{
	struct pair *pair = pairs_add(p, key, pairs_hash(p, key), first_ms);

	assert_non_null(pair);
	pair->outer.present = true;
	half_set_first_ms(&pair->outer, first_ms);
	pair_set_last_ms(pair, last_ms);
	pair->outer.flags = flags & 63U;
	pair->outer.evidence = EV_SYN;
	return pair;
}

static struct pair *
find_at(struct pairs *p, struct pair_key *key, bool bears_syn, int64_t at_ms,
    enum side *prior, struct pair **reuse)
{
	return pairs_find(p, key, pairs_hash(p, key), bears_syn, at_ms, at_ms,
	    prior, reuse);
}

static struct pair *
find(struct pairs *p, struct pair_key *key, bool bears_syn, int64_t at_ms)
{
	enum side prior;
	struct pair *reuse;

	return find_at(p, key, bears_syn, at_ms, &prior, &reuse);
}

static void
syn_after_the_gap_begins_a_generation_and_its_answer_finds_it(void **state)
{
	struct pairs *p = new_pairs(16);
	struct pair_key key = key_of(40000);
	enum side prior;
	struct pair *reuse;
	struct pair *first;
	struct pair *second;

	(void)state;
	first = add(p, &key, 1000, 1000, TCP_SYN);
	assert_ptr_equal(find(p, &key, true, 131000), first);
	assert_null(find_at(p, &key, true, 131001, &prior, &reuse));
	assert_null(reuse);
	assert_int_equal(key.generation, 1);
	assert_int_equal(prior, SIDE_OUTER);
	second = add(p, &key, 131001, 131001, TCP_SYN);
	/* what bears no SYN goes to the nearest in time */
	assert_ptr_equal(find(p, &key, false, 131002), second);
	assert_ptr_equal(find(p, &key, false, 900), first);
	assert_ptr_equal(find(p, &key, true, 1000), first);
	pairs_free(p);
}

static void
reset_shortens_the_gap_to_a_second(void **state)
{
	struct pairs *p = new_pairs(16);
	struct pair_key key = key_of(40000);
	struct pair *pair;

	(void)state;
	pair = add(p, &key, 1000, 1000, TCP_SYN | TCP_RST);
	assert_ptr_equal(find(p, &key, true, 2000), pair);
	assert_null(find(p, &key, true, 2001));
	pairs_free(p);
}

static void
first_generation_never_goes_before_the_others(void **state)
{
	struct pairs *p = new_pairs(16);
	struct pair_key key = key_of(40000);
	struct pair *first = add(p, &key, 1000, 1000, TCP_SYN);
	struct pair *second;

	(void)state;
	key.generation = 1;
	second = add(p, &key, 500000, 500000, TCP_SYN);
	pairs_await(p, first, PAIR_UNANSWERED, 1000);
	pairs_await(p, second, PAIR_UNANSWERED, 500000);
	assert_ptr_equal(pairs_victim(p), second);
	assert_ptr_equal(pairs_other_generation(p, first), second);
	pairs_remove(p, second);
	assert_null(pairs_other_generation(p, first));
	assert_ptr_equal(pairs_victim(p), first);
	pairs_free(p);
}

static void
oldest_generation_is_offered_when_all_are_taken(void **state)
{
	struct pairs *p = new_pairs(16);
	struct pair_key key = key_of(40000);
	struct pair *first = NULL;
	enum side prior;
	struct pair *reuse;

	(void)state;
	for (uint8_t g = 0; g < PAIR_GENERATIONS; g++) {
		struct pair *pair;

		key.generation = g;
		pair = add(p, &key, g * 1000000, g * 1000000, TCP_SYN);
		if (g == 0)
			first = pair;
	}
	assert_null(find_at(p, &key, true, 9000000, &prior, &reuse));
	assert_ptr_equal(reuse, first);
	pairs_free(p);
}

static void
timers_come_due_in_order_however_far_time_jumps(void **state)
{
	struct pairs *p = new_pairs(16);
	int64_t epoch_ms = INT64_C(1700000000000);
	static const int64_t waits_s[] = { 120, 5, 120, 1845, 4000, 8000 };
	static const uint16_t order[] = { 1, 0, 2, 3, 4, 5 };

	(void)state;
	assert_null(pairs_due(p, epoch_ms));
	for (uint16_t i = 0; i < 6; i++) {
		struct pair_key key = key_of(i);
		struct pair *pair = add(p, &key, 0, 0, TCP_SYN);

		pairs_await(p, pair, PAIR_UNANSWERED,
		    epoch_ms + waits_s[i] * 1000);
	}
	assert_null(pairs_due(p, epoch_ms + 4000));
	for (int i = 0; i < 6; i++) {
		/* the last two are looked for long after they were due */
		int64_t at_ms = epoch_ms + waits_s[order[i]] * 1000 +
				(i < 4 ? 0 : 1000000000);
		struct pair *pair = pairs_due(p, at_ms);

		assert_non_null(pair);
		assert_int_equal(pairs_key(p, pair).outer_port, order[i]);
	}
	assert_null(pairs_due(p, epoch_ms + 2000000000));
	pairs_free(p);
}

static void
tombstone_lives_on_from_its_last_record(void **state)
{
	struct pairs *p = new_pairs(16);
	struct pair_key key = key_of(1);
	struct pair *pair = add(p, &key, 0, 0, TCP_SYN);

	(void)state;
	assert_null(pairs_due(p, 0));
	pairs_set_tombstone(p, pair, 0);
	pairs_set_tombstone(p, pair, 100000);
	assert_null(pairs_due(p, WAIT_MS));
	assert_null(pairs_due(p, 100000 + WAIT_MS - 1000));
	assert_ptr_equal(pairs_due(p, 100000 + WAIT_MS), pair);
	pairs_free(p);
}

static void
silence_may_be_revoked_until_its_time_from_birth_is_over(void **state)
{
	struct pairs *p = new_pairs(16);
	struct pair_key key = key_of(1);
	struct pair *pair = add(p, &key, 50000, 50000, TCP_SYN);

	(void)state;
	assert_null(pairs_due(p, 50000));
	pairs_set_silent(p, pair);
	assert_true(pairs_is_revocable(p, pair, 50000 + REVOKE_MS - 1000));
	assert_false(pairs_is_revocable(p, pair, 50000 + REVOKE_MS));
	assert_null(pairs_due(p, 50000 + REVOKE_MS - 1000));
	assert_ptr_equal(pairs_due(p, 50000 + REVOKE_MS), pair);
	pairs_free(p);
}

static void
timer_further_off_than_the_wheel_reaches_is_asked_again(void **state)
{
	struct pairs *p = pairs_new(&(struct pairs_config){ .max = 4,
	    .wait_ms = 1000,
	    .revoke_ms = 86400000 });
	struct pair_key key = key_of(1);
	struct pair *pair = add(p, &key, 0, 0, TCP_SYN);

	(void)state;
	assert_null(pairs_due(p, 0));
	pairs_set_silent(p, pair);
	for (int64_t ms = 0; ms < 86400000; ms += 3600000)
		assert_null(pairs_due(p, ms));
	assert_ptr_equal(pairs_due(p, 86400000), pair);
	pairs_free(p);
}

static void
tombstones_go_before_silence_and_answers_last(void **state)
{
	struct pairs *p = new_pairs(16);
	struct pair *pairs[5];

	(void)state;
	for (uint16_t i = 0; i < 5; i++) {
		struct pair_key key = key_of(i);

		pairs[i] = add(p, &key, 0, 0, TCP_SYN);
	}
	pairs_await(p, pairs[0], PAIR_ANSWERED, 1000);
	pairs_await(p, pairs[1], PAIR_UNANSWERED, 1000);
	pairs_set_silent(p, pairs[2]);
	pairs_set_tombstone(p, pairs[4], 1000);
	pairs_set_tombstone(p, pairs[3], 2000);
	/* a record came for it: it is the younger one now */
	pairs_set_tombstone(p, pairs[4], 3000);
	for (uint16_t i = 3; i < 5; i++) {
		assert_ptr_equal(pairs_victim(p), pairs[i]);
		pairs_remove(p, pairs[i]);
	}
	for (uint16_t i = 3; i > 0; i--) {
		struct pair *pair = pairs_victim(p);

		assert_ptr_equal(pair, pairs[i - 1]);
		pairs_remove(p, pair);
	}
	assert_null(pairs_victim(p));
	assert_int_equal(pairs_count(p), 0);
	pairs_free(p);
}

/* The ends as given, of both families, while others come and go. */
static void
keys_are_given_back_as_they_were(void **state)
{
	struct pairs *p = new_pairs(64);
	struct pair_key four = key_of(40000);
	struct pair_key six = key_of(40000);
	struct pair *a;
	struct pair *b;
	struct pair_key got;

	(void)state;
	assert_ok(addr_parse("2001:db8::10", &six.outer));
	assert_ok(addr_parse("2001:db8:a::5", &six.inner));
	six.scope = SCOPE_INTERNAL;
	for (int i = 0; i < 1000; i++) {
		a = add(p, &four, 1000, 1000, TCP_SYN);
		b = add(p, &six, 1000, 1000, TCP_SYN);
		got = pairs_key(p, a);
		assert_memory_equal(&got, &four, sizeof(got));
		got = pairs_key(p, b);
		assert_memory_equal(&got, &six, sizeof(got));
		assert_ptr_equal(find(p, &four, false, 1000), a);
		assert_ptr_equal(find(p, &six, false, 1000), b);
		pairs_remove(p, a);
		assert_null(find(p, &four, false, 1000));
		assert_ptr_equal(find(p, &six, false, 1000), b);
		pairs_remove(p, b);
	}
	pairs_free(p);
}

static void
entry_takes_at_most_96_octets_and_of_ipv6_144(void **state)
{
	(void)state;
	assert_true(pairs_entry_bytes(524288, false) <= 96);
	assert_true(pairs_entry_bytes(524288, true) <= 144);
}

static void
what_waits_at_an_endpoint_is_counted_in_and_out(void **state)
{
	struct pairs *p = new_pairs(FLOOD_MAX + 1);
	struct pair_key key, other = key_of(1);
	struct pair *last[4];

	(void)state;
	other.inner_port = 81;
	for (uint32_t i = 0; i < FLOOD_MAX; i++) {
		struct pair *pair;

		key = key_of((uint16_t)(1 + i));
		assert_false(pairs_is_flooded(p, &key));
		pair = add(p, &key, 0, 0, TCP_SYN);
		pairs_await(p, pair, PAIR_UNANSWERED,
		    i == 0 ? WAIT_MS / 2 : WAIT_MS);
		last[i % 4] = pair;
	}
	assert_true(pairs_is_flooded(p, &key));
	assert_false(pairs_is_flooded(p, &other));
	/* answered, and back; silent; gone; due */
	pairs_await(p, last[0], PAIR_ANSWERED, WAIT_MS);
	assert_false(pairs_is_flooded(p, &key));
	pairs_await(p, last[0], PAIR_UNANSWERED, WAIT_MS);
	assert_true(pairs_is_flooded(p, &key));
	pairs_set_silent(p, last[1]);
	assert_false(pairs_is_flooded(p, &key));
	pairs_await(p, last[1], PAIR_UNANSWERED, WAIT_MS);
	assert_true(pairs_is_flooded(p, &key));
	pairs_remove(p, last[2]);
	assert_false(pairs_is_flooded(p, &key));
	key = key_of(FLOOD_MAX + 1);
	pairs_await(p, add(p, &key, 0, 0, TCP_SYN), PAIR_UNANSWERED, WAIT_MS);
	assert_true(pairs_is_flooded(p, &key));
	assert_non_null(pairs_due(p, WAIT_MS / 2));
	assert_false(pairs_is_flooded(p, &key));
	pairs_free(p);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(
		    syn_after_the_gap_begins_a_generation_and_its_answer_finds_it),
		TEST(reset_shortens_the_gap_to_a_second),
		TEST(first_generation_never_goes_before_the_others),
		TEST(oldest_generation_is_offered_when_all_are_taken),
		TEST(timers_come_due_in_order_however_far_time_jumps),
		TEST(tombstone_lives_on_from_its_last_record),
		TEST(silence_may_be_revoked_until_its_time_from_birth_is_over),
		TEST(timer_further_off_than_the_wheel_reaches_is_asked_again),
		TEST(tombstones_go_before_silence_and_answers_last),
		TEST(keys_are_given_back_as_they_were),
		TEST(entry_takes_at_most_96_octets_and_of_ipv6_144),
		TEST(what_waits_at_an_endpoint_is_counted_in_and_out),
	};

	return RUN_TESTS(tests);
}
