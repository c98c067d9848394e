/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is configured of exporters' feeds: the keyword `feed`.
 *
 * A rule (rule.h) says what the feed of its exporters is like. Where several
 * hold for an exporter, each property is the most exact one's.
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
#include "daemon/rule.h"
#include "exposure/engine.h"

#define FEED_RULES_MAX 128

struct feed_rule {
	struct rule_exporters exporters;
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
    char message[RULE_MESSAGE_MAX]) MUST_CHECK;

/* As feed_list_add() reads it; returns text. */
char *feed_rule_format(const struct feed_rule *r, char text[RULE_TEXT_MAX]);

/* False: nothing is configured of this exporter, called name or "". */
bool feed_list_find(const struct feed_list *l, const struct addr *exporter,
    const char *name, uint32_t domain, struct feed_override *out);

#endif
