/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about feeds: read, found, and written back. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/timefmt.h"
#include "daemon/feeds.h"

#define DOMAIN_WORD "domain"
#define MS_PER_S    1000
#define HOUR_S	    3600
#define DAY_MS	    (24LL * HOUR_S * MS_PER_S)

/* How a property's value is written. */
enum writing {
	WORD,	 /* as the views show it */
	SECONDS, /* a duration; the value is seconds */
	OFFSET,	 /* a duration that may be negative; milliseconds */
	NUMBER,
};

static const struct {
	enum writing writing;
	int64_t least;
	int64_t most;
} values[FEED_PROPERTY_COUNT] = {
	[FEED_FLAGS] = { WORD, 0, FEED_FLAGS_COUNT - 1 },
	[FEED_SHARED_TIMES] = { WORD, 0, 1 },
	[FEED_ADDRESS_ORDERED] = { WORD, 0, 1 },
	[FEED_BIFLOW_DIRECTION] = { WORD, 0, 1 },
	[FEED_IDLE_TIMEOUT] = { SECONDS, 1, HOUR_S },
	[FEED_ACTIVE_TIMEOUT] = { SECONDS, 1, 24LL * HOUR_S },
	[FEED_SAMPLING] = { NUMBER, 1, UINT32_MAX },
	[FEED_VISIBILITY] = { WORD, FEED_VISIBILITY_BOTH,
	    FEED_VISIBILITY_COUNT - 1 },
	[FEED_CLOCK_OFFSET] = { OFFSET, -DAY_MS, DAY_MS },
	[FEED_LOSS] = { WORD, 0, 1 },
};

/* The message, and the code to return with it. */
__attribute__((format(printf, 3, 4))) static int
refuse(char message[FEED_RULE_MESSAGE], int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(message, FEED_RULE_MESSAGE, format, args);
	va_end(args);
	return err;
}

/* --- reading -------------------------------------------------------------- */

static int
read_word(enum feed_property property, const char *text, int64_t *out,
    char *message)
{
	char word[FEED_VALUE_MAX];
	size_t used;
	int length;

	for (int64_t v = values[property].least; v <= values[property].most;
	     v++)
		if (strcmp(feed_value_format(property, v, word), text) == 0) {
			*out = v;
			return ERR_OK;
		}
	length = snprintf(message, FEED_RULE_MESSAGE, "%s is one of",
	    feed_property_name(property));
	used = (size_t)length;
	for (int64_t v = values[property].least; v <= values[property].most;
	     v++) {
		length = snprintf(message + used, FEED_RULE_MESSAGE - used,
		    "%s %s", v == values[property].least ? "" : ",",
		    feed_value_format(property, v, word));
		used += (size_t)length;
	}
	return ERR_FORMAT;
}

/* Digits only, of 32 bits. */
static int
read_number(const char *text, int64_t *out)
{
	int64_t value = 0;

	if (*text == '\0')
		return ERR_FORMAT;
	for (; *text >= '0' && *text <= '9'; text++) {
		value = value * 10 + (*text - '0');
		if (value > UINT32_MAX)
			return ERR_RANGE;
	}
	*out = value;
	return *text == '\0' ? ERR_OK : ERR_FORMAT;
}

static int
read_duration(enum writing writing, const char *text, int64_t *out)
{
	bool negative = writing == OFFSET && *text == '-';
	int err = duration_parse(text + negative, out);

	if (err != ERR_OK)
		return err;
	if (writing == SECONDS) {
		if (*out % MS_PER_S != 0)
			return ERR_RANGE;
		*out /= MS_PER_S;
	}
	if (negative)
		*out = -*out;
	return ERR_OK;
}

