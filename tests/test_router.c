/* SPDX-License-Identifier: Apache-2.0 */
/* Paths to routes; the service's own table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/service.h"
#include "tests/test.h"

static void
handle_nothing(struct call *call)
{
	(void)call;
}

static const struct route table[] = {
	{ METHOD_GET, "/", NULL, 0, ROUTE_PLAIN, handle_nothing },
	{ METHOD_GET, "/a", NULL, 0, ROUTE_PLAIN, handle_nothing },
	{ METHOD_GET, "/a/{x}", NULL, 0, ROUTE_PLAIN, handle_nothing },
	{ METHOD_PUT, "/a/{x}", NULL, 0, ROUTE_PLAIN, handle_nothing },
	{ METHOD_GET, "/a/{x}/b/{y}", NULL, 0, ROUTE_PLAIN, handle_nothing },
	{ METHOD_POST, "/p", NULL, 0, ROUTE_PLAIN, handle_nothing },
};

static struct router_match match;

static enum router_result
find(enum method method, const char *path)
{
	return router_find(table, sizeof(table) / sizeof(table[0]), method,
	    path, &match);
}

static void
router_finds_each_route_by_its_path(void **state)
{
	(void)state;
	assert_int_equal(find(METHOD_GET, "/"), ROUTER_FOUND);
	assert_ptr_equal(match.route, &table[0]);
	assert_int_equal(find(METHOD_GET, "/a"), ROUTER_FOUND);
	assert_ptr_equal(match.route, &table[1]);
	assert_int_equal(find(METHOD_GET, "/a/b"), ROUTER_FOUND);
	assert_ptr_equal(match.route, &table[2]);
	assert_int_equal(match.capture_count, 1);
	assert_string_equal(match.captures[0], "b");
	assert_int_equal(find(METHOD_PUT, "/a/b"), ROUTER_FOUND);
	assert_ptr_equal(match.route, &table[3]);
	assert_int_equal(find(METHOD_GET, "/a/1/b/2"), ROUTER_FOUND);
	assert_ptr_equal(match.route, &table[4]);
	assert_int_equal(match.capture_count, 2);
	assert_string_equal(match.captures[0], "1");
	assert_string_equal(match.captures[1], "2");
}

static void
router_answers_head_where_it_answers_get(void **state)
{
	(void)state;
	assert_int_equal(find(METHOD_HEAD, "/a"), ROUTER_FOUND);
	assert_ptr_equal(match.route, &table[1]);
	assert_int_equal(find(METHOD_HEAD, "/p"), ROUTER_NOT_ALLOWED);
}

static void
router_does_not_find_other_paths(void **state)
{
	static const char *const paths[] = { "", "*", "a", "//", "//a", "/a/",
		"/a//b", "/a/b/", "/aa", "/A", "/a/1/c/2", "/a/1/b",
		"/a/1/b/2/3", "/1/2/3/4/5/6/7/8", "/1/2/3/4/5/6/7/8/9/10/11",
		"/..", "/./a", "/x/../a" };

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (find(METHOD_GET, paths[i]) != ROUTER_NOT_FOUND)
			fail_msg("found \"%s\"", paths[i]);
}

static void
router_decodes_a_segment_after_it_is_split(void **state)
{
	(void)state;
	assert_int_equal(find(METHOD_GET, "/%61/2001%3adb8::1"), ROUTER_FOUND);
	assert_string_equal(match.captures[0], "2001:db8::1");
	assert_int_equal(find(METHOD_GET, "/a/x%2fb+"), ROUTER_FOUND);
	assert_string_equal(match.captures[0], "x/b+");
	assert_int_equal(find(METHOD_GET, "/a%2fb"), ROUTER_NOT_FOUND);
}

static void
router_refuses_bad_escapes_anywhere(void **state)
{
	static const char *const paths[] = { "/%", "/%zz", "/a/%00", "/a/%4",
		"/nowhere/%", "/1/2/3/4/5/6/7/8/9/%zz" };

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (find(METHOD_GET, paths[i]) != ROUTER_BAD_PATH)
			fail_msg("took \"%s\"", paths[i]);
}

static void
router_takes_a_segment_up_to_its_maximum(void **state)
{
	char path[256] = "/a/";

	(void)state;
	memset(path + 3, 'x', ROUTER_SEGMENT_MAX - 1);
	assert_int_equal(find(METHOD_GET, path), ROUTER_FOUND);
	path[3 + ROUTER_SEGMENT_MAX - 1] = 'x';
	assert_int_equal(find(METHOD_GET, path), ROUTER_NOT_FOUND);
}

static void
router_says_which_methods_a_path_takes(void **state)
{
	(void)state;
	assert_int_equal(find(METHOD_DELETE, "/a/1"), ROUTER_NOT_ALLOWED);
	assert_string_equal(match.allow, "GET, HEAD, PUT");
	assert_int_equal(find(METHOD_GET, "/p"), ROUTER_NOT_ALLOWED);
	assert_string_equal(match.allow, "POST");
	assert_int_equal(find(METHOD_OPTIONS, "/a"), ROUTER_NOT_ALLOWED);
	assert_string_equal(match.allow, "GET, HEAD");
}

/* --- the service's own table ------------------------------------------ */

