/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about routing domains: read, found, and written back. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/routing_domains.h"

#define TAG_WORD "tag"
#define VRF_WORD "vrf"

/* A rule_take_fn. 0 is what a record without the element has. */
static int
read_word(void *arg, const char *word, const char *value, char *message)
{
	struct routing_domain_rule *r = arg;
	bool is_tag = strcmp(word, TAG_WORD) == 0;
	uint32_t number = 0;

	if (!is_tag && strcmp(word, VRF_WORD) != 0)
		return rule_refuse(message, ERR_FORMAT,
		    "a routing domain has no property '%.32s'", word);
	if ((is_tag ? r->tag : r->vrf) != 0)
		return rule_refuse(message, ERR_RANGE, "%s is there twice",
		    word);
	if (rule_number(value, &number) == ERR_FORMAT)
		return rule_refuse(message, ERR_FORMAT, "%s is a number", word);
	if (number == 0 || (is_tag && number > ADDR_TAG_MAX))
		return rule_refuse(message, ERR_RANGE,
		    "%s must be 1 to %" PRIu32, word,
		    is_tag ? ADDR_TAG_MAX : UINT32_MAX);
	if (is_tag)
		r->tag = (uint16_t)number;
	else
		r->vrf = number;
	return ERR_OK;
}

/* Below 0: a stands before b. */
static int
compare(const struct routing_domain_rule *a,
    const struct routing_domain_rule *b)
{
	if (a->vrf != b->vrf)
		return a->vrf < b->vrf ? -1 : 1;
	return rule_compare(&b->exporters, &a->exporters);
}

int
routing_domains_add(struct routing_domain_list *l, const char *text,
    char message[RULE_MESSAGE_MAX])
{
	struct routing_domain_rule r;
	uint32_t at;
	int err;

	memset(&r, 0, sizeof(r));
	err = rule_parse(text, &r.exporters, read_word, &r, message);
	if (err != ERR_OK)
		return err;
	if (r.tag == 0)
		return rule_refuse(message, ERR_FORMAT, "no tag is given");
	if (l->count == ROUTING_RULES_MAX)
		return rule_refuse(message, ERR_FULL,
		    "more than %d routing domains", ROUTING_RULES_MAX);
	for (uint32_t i = 0; i < l->count; i++)
		if (l->rules[i].vrf == r.vrf &&
		    rule_is_same(&l->rules[i].exporters, &r.exporters))
			return rule_refuse(message, ERR_RANGE,
			    "this exporter%s is there already",
			    r.vrf != 0 ? ", with this vrf," : "");
	for (at = l->count++; at != 0 && compare(&l->rules[at - 1], &r) > 0;
	     at--)
		l->rules[at] = l->rules[at - 1];
	l->rules[at] = r;
	return ERR_OK;
}

char *
routing_domain_format(const struct routing_domain_rule *r,
    char text[RULE_TEXT_MAX])
{
	const char *between = r->exporters.has_domain ? ", " : "";
	size_t used = rule_format(&r->exporters, text);

	if (r->vrf != 0) {
		used += (size_t)snprintf(text + used, RULE_TEXT_MAX - used,
		    "%s" VRF_WORD "=%" PRIu32, between, r->vrf);
		between = ", ";
	}
	snprintf(text + used, RULE_TEXT_MAX - used, "%s" TAG_WORD "=%u",
	    between, (unsigned)r->tag);
	return text;
}

void
routing_domains_rules(const struct routing_domain_list *l,
    struct routing_rules *out)
{
	out->count = l->count;
	for (uint32_t i = 0; i < l->count; i++)
		out->rules[i] =
		    (struct routing_rule){ l->rules[i].vrf, l->rules[i].tag };
}

void
routing_domains_match(const struct routing_domain_list *l,
    const struct addr *exporter, const char *name, uint32_t domain,
    struct routing_match *out)
{
	memset(out, 0, sizeof(*out));
	for (uint32_t i = 0; i < l->count; i++)
		if (rule_holds(&l->rules[i].exporters, exporter, name, domain))
			out->rules[i / 64] |= UINT64_C(1) << i % 64;
}
