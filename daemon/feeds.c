/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about feeds: read, found, and written back. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/timefmt.h"
#include "daemon/feeds.h"

#define MS_PER_S 1000
#define HOUR_S	 3600
#define DAY_MS	 (24LL * HOUR_S * MS_PER_S)

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
	length = snprintf(message, RULE_MESSAGE_MAX, "%s is one of",
	    feed_property_name(property));
	used = (size_t)length;
	for (int64_t v = values[property].least; v <= values[property].most;
	     v++) {
		length = snprintf(message + used, RULE_MESSAGE_MAX - used,
		    "%s %s", v == values[property].least ? "" : ",",
		    feed_value_format(property, v, word));
		used += (size_t)length;
	}
	return ERR_FORMAT;
}

static int
read_count(const char *text, int64_t *out)
{
	uint32_t count;
	int err = rule_number(text, &count);

	if (err == ERR_OK)
		*out = count;
	return err;
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
		err = read_count(text, out);
	else
		err = read_duration(values[property].writing, text, out);
	if (err == ERR_FORMAT)
		return rule_refuse(message, err, "%s is a %s", name,
		    values[property].writing == NUMBER
			? "number"
			: "duration: write 15s, 30m");
	if (err != ERR_OK || *out < values[property].least ||
	    *out > values[property].most)
		return rule_refuse(message, ERR_RANGE, "%s must be %s to %s%s",
		    name, format_value(property, values[property].least, least),
		    format_value(property, values[property].most, most),
		    values[property].writing == SECONDS ? ", in whole seconds"
							: "");
	return ERR_OK;
}

/* A rule_take_fn: one property. */
static int
read_property(void *arg, const char *word, const char *value, char *message)
{
	struct feed_override *feed = arg;
	unsigned property = 0;

	while (property < FEED_PROPERTY_COUNT &&
	       strcmp(word, feed_property_name(property)) != 0)
		property++;
	if (property == FEED_PROPERTY_COUNT)
		return rule_refuse(message, ERR_FORMAT,
		    "a feed has no property '%.32s'", word);
	if ((feed->given & 1U << property) != 0)
		return rule_refuse(message, ERR_RANGE, "%s is there twice",
		    word);
	feed->given |= 1U << property;
	return read_value((enum feed_property)property, value,
	    &feed->values[property], message);
}

static int
read_rule(struct feed_rule *r, const char *text, char *message)
{
	int err =
	    rule_parse(text, &r->exporters, read_property, &r->feed, message);

	if (err == ERR_OK && r->feed.given == 0)
		return rule_refuse(message, ERR_FORMAT, "no property is given");
	return err;
}

/* --- the list ------------------------------------------------------------- */

int
feed_list_add(struct feed_list *l, const char *text,
    char message[RULE_MESSAGE_MAX])
{
	struct feed_rule r;
	uint32_t at;
	int err;

	memset(&r, 0, sizeof(r));
	err = read_rule(&r, text, message);
	if (err != ERR_OK)
		return err;
	if (l->count == FEED_RULES_MAX)
		return rule_refuse(message, ERR_FULL, "more than %d feeds",
		    FEED_RULES_MAX);
	for (uint32_t i = 0; i < l->count; i++)
		if (rule_is_same(&l->rules[i].exporters, &r.exporters))
			return rule_refuse(message, ERR_RANGE,
			    "this exporter is there already");
	for (at = l->count++;
	     at != 0 &&
	     rule_compare(&l->rules[at - 1].exporters, &r.exporters) > 0;
	     at--)
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

		if (!rule_holds(&r->exporters, exporter, name, domain))
			continue;
		out->given |= r->feed.given;
		for (unsigned k = 0; k < FEED_PROPERTY_COUNT; k++)
			if ((r->feed.given & 1U << k) != 0)
				out->values[k] = r->feed.values[k];
	}
	return out->given != 0;
}

char *
feed_rule_format(const struct feed_rule *r, char text[RULE_TEXT_MAX])
{
	const char *between = r->exporters.has_domain ? ", " : "";
	char value[DURATION_TEXT_MAX];
	size_t used = rule_format(&r->exporters, text);

	for (unsigned k = 0; k < FEED_PROPERTY_COUNT; k++) {
		if ((r->feed.given & 1U << k) == 0)
			continue;
		used += (size_t)snprintf(text + used, RULE_TEXT_MAX - used,
		    "%s%s=%s", between, feed_property_name(k),
		    format_value((enum feed_property)k, r->feed.values[k],
			value));
		between = ", ";
	}
	return text;
}