static void
no_route_takes_two_parameters_of_one_name(void **state)
{
	size_t count;
	const struct route *routes = service_routes(&count);

	(void)state;
	assert_true(count > 0);
	for (size_t i = 0; i < count; i++)
		for (unsigned a = 0; a < PARAM_COUNT; a++)
			for (unsigned b = 0; b < a; b++)
				if ((routes[i].params >> a & 1) != 0 &&
				    (routes[i].params >> b & 1) != 0)
					assert_string_not_equal(params_name(a),
					    params_name(b));
}

#define MANUAL_MAX (1 << 20)

static char manual[MANUAL_MAX]; /* docs/api.md */

/* The part of the manual under the heading of a route. owned. */
static char *
copy_section(const char *pattern)
{
	char heading[128];
	char *start, *end;

	snprintf(heading, sizeof(heading), "\n### GET %s\n", pattern);
	start = strstr(manual, heading);
	if (start == NULL) {
		fail_msg("docs/api.md has no heading for %s", pattern);
		return NULL;
	}
	start += strlen(heading);
	end = strstr(start, "\n##");
	return strndup(start, end != NULL ? (size_t)(end - start) : MANUAL_MAX);
}

static void
every_route_and_parameter_is_in_the_manual(void **state)
{
	size_t count;
	const struct route *routes = service_routes(&count);
	FILE *file = fopen("docs/api.md", "r");

	(void)state;
	assert_non_null(file);
	assert_true(fread(manual, 1, sizeof(manual) - 1, file) > 0);
	fclose(file);
	for (size_t i = 0; i < count; i++) {
		char *section = copy_section(routes[i].pattern);

		assert_non_null(section);
		for (unsigned p = 0; p < PARAM_COUNT; p++) {
			char quoted[40];

			if ((routes[i].params >> p & 1) == 0)
				continue;
			snprintf(quoted, sizeof(quoted), "`%s`",
			    params_name(p));
			if (strstr(section, quoted) == NULL)
				fail_msg("docs/api.md does not tell %s of %s",
				    quoted, routes[i].pattern);
		}
		free(section);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(router_finds_each_route_by_its_path),
		TEST(router_answers_head_where_it_answers_get),
		TEST(router_does_not_find_other_paths),
		TEST(router_decodes_a_segment_after_it_is_split),
		TEST(router_refuses_bad_escapes_anywhere),
		TEST(router_takes_a_segment_up_to_its_maximum),
		TEST(router_says_which_methods_a_path_takes),
		TEST(no_route_takes_two_parameters_of_one_name),
		TEST(every_route_and_parameter_is_in_the_manual),
	};

	return RUN_TESTS(tests);
}
