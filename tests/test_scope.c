/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses are inside, against the prefix set they come from. */
#include <string.h>

#include "exposure/scope.h"
#include "tests/test.h"

static void
add(struct prefix_set *set, const char *text)
{
	struct network n;

	assert_ok(network_parse(text, &n));
	assert_ok(prefix_set_add(set, &n));
}

/* The ends of every prefix and their neighbours, and the ends of all. */
static void
assert_agrees(const struct prefix_set *set, const struct scope *s,
    struct addr a)
{
	for (int step = -1; step <= 1; step++) {
		struct addr b = a;

		/* one up or down, with the carry */
		for (int i = 15; i >= 0 && step != 0; i--) {
			b.octets[i] = (uint8_t)(b.octets[i] + step);
			if (b.octets[i] != (step > 0 ? 0 : 0xff))
				break;
		}
		assert_int_equal(scope_has(s, &b),
		    prefix_set_find(set, &b) != NULL);
	}
}

static void
scope_agrees_with_the_prefix_set(void **state)
{
	static const char *const sets[][6] = {
		{ "10.0.0.0/8" },
		{ "10.1.0.0/16", "10.0.0.0/8", "10.2.3.4", "192.0.2.0/25",
		    "192.0.2.128/25", "0.0.0.0/32" },
		{ "2001:db8::/32", "2001:db8:a::/48", "10.0.0.0/8", "::/16",
		    "ff00::/8" },
		{ "::/0" },
		{ "0.0.0.0/0" },
		{ "255.255.255.255/32", "fe80::1", "fe80::2" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		static struct prefix_set set;
		static struct scope s;
		struct addr all[2];

		memset(&set, 0, sizeof(set));
		for (int p = 0; p < 6 && sets[i][p] != NULL; p++)
			add(&set, sets[i][p]);
		scope_init(&s, &set);
		memset(&all[0], 0, sizeof(all[0]));
		memset(&all[1], 0xff, sizeof(all[1]));
		assert_agrees(&set, &s, all[0]);
		assert_agrees(&set, &s, all[1]);
		for (uint32_t p = 0; p < set.count; p++) {
			assert_agrees(&set, &s, set.networks[p].prefix.low);
			assert_agrees(&set, &s, set.networks[p].prefix.high);
		}
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(scope_agrees_with_the_prefix_set),
	};

	return RUN_TESTS(tests);
}