static char *
format_value(enum feed_property property, int64_t value,
    char text[DURATION_TEXT_MAX])
{
	enum writing writing = values[property].writing;
	char positive[DURATION_TEXT_MAX];
	char word[FEED_VALUE_MAX];

	if (writing == SECONDS)
		return duration_format(value * MS_PER_S, text);
	if (writing == OFFSET && value < 0) {
		snprintf(text, DURATION_TEXT_MAX, "-%.*s",
		    DURATION_TEXT_MAX - 2, duration_format(-value, positive));
		return text;
	}
	if (writing == OFFSET)
		return duration_format(value, text);
	snprintf(text, DURATION_TEXT_MAX, "%s",
	    feed_value_format(property, value, word));
	return text;
}

static int
read_value(enum feed_property property, const char *text, int64_t *out,
    char *message)
{
	char least[DURATION_TEXT_MAX];
	char most[DURATION_TEXT_MAX];
	const char *name = feed_property_name(property);
	int err;

	if (values[property].writing == WORD)
		return read_word(property, text, out, message);
	if (values[property].writing == NUMBER)
		err = read_number(text, out);
	else
		err = read_duration(values[property].writing, text, out);
	if (err == ERR_FORMAT)
		return refuse(message, err, "%s is a %s", name,
		    values[property].writing == NUMBER
			? "number"
			: "duration: write 15s, 30m");
	if (err != ERR_OK || *out < values[property].least ||
	    *out > values[property].most)
		return refuse(message, ERR_RANGE, "%s must be %s to %s%s", name,
		    format_value(property, values[property].least, least),
		    format_value(property, values[property].most, most),
		    values[property].writing == SECONDS ? ", in whole seconds"
							: "");
	return ERR_OK;
}

/* One PROPERTY=VALUE; cut at the '='. */
static int
read_property(struct feed_rule *r, char *text, char *message)
{
	char *value = strchr(text, '=');
	unsigned property;
	int64_t domain;

	if (value == NULL)
		return refuse(message, ERR_FORMAT,
		    "write PROPERTY=VALUE, and commas between them");
	*value++ = '\0';
	if (strcmp(text, DOMAIN_WORD) == 0) {
		if (r->has_domain || read_number(value, &domain) != ERR_OK)
			return refuse(message, ERR_FORMAT,
			    "domain is one number, of 32 bits");
		r->domain = (uint32_t)domain;
		r->has_domain = true;
		return ERR_OK;
	}
	for (property = 0; property < FEED_PROPERTY_COUNT; property++)
		if (strcmp(text, feed_property_name(property)) == 0)
			break;
	if (property == FEED_PROPERTY_COUNT)
		return refuse(message, ERR_FORMAT,
		    "a feed has no property '%.32s'", text);
	if ((r->feed.given & 1U << property) != 0)
		return refuse(message, ERR_RANGE, "%s is there twice", text);
	r->feed.given |= 1U << property;
	return read_value((enum feed_property)property, value,
	    &r->feed.values[property], message);
}

static int
read_exporter(struct feed_rule *r, const char *text, char *message)
{
	int err = prefix_parse(text, &r->prefix);

	if (err == ERR_OK)
		return ERR_OK;
	if (err != ERR_FORMAT)
		return refuse(message, err,
		    "bits are set behind the exporter's prefix, or it is too "
		    "long");
	if (strpbrk(text, "/:=") != NULL || strlen(text) >= LABEL_MAX)
		return refuse(message, err,
		    "the exporter is an address, a prefix or a name");
	memcpy(r->name, text, strlen(text) + 1);
	return ERR_OK;
}

static int
read_rule(struct feed_rule *r, const char *text, char *message)
{
	char copy[FEED_RULE_TEXT];
	char *colon, *at;
	int err;

	if (strlen(text) >= sizeof(copy))
		return refuse(message, ERR_RANGE, "too long");
	memcpy(copy, text, strlen(text) + 1);
	/* no value has a colon; an IPv6 address has */
	colon = strrchr(copy, ':');
	if (colon == NULL || colon == copy)
		return refuse(message, ERR_FORMAT,
		    "write EXPORTER: PROPERTY=VALUE, ...");
	*colon = '\0';
	err = read_exporter(r, copy, message);
	for (char *next = colon + 1; err == ERR_OK && next != NULL;) {
		at = next + strspn(next, " ");
		next = strchr(at, ',');
		if (next != NULL)
			*next++ = '\0';
		err = read_property(r, at, message);
	}
	if (err == ERR_OK && r->feed.given == 0)
		return refuse(message, ERR_FORMAT, "no property is given");
	return err;
}

