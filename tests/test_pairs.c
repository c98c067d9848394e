/* SPDX-License-Identifier: Apache-2.0 */
/* The pair table: generations, timers, and who goes first. */
#include <string.h>

#include "exposure/pairs.h"
#include "tests/test.h"

static const struct hash_key zero_key;

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
	struct pair *pair = pairs_add(p, key);

	assert_non_null(pair);
	pair->outer.present = true;
	pair->outer.first_ms = first_ms;
	pair->outer.last_ms = last_ms;
	pair->outer.flags = flags;
	pair->outer.evidence = EV_SYN;
	return pair;
}

static struct pair *
find(struct pairs *p, struct pair_key *key, bool bears_syn, int64_t at_ms)
{
	enum side prior;
	struct pair *reuse;

	return pairs_find(p, key, bears_syn, at_ms, at_ms, &prior, &reuse);
}

static void
syn_after_the_gap_begins_a_generation_and_its_answer_finds_it(void **state)
{
	struct pairs *p = pairs_new(16, &zero_key);
	struct pair_key key = key_of(40000);
	enum side prior;
	struct pair *reuse;
	struct pair *first;
	struct pair *second;

	(void)state;
	assert_non_null(p);
	first = add(p, &key, 1000, 1000, TCP_SYN);
	assert_ptr_equal(find(p, &key, true, 131000), first);
	assert_null(pairs_find(p, &key, true, 131001, 131001, &prior, &reuse));
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
	struct pairs *p = pairs_new(16, &zero_key);
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
	struct pairs *p = pairs_new(16, &zero_key);
	struct pair_key key = key_of(40000);
	struct pair *first = add(p, &key, 1000, 1000, TCP_SYN);
	struct pair *second;

	(void)state;
	key.generation = 1;
	second = add(p, &key, 500000, 500000, TCP_SYN);
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
	struct pairs *p = pairs_new(16, &zero_key);
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
	assert_null(
	    pairs_find(p, &key, true, 9000000, 9000000, &prior, &reuse));
	assert_ptr_equal(reuse, first);
	pairs_free(p);
}

static void
timers_come_due_in_order_however_far_time_jumps(void **state)
{
	struct pairs *p = pairs_new(16, &zero_key);
	int64_t epoch_ms = INT64_C(1700000000000);
	/* the last two are further off than the wheel has slots */
	static const int64_t waits_s[] = { 120, 5, 120, 1845, 200000, 300000 };
	static const uint16_t order[] = { 1, 0, 2, 3, 4, 5 };

	(void)state;
	assert_null(pairs_due(p, epoch_ms));
	for (uint16_t i = 0; i < 6; i++) {
		struct pair_key key = key_of(i);
		struct pair *pair = add(p, &key, 0, 0, TCP_SYN);

		pairs_set_deadline(p, pair, epoch_ms + waits_s[i] * 1000);
	}
	assert_null(pairs_due(p, epoch_ms + 4000));
	for (int i = 0; i < 6; i++) {
		int64_t at_ms = epoch_ms + waits_s[order[i]] * 1000;
		struct pair *pair = pairs_due(p, at_ms);

		assert_non_null(pair);
		assert_int_equal(pairs_key(p, pair)->outer_port, order[i]);
	}
	assert_null(pairs_due(p, epoch_ms + 1000000000));
	pairs_free(p);
}

static void
tombstones_go_before_silence_and_answers_last(void **state)
{
	struct pairs *p = pairs_new(16, &zero_key);
	static const enum pair_class classes[] = { PAIR_ANSWERED,
		PAIR_UNANSWERED, PAIR_SILENT, PAIR_TOMBSTONE };

	(void)state;
	for (uint16_t i = 0; i < 4; i++) {
		struct pair_key key = key_of(i);

		pairs_set_class(p, add(p, &key, 0, 0, TCP_SYN), classes[i]);
	}
	for (uint16_t i = 4; i > 0; i--) {
		struct pair *pair = pairs_victim(p);

		assert_int_equal(pairs_key(p, pair)->outer_port, i - 1);
		pairs_remove(p, pair);
	}
	assert_null(pairs_victim(p));
	assert_int_equal(pairs_count(p), 0);
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
		TEST(tombstones_go_before_silence_and_answers_last),
	};

	return RUN_TESTS(tests);
}
