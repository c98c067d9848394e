/* SPDX-License-Identifier: Apache-2.0 */
/* The command line, by getopt_long from one list of flags. */
#include <assert.h>
#include <getopt.h>
#include <string.h>

#include "daemon/options.h"

/*
 * X(name, letter, argument, help). A flag with an argument sets the keyword
 * of its name; `config` and the flags without one are handled by name.
 */
#define OPTION_LIST(X)                                                         \
	X(config, 'c', "FILE", "read this configuration file")                 \
	X(internal, 'i', "CIDR[=LABEL]",                                       \
	    "a network to watch; may be given again")                          \
	X(listen, 'l', "udp://ADDR:PORT",                                      \
	    "where exporters send to; may be given again")                     \
	X(read, 'r', "FILE", "read a capture of exports; may be given again")  \
	X(flows, 0, NULL, "print the captures' flow records as JSON and end")  \
	X(verdicts, 0, NULL, "print what the captures lead to as JSON")        \
	X(trace, 0, "HOST[:PORT][/PROTO]",                                     \
	    "print what the engine thinks of it; may be given again")          \
	X(store, 0, "FILE", "the SQLite file")                                 \
	X(http, 0, "ADDR:PORT|none", "where the HTTP API answers")             \
	X(training, 0, "DURATION|0", "how long the maps are learned")          \
	X(check, 'T', NULL, "check the configuration and end")                 \
	X(dump, 0, NULL, "print the effective configuration and end")          \
	X(verbose, 'v', NULL, "log more; may be given again")                  \
	X(version, 'V', NULL, "print the version and end")                     \
	X(help, 'h', NULL, "print this and end")

enum option_id {
#define OPTION_ENUM(name, letter, argument, help) OPTION_##name,
	OPTION_LIST(OPTION_ENUM)
#undef OPTION_ENUM
	    OPTION_COUNT
};