/* --- the list ------------------------------------------------------------- */

/* Below 0: a is less exact than b; 0: they hold for the same exporters, or
 * for others as exactly. */
static int
compare_exactness(const struct feed_rule *a, const struct feed_rule *b)
{
	bool a_named = a->name[0] != '\0';
	bool b_named = b->name[0] != '\0';

	if (a->has_domain != b->has_domain)
		return a->has_domain ? 1 : -1;
	if (a_named != b_named)
		return a_named ? 1 : -1;
	return (int)a->prefix.length - (int)b->prefix.length;
}

static bool
is_same(const struct feed_rule *a, const struct feed_rule *b)
{
	return compare_exactness(a, b) == 0 && a->domain == b->domain &&
	       strcmp(a->name, b->name) == 0 &&
	       addr_equal(&a->prefix.low, &b->prefix.low);
}

int
feed_list_add(struct feed_list *l, const char *text,
    char message[FEED_RULE_MESSAGE])
{
	struct feed_rule r;
	uint32_t at;
	int err;

	memset(&r, 0, sizeof(r));
	err = read_rule(&r, text, message);
	if (err != ERR_OK)
		return err;
	if (l->count == FEED_RULES_MAX)
		return refuse(message, ERR_FULL, "more than %d feeds",
		    FEED_RULES_MAX);
	for (uint32_t i = 0; i < l->count; i++)
		if (is_same(&l->rules[i], &r))
			return refuse(message, ERR_RANGE,
			    "this exporter is there already");
	for (at = l->count++;
	     at != 0 && compare_exactness(&l->rules[at - 1], &r) > 0; at--)
		l->rules[at] = l->rules[at - 1];
	l->rules[at] = r;
	return ERR_OK;
}

bool
feed_list_find(const struct feed_list *l, const struct addr *exporter,
    const char *name, uint32_t domain, struct feed_override *out)
{
	memset(out, 0, sizeof(*out));
	for (uint32_t i = 0; i < l->count; i++) {
		const struct feed_rule *r = &l->rules[i];

		if (r->has_domain && r->domain != domain)
			continue;
		if (r->name[0] != '\0' ? strcmp(r->name, name) != 0
				       : !prefix_contains(&r->prefix, exporter))
			continue;
		out->given |= r->feed.given;
		for (unsigned k = 0; k < FEED_PROPERTY_COUNT; k++)
			if ((r->feed.given & 1U << k) != 0)
				out->values[k] = r->feed.values[k];
	}
	return out->given != 0;
}

char *
feed_rule_format(const struct feed_rule *r, char text[FEED_RULE_TEXT])
{
	char prefix[PREFIX_TEXT_MAX];
	char value[DURATION_TEXT_MAX];
	const char *between = "";
	size_t used;

	used = (size_t)snprintf(text, FEED_RULE_TEXT, "%s: ",
	    r->name[0] != '\0' ? r->name : prefix_format(&r->prefix, prefix));
	if (r->has_domain) {
		used += (size_t)snprintf(text + used, FEED_RULE_TEXT - used,
		    DOMAIN_WORD "=%" PRIu32, r->domain);
		between = ", ";
	}
	for (unsigned k = 0; k < FEED_PROPERTY_COUNT; k++) {
		if ((r->feed.given & 1U << k) == 0)
			continue;
		used += (size_t)snprintf(text + used, FEED_RULE_TEXT - used,
		    "%s%s=%s", between, feed_property_name(k),
		    format_value((enum feed_property)k, r->feed.values[k],
			value));
		between = ", ";
	}
	return text;
}
