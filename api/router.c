/* SPDX-License-Identifier: Apache-2.0 */
/* From a path to the function that answers it. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "api/percent.h"
#include "api/router.h"
#include "common/err.h"

struct segments {
	uint32_t count;
	char texts[ROUTER_SEGMENTS_MAX][ROUTER_SEGMENT_MAX];
};

static const char *const method_names[] = {
#define METHOD_NAME(id) #id,
	METHOD_LIST(METHOD_NAME)
#undef METHOD_NAME
};

const char *
method_name(enum method method)
{
	assert(method < METHOD_COUNT);
	return method_names[method];
}

/*
 * Splits "/a/b" into "a" and "b". False: a segment cannot be decoded. Too
 * many segments, or one too long, matches nothing: count is 0 then.
 */
static bool
split(const char *path, struct segments *out)
{
	bool fits = *path == '/';

	out->count = 0;
	while (*path == '/') {
		size_t length = strcspn(++path, "/");
		char *text = out->texts[fits ? out->count : 0];
		int err;

		err = percent_decode(path, length, false, text,
		    ROUTER_SEGMENT_MAX);
		if (err == ERR_FORMAT)
			return false;
		if (err != ERR_OK)
			fits = false;
		if (fits)
			out->count++;
		if (out->count == ROUTER_SEGMENTS_MAX)
			fits = false;
		path += length;
	}
	if (!fits)
		out->count = 0;
	return true;
}

static bool
matches(const char *pattern, const struct segments *segments,
    struct router_match *out)
{
	uint32_t i = 0;

	out->capture_count = 0;
	for (; *pattern == '/' && i < segments->count; i++) {
		size_t length = strcspn(++pattern, "/");
		const char *text = segments->texts[i];

		if (pattern[0] == '{') {
			assert(out->capture_count < ROUTER_CAPTURES_MAX);
			if (text[0] == '\0')
				return false;
			memcpy(out->captures[out->capture_count++], text,
			    ROUTER_SEGMENT_MAX);
		} else if (strlen(text) != length ||
			   memcmp(text, pattern, length) != 0) {
			return false;
		}
		pattern += length;
	}
	return *pattern == '\0' && i == segments->count;
}

static void
add_allowed(enum method method, char allow[RESPONSE_ALLOW_MAX])
{
	size_t used = strlen(allow);

	snprintf(allow + used, RESPONSE_ALLOW_MAX - used, "%s%s%s",
	    used > 0 ? ", " : "", method_name(method),
	    method == METHOD_GET ? ", HEAD" : "");
}

enum router_result
router_find(const struct route *routes, size_t count, enum method method,
    const char *path, struct router_match *out)
{
	enum method wanted = method == METHOD_HEAD ? METHOD_GET : method;
	struct segments segments = { .count = 0 };

	*out = (struct router_match){ .route = NULL };
	if (!split(path, &segments))
		return ROUTER_BAD_PATH;
	for (size_t i = 0; i < count; i++) {
		if (!matches(routes[i].pattern, &segments, out))
			continue;
		if (routes[i].method == wanted) {
			out->route = &routes[i];
			return ROUTER_FOUND;
		}
		add_allowed(routes[i].method, out->allow);
	}
	return out->allow[0] != '\0' ? ROUTER_NOT_ALLOWED : ROUTER_NOT_FOUND;
}
