/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is configured of exporters' feeds: the keyword `feed`.
 *
 * One rule names exporters, by prefix or by the name the keyword `exporter`
 * gives them, maybe one of their domains, and what their feed is like. Where
 * several rules hold for an exporter, each property is the most exact one's:
 * a domain before none, a name before a prefix, the longer prefix.
 * Fixed size, no memory of its own. Each function can be called from any
 * thread.
 */
#ifndef DAEMON_FEEDS_H
#define DAEMON_FEEDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"
#include "exposure/engine.h"

#define FEED_RULES_MAX	  128
#define FEED_RULE_TEXT	  512
#define FEED_RULE_MESSAGE 256

struct feed_rule {
	struct prefix prefix;
	char name[LABEL_MAX]; /* "": by prefix */
	uint32_t domain;
	bool has_domain;
	struct feed_override feed;
};

/* From the least exact to the most; two of the same exporters never. */
struct feed_list {
	uint32_t count;
	struct feed_rule rules[FEED_RULES_MAX];
};

/*
 * "EXPORTER: PROPERTY=VALUE, ...", as man/darkportd.conf.5 tells. message
 * says why it cannot be. Errors: ERR_FORMAT; ERR_RANGE (a value that cannot
 * be, these exporters are there already); ERR_FULL.
 */
int feed_list_add(struct feed_list *l, const char *text,
    char message[FEED_RULE_MESSAGE]) MUST_CHECK;

/* As feed_list_add() reads it; returns text. */
char *feed_rule_format(const struct feed_rule *r, char text[FEED_RULE_TEXT]);

/* False: nothing is configured of this exporter, called name or "". */
bool feed_list_find(const struct feed_list *l, const struct addr *exporter,
    const char *name, uint32_t domain, struct feed_override *out);

#endif
