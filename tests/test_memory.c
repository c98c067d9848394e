/* SPDX-License-Identifier: Apache-2.0 */
/* memory_limit, shared out among the tables. */
#include "tests/test.h"

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

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_limit_is_used_to_the_last_entry),
		TEST(tables_keep_their_proportions),
		TEST(a_table_that_was_given_a_size_keeps_it),
		TEST(without_a_limit_the_defaults_stay),
		TEST(a_limit_too_small_says_what_it_must_be),
	};

	return RUN_TESTS(tests);
}
