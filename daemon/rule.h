/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules about exporters, "EXPORTER: WORD=VALUE, ...": what the keywords
 * `feed` and `routing_domain` have in common.
 *
 * A rule names exporters, by prefix or by the name the keyword `exporter`
 * gives them, and maybe one of their domains. Each function can be called
 * from any thread.
 */
#ifndef DAEMON_RULE_H
#define DAEMON_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"

#define RULE_TEXT_MAX	 512
#define RULE_MESSAGE_MAX 256

/* Whom a rule is about. */
struct rule_exporters {
	struct prefix prefix;
	char name[LABEL_MAX]; /* "": by prefix */
	uint32_t domain;
	bool has_domain;
};

/* Takes one WORD=VALUE. message says why it cannot be. */
typedef int (*rule_take_fn)(void *arg, const char *word, const char *value,
    char message[RULE_MESSAGE_MAX]);

/*
 * Reads a rule; the word `domain` itself, any other with take. message says
 * why it cannot be. Errors: ERR_FORMAT; ERR_RANGE; what take gives.
 */
int rule_parse(const char *text, struct rule_exporters *out, rule_take_fn take,
    void *arg, char message[RULE_MESSAGE_MAX]) MUST_CHECK;

/* "EXPORTER: ", and "domain=N" when it has one, as rule_parse() reads it;
 * returns its length. */
size_t rule_format(const struct rule_exporters *r, char text[RULE_TEXT_MAX]);

/* It is about this exporter, called name or "". */
bool rule_holds(const struct rule_exporters *r, const struct addr *exporter,
    const char *name, uint32_t domain);

/*
 * Below 0: a is less exact than b; 0: they hold for the same exporters, or
 * for others as exactly. A domain before none, a name before a prefix, the
 * longer prefix.
 */
int rule_compare(const struct rule_exporters *a,
    const struct rule_exporters *b);

/* They hold for the same exporters. */
bool rule_is_same(const struct rule_exporters *a,
    const struct rule_exporters *b);

/* A number of 32 bits, digits only. Errors: ERR_FORMAT, ERR_RANGE. */
int rule_number(const char *text, uint32_t *out) MUST_CHECK;

/* Writes the message; returns err. */
__attribute__((format(printf, 3, 4))) int
rule_refuse(char message[RULE_MESSAGE_MAX], int err, const char *format, ...);

#endif
