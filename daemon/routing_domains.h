/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which routing domain exporters' records are of: the keyword
 * `routing_domain`.
 *
 * A rule (rule.h) gives a tag to the internal addresses in the records of its
 * exporters, or in those of one VRF of theirs. Fixed size, no memory of its
 * own. Each function can be called from any thread.
 */
#ifndef DAEMON_ROUTING_DOMAINS_H
#define DAEMON_ROUTING_DOMAINS_H

#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"
#include "daemon/rule.h"
#include "exposure/routing.h"

struct routing_domain_rule {
	struct rule_exporters exporters;
	uint32_t vrf; /* IE 234; 0: of any */
	uint16_t tag; /* 1..ADDR_TAG_MAX */
};

/* By VRF, and of each the most exact first; two of the same never. */
struct routing_domain_list {
	uint32_t count;
	struct routing_domain_rule rules[ROUTING_RULES_MAX];
};

/*
 * "EXPORTER: domain=N, vrf=N, tag=N", as man/darkportd.conf.5 tells. message
 * says why it cannot be. Errors: ERR_FORMAT; ERR_RANGE (a value that cannot
 * be, these exporters are there already); ERR_FULL.
 */
int routing_domains_add(struct routing_domain_list *l, const char *text,
    char message[RULE_MESSAGE_MAX]) MUST_CHECK;

/* As routing_domains_add() reads it; returns text. */
char *routing_domain_format(const struct routing_domain_rule *r,
    char text[RULE_TEXT_MAX]);

/* What the engine is to know of them. */
void routing_domains_rules(const struct routing_domain_list *l,
    struct routing_rules *out);

/* Those that hold for this exporter, called name or "". */
void routing_domains_match(const struct routing_domain_list *l,
    const struct addr *exporter, const char *name, uint32_t domain,
    struct routing_match *out);

#endif
