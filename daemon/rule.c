/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about exporters: read, compared, and written back. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/rule.h"

#define DOMAIN_WORD "domain"

int
rule_refuse(char message[RULE_MESSAGE_MAX], int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(message, RULE_MESSAGE_MAX, format, args);
	va_end(args);
	return err;
}

int
rule_number(const char *text, uint32_t *out)
{
	uint64_t value = 0;

	if (*text == '\0')
		return ERR_FORMAT;
	for (; *text >= '0' && *text <= '9'; text++) {
		value = value * 10 + (uint64_t)(*text - '0');
		if (value > UINT32_MAX)
			return ERR_RANGE;
	}
	if (*text != '\0')
		return ERR_FORMAT;
	*out = (uint32_t)value;
	return ERR_OK;
}

/* One WORD=VALUE; cut at the '='. */
static int
read_word(struct rule_exporters *r, char *text, rule_take_fn take, void *arg,
    char *message)
{
	char *value = strchr(text, '=');

	if (value == NULL)
		return rule_refuse(message, ERR_FORMAT,
		    "write PROPERTY=VALUE, and commas between them");
	*value++ = '\0';
	if (strcmp(text, DOMAIN_WORD) != 0)
		return take(arg, text, value, message);
	if (r->has_domain || rule_number(value, &r->domain) != ERR_OK)
		return rule_refuse(message, ERR_FORMAT,
		    "domain is one number, of 32 bits");
	r->has_domain = true;
	return ERR_OK;
}

static int
read_exporter(struct rule_exporters *r, const char *text, char *message)
{
	int err = prefix_parse(text, &r->prefix);

	if (err == ERR_OK && addr_tag(&r->prefix.low) == 0)
		return ERR_OK;
	if (err == ERR_RANGE)
		return rule_refuse(message, err,
		    "bits are set behind the exporter's prefix, or it is too "
		    "long");
	if (err == ERR_OK || strpbrk(text, "/:=") != NULL ||
	    strlen(text) >= LABEL_MAX)
		return rule_refuse(message, ERR_FORMAT,
		    "the exporter is an address, a prefix or a name");
	memcpy(r->name, text, strlen(text) + 1);
	return ERR_OK;
}

int
rule_parse(const char *text, struct rule_exporters *out, rule_take_fn take,
    void *arg, char message[RULE_MESSAGE_MAX])
{
	struct rule_exporters r;
	char copy[RULE_TEXT_MAX];
	char *colon, *at;
	int err;

	memset(&r, 0, sizeof(r));
	if (strlen(text) >= sizeof(copy))
		return rule_refuse(message, ERR_RANGE, "too long");
	memcpy(copy, text, strlen(text) + 1);
	/* no value has a colon; an IPv6 address has */
	colon = strrchr(copy, ':');
	if (colon == NULL || colon == copy)
		return rule_refuse(message, ERR_FORMAT,
		    "write EXPORTER: PROPERTY=VALUE, ...");
	*colon = '\0';
	err = read_exporter(&r, copy, message);
	for (char *next = colon + 1; err == ERR_OK && next != NULL;) {
		at = next + strspn(next, " ");
		next = strchr(at, ',');
		if (next != NULL)
			*next++ = '\0';
		err = read_word(&r, at, take, arg, message);
	}
	if (err == ERR_OK)
		*out = r;
	return err;
}

size_t
rule_format(const struct rule_exporters *r, char text[RULE_TEXT_MAX])
{
	char prefix[PREFIX_TEXT_MAX];
	size_t used;

	used = (size_t)snprintf(text, RULE_TEXT_MAX, "%s: ",
	    r->name[0] != '\0' ? r->name : prefix_format(&r->prefix, prefix));
	if (r->has_domain)
		used += (size_t)snprintf(text + used, RULE_TEXT_MAX - used,
		    DOMAIN_WORD "=%" PRIu32, r->domain);
	return used;
}

bool
rule_holds(const struct rule_exporters *r, const struct addr *exporter,
    const char *name, uint32_t domain)
{
	if (r->has_domain && r->domain != domain)
		return false;
	return r->name[0] != '\0' ? strcmp(r->name, name) == 0
				  : prefix_contains(&r->prefix, exporter);
}

int
rule_compare(const struct rule_exporters *a, const struct rule_exporters *b)
{
	bool a_named = a->name[0] != '\0';
	bool b_named = b->name[0] != '\0';

	if (a->has_domain != b->has_domain)
		return a->has_domain ? 1 : -1;
	if (a_named != b_named)
		return a_named ? 1 : -1;
	return (int)a->prefix.length - (int)b->prefix.length;
}

bool
rule_is_same(const struct rule_exporters *a, const struct rule_exporters *b)
{
	return rule_compare(a, b) == 0 && a->domain == b->domain &&
	       strcmp(a->name, b->name) == 0 &&
	       addr_equal(&a->prefix.low, &b->prefix.low);
}
