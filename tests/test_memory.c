/* SPDX-License-Identifier: Apache-2.0 */
/* memory_limit, shared out among the tables. */
#include "tests/test.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/memory.h"

#define MIB (1ULL << 20)

static struct config
config_of(const char *text)
{
	char message[CONFIG_MESSAGE_MAX];
	struct config c;

	config_init(&c);
	if (config_read_text(&c, text, strlen(text), "test", message) != ERR_OK)
		fail_msg("%s", message);
	return c;
}

/* config_complete() that must work. */
static struct config
complete(const char *text)
{
	char message[CONFIG_MESSAGE_MAX];
	struct config c = config_of(text);

	if (config_complete(&c, message) != ERR_OK)
		fail_msg("%s", message);
	return c;
}

static void
a_limit_is_used_to_the_last_entry(void **state)
{
	static const unsigned limits[] = { 150, 256, 512, 1024, 8192, 65536 };

	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		char text[128];
		struct config c;

		snprintf(text, sizeof(text),
		    "internal = {\"10.0.0.0/8\"}\nmemory_limit = %uM\n",
		    limits[i]);
		c = complete(text);
		assert_in_range(memory_octets(&c), limits[i] * MIB * 97 / 100,
		    limits[i] * MIB);
	}
}

static void
tables_keep_their_proportions(void **state)
{
	struct config c =
	    complete("internal = {\"10.0.0.0/8\"}\nmemory_limit = 1G\n");
	uint32_t one = c.engine.max_hosts;

	(void)state;
	assert_true(one > engine_config_default().max_hosts);
	assert_int_equal(c.engine.max_pairs, 8 * one);
	assert_int_equal(c.engine.max_sources, 4 * one);
	assert_int_equal(c.engine.max_events, 2 * one);
	assert_int_equal(c.engine.max_exposures, one);
}

static void
a_table_that_was_given_a_size_keeps_it(void **state)
{
	struct config all =
	    complete("internal = {\"10.0.0.0/8\"}\nmemory_limit = 512M\n");
	struct config c = complete("internal = {\"10.0.0.0/8\"}\n"
				   "max_pairs = 100000\nmemory_limit = 512M\n");

	(void)state;
	assert_int_equal(c.engine.max_pairs, 100000);
	assert_true(c.engine.max_hosts > all.engine.max_hosts);
	assert_in_range(memory_octets(&c), 497 * MIB, 512 * MIB);
}

static void
without_a_limit_the_defaults_stay(void **state)
{
	struct config c = complete("internal = {\"10.0.0.0/8\"}\n");
	struct engine_config d = engine_config_default();

	(void)state;
	assert_int_equal(c.engine.max_pairs, d.max_pairs);
	assert_int_equal(c.engine.max_sources, d.max_sources);
	assert_int_equal(c.engine.max_events, d.max_events);
	assert_int_equal(c.engine.max_hosts, d.max_hosts);
	assert_int_equal(c.engine.max_exposures, d.max_exposures);
}

static void
a_limit_too_small_says_what_it_must_be(void **state)
{
	char message[CONFIG_MESSAGE_MAX];
	struct config c = config_of("internal = {\"10.0.0.0/8\"}\n"
				    "max_pairs = 10000000\n"
				    "memory_limit = 512M\n");
	uint64_t least;
	char *at;

	(void)state;
	assert_int_equal(config_complete(&c, message), ERR_FORMAT);
	at = strstr(message, "it must be ");
	assert_non_null(at);
	assert_true(strtoull(at + 11, NULL, 10) > 512);
	c.memory_limit = strtoull(at + 11, NULL, 10) * MIB;
	assert_int_equal(memory_share(&c, &least), ERR_OK);
	c.memory_limit -= 2 * MIB;
	assert_int_equal(memory_share(&c, &least), ERR_RANGE);
	assert_in_range(least, c.memory_limit, c.memory_limit + 2 * MIB);
}