static const struct option_row rows[OPTION_COUNT] = {
#define OPTION_ROW(name, letter, argument, help)                               \
	{ #name, letter, argument, help },
	OPTION_LIST(OPTION_ROW)
#undef OPTION_ROW
};

/* getopt gives back a letter, or this and the row's number. */
#define LONG_ONLY 256

const struct option_row *
options_rows(uint32_t *count)
{
	*count = OPTION_COUNT;
	return rows;
}

/* The list in getopt's two forms. */
static void
make_getopt(struct option longs[OPTION_COUNT + 1],
    char shorts[2 * OPTION_COUNT + 2])
{
	*shorts++ = ':'; /* tell a missing argument from an unknown flag */
	for (int i = 0; i < OPTION_COUNT; i++) {
		bool takes = rows[i].argument != NULL;

		longs[i] = (struct option){ rows[i].name,
			takes ? required_argument : no_argument, NULL,
			LONG_ONLY + i };
		if (rows[i].letter == 0)
			continue;
		*shorts++ = rows[i].letter;
		if (takes)
			*shorts++ = ':';
	}
	*shorts = '\0';
	memset(&longs[OPTION_COUNT], 0, sizeof(longs[OPTION_COUNT]));
}

static int
row_of(int found)
{
	if (found >= LONG_ONLY)
		return found - LONG_ONLY;
	for (int i = 0; i < OPTION_COUNT; i++)
		if (rows[i].letter == found)
			return i;
	return OPTION_COUNT;
}

/* Reads the value into scratch, to know whether it can be; keeps it. */
static int
take_setting(struct options *o, struct config *scratch, int row,
    const char *value, char message[CONFIG_MESSAGE_MAX])
{
	const struct config_keyword *k = config_find(rows[row].name);
	char why[CONFIG_MESSAGE_MAX];

	assert(k != NULL);
	if (o->setting_count == OPTIONS_SETTING_MAX) {
		snprintf(message, CONFIG_MESSAGE_MAX,
		    "more than %d flags: use a configuration file",
		    OPTIONS_SETTING_MAX);
		return ERR_FULL;
	}
	if (config_set(scratch, k, value, why) != ERR_OK) {
		snprintf(message, CONFIG_MESSAGE_MAX, "--%s '%.256s': %.512s",
		    k->name, value, why);
		return ERR_FORMAT;
	}
	o->settings[o->setting_count].keyword = k;
	o->settings[o->setting_count].value = value;
	o->setting_count++;
	return ERR_OK;
}

static int
take_trace(struct options *o, const char *value,
    char message[CONFIG_MESSAGE_MAX])
{
	struct trace_filters *t = &o->trace;
	const char *why;

	if (t->count == TRACE_FILTERS_MAX) {
		snprintf(message, CONFIG_MESSAGE_MAX,
		    "more than %d times --trace", TRACE_FILTERS_MAX);
		return ERR_FULL;
	}
	if (trace_filter_parse(value, &t->filters[t->count], &why) != ERR_OK) {
		snprintf(message, CONFIG_MESSAGE_MAX, "--trace '%.256s': %s",
		    value, why);
		return ERR_FORMAT;
	}
	t->count++;
	return ERR_OK;
}

static int
take_option(struct options *o, struct config *scratch, int row,
    const char *value, char message[CONFIG_MESSAGE_MAX])
{
	switch ((enum option_id)row) {
	case OPTION_config:
		o->config_path = value;
		return ERR_OK;
	case OPTION_check:
		o->check = true;
		return ERR_OK;
	case OPTION_dump:
		o->dump = true;
		return ERR_OK;
	case OPTION_flows:
		o->flows = true;
		return ERR_OK;
	case OPTION_verdicts:
		o->verdicts = true;
		return ERR_OK;
	case OPTION_trace:
		return take_trace(o, value, message);
	case OPTION_verbose:
		o->verbose++;
		return ERR_OK;
	case OPTION_version:
		o->version = true;
		return ERR_OK;
	case OPTION_help:
		o->help = true;
		return ERR_OK;
	case OPTION_internal:
	case OPTION_listen:
	case OPTION_read:
	case OPTION_store:
	case OPTION_http:
	case OPTION_training:
		return take_setting(o, scratch, row, value, message);
	case OPTION_COUNT:
		break;
	}
	assert(false && "getopt found a flag that is not in the list");
	return ERR_FORMAT;
}

/* What getopt did not like; `word` is the argument it stopped at. */
static int
refuse(int found, const char *word, char message[CONFIG_MESSAGE_MAX])
{
	bool is_long = strncmp(word, "--", 2) == 0;
	char letter[3] = { '-', (char)optopt, '\0' };
	const char *flag = is_long || optopt == 0 ? word : letter;
	const char *why = "unknown flag";

	if (found == ':')
		why = "needs a value";
	else if (is_long && strchr(word, '=') != NULL && optopt != 0)
		why = "takes no value";
	snprintf(message, CONFIG_MESSAGE_MAX, "%.256s: %s", flag, why);
	return ERR_FORMAT;
}

int
options_parse(int argc, char **argv, struct options *out,
    char message[CONFIG_MESSAGE_MAX])
{
	struct option longs[OPTION_COUNT + 1];
	char shorts[2 * OPTION_COUNT + 2];
	struct options o;
	struct config scratch;
	int found;

	memset(&o, 0, sizeof(o));
	config_init(&scratch);
	make_getopt(longs, shorts);
	opterr = 0;
	optind = 0; /* start anew: tests parse more than one line */
	while ((found = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		int err;

		if (found == '?' || found == ':')
			return refuse(found, argv[optind - 1], message);
		err = take_option(&o, &scratch, row_of(found), optarg, message);
		if (err != ERR_OK)
			return ERR_FORMAT;
	}
	if (optind < argc) {
		snprintf(message, CONFIG_MESSAGE_MAX,
		    "'%.256s': not a flag, and nothing else is expected",
		    argv[optind]);
		return ERR_FORMAT;
	}
	*out = o;
	return ERR_OK;
}

bool
options_set(const struct options *o, enum config_row row)
{
	for (uint32_t i = 0; i < o->setting_count; i++)
		if (o->settings[i].keyword == &config_keywords[row])
			return true;
	return false;
}

void
options_apply(const struct options *o, struct config *c)
{
	bool cleared[CONFIG_ROW_COUNT] = { false };
	char why[CONFIG_MESSAGE_MAX];

	for (uint32_t i = 0; i < o->setting_count; i++) {
		const struct config_keyword *k = o->settings[i].keyword;
		int err;

		if (!cleared[k - config_keywords])
			config_clear(c, k);
		cleared[k - config_keywords] = true;
		err = config_set(c, k, o->settings[i].value, why);
		assert(err == ERR_OK); /* options_parse() read it already */
		(void)err;
	}
}

void
options_usage(FILE *out)
{
	char flag[64];

	fputs("usage: darkportd [flags]\n"
	      "Learns from NetFlow v5, v9 and IPFIX which ports of your "
	      "networks answer the outside.\n\n",
	    out);
	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *r = &rows[i];
		char letter[5] = { '-', r->letter, ',', ' ', '\0' };

		snprintf(flag, sizeof(flag), "%s--%s%s%s",
		    r->letter != 0 ? letter : "    ", r->name,
		    r->argument != NULL ? " " : "",
		    r->argument != NULL ? r->argument : "");
		fprintf(out, "  %-34s %s\n", flag, r->help);
	}
	fputs("\nExit codes: 0 done, 1 failed at run time, 2 usage, "
	      "78 bad configuration.\n"
	      "See darkportd(8) and darkportd.conf(5).\n",
	    out);
}