/* A keyword's table of so many octets. */
static uint32_t
entries_of(const char *name, const char *value)
{
	char message[CONFIG_MESSAGE_MAX];
	const struct config_keyword *k = config_find(name);
	uint32_t entries;
	struct config c;

	config_init(&c);
	assert_non_null(k);
	if (config_set(&c, k, value, message) != ERR_OK)
		fail_msg("%s %s: %s", name, value, message);
	memcpy(&entries, (const char *)&c + k->offset, sizeof(entries));
	return entries;
}

/* What the tables of a maximum take, by the list of all. */
static uint64_t
octets_of(const char *name, uint32_t entries)
{
	const struct config_keyword *k = config_find(name);
	size_t at = k->offset - offsetof(struct config, engine);
	struct engine_config c = engine_config_default();
	struct engine_table tables[ENGINE_TABLES_MAX];
	uint64_t sum = 0;
	uint32_t count;

	memcpy((char *)&c + at, &entries, sizeof(entries));
	count = engine_tables(&c, tables);
	for (uint32_t i = 0; i < count; i++)
		if (tables[i].max_at == at)
			sum += tables[i].octets;
	return sum;
}

static void
a_table_given_in_octets_has_as_many_entries_as_fit(void **state)
{
	static const char *const names[] = { "max_pairs", "max_sources",
		"max_hosts", "max_exposures", "max_events" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint32_t entries = entries_of(names[i], "64M");

		assert_true(octets_of(names[i], entries) <= 64 * MIB);
		assert_true(octets_of(names[i], entries + 1) > 64 * MIB);
		assert_int_equal(entries_of(names[i], "65536"), 65536);
		assert_true(entries_of(names[i], "1G") > entries);
		assert_int_equal(entries_of(names[i], "65536K"), entries);
	}
}

static void
a_table_too_small_in_octets_is_refused_with_the_least(void **state)
{
	static const char *const wrong[] = { "1K", "K", "64MB", "64m", "-1M",
		"1.5M", "", "M64", "99999999999G" };
	char message[CONFIG_MESSAGE_MAX];
	char least[32] = "";
	struct config c;

	(void)state;
	config_init(&c);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (config_set(&c, config_find("max_events"), wrong[i],
			message) == ERR_OK)
			fail_msg("taken: %s", wrong[i]);
	assert_int_equal(config_set(&c, config_find("max_events"), "1K",
			     message),
	    ERR_RANGE);
	assert_int_equal(sscanf(message, "must be at least %31[0-9K]", least),
	    1);
	assert_ok(config_set(&c, config_find("max_events"), least, message));
	/* K are rounded up: a few more may fit */
	assert_in_range(c.engine.max_events, config_find("max_events")->least,
	    config_find("max_events")->least + 16);
}

/* Nothing is left out, nor counted twice. */
static void
the_parts_are_the_whole(void **state)
{
	struct config c = complete("internal = {\"10.0.0.0/8\"}\n"
				   "max_pairs = 16M\n");
	struct memory_part parts[MEMORY_PARTS_MAX];
	uint32_t count = memory_parts(&c, parts);
	uint64_t sum = 0;

	(void)state;
	for (uint32_t i = 0; i < count; i++) {
		assert_true(parts[i].octets > 0);
		assert_true(parts[i].octets < 1024 * MIB);
		sum += parts[i].octets;
	}
	assert_int_equal(sum, memory_octets(&c));
	assert_string_equal(parts[0].name, "pairs");
	assert_int_equal(parts[0].entries, c.engine.max_pairs);
	assert_in_range(parts[0].octets, 16 * MIB * 99 / 100, 16 * MIB);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_limit_is_used_to_the_last_entry),
		TEST(tables_keep_their_proportions),
		TEST(a_table_that_was_given_a_size_keeps_it),
		TEST(without_a_limit_the_defaults_stay),
		TEST(a_limit_too_small_says_what_it_must_be),
		TEST(a_table_given_in_octets_has_as_many_entries_as_fit),
		TEST(a_table_too_small_in_octets_is_refused_with_the_least),
		TEST(the_parts_are_the_whole),
	};

	return RUN_TESTS(tests);
}
