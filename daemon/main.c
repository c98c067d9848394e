/* SPDX-License-Identifier: Apache-2.0 */
/*
 * darkportd: router exports in, exposure map out.
 * Exit codes: 0 done, 1 failed at run time, 2 usage, 78 bad configuration.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "daemon/config.h"
#include "daemon/flows.h"
#include "daemon/life.h"
#include "daemon/options.h"
#include "daemon/supervise.h"

/* A trace is of a capture, and leaves nothing behind that no flag names. */
static int
prepare_trace(const struct options *o, struct config *c)
{
	char text[ADDR_TEXT_MAX];

	if (o->trace.count == 0)
		return EXIT_NOT_YET;
	if (o->verdicts) {
		fputs("darkportd: --trace: not together with --verdicts\n",
		    stderr);
		return EXIT_USAGE;
	}
	if (c->read_count == 0) {
		fputs("darkportd: --trace: needs --read, the capture to "
		      "explain\n",
		    stderr);
		return EXIT_USAGE;
	}
	for (uint32_t i = 0; i < o->trace.count; i++) {
		const struct addr *host = &o->trace.filters[i].host;

		if (prefix_set_find_internal(&c->engine.internal, host) != NULL)
			continue;
		fprintf(stderr,
		    "darkportd: --trace '%s': is in none of the internal "
		    "networks\n",
		    addr_format(host, text));
		return EXIT_USAGE;
	}
	if (!options_set(o, CONFIG_ROW_store))
		c->store[0] = '\0';
	c->listen_count = 0;
	c->http_on = false;
	return EXIT_NOT_YET;
}

/* Defaults, then the file, then the flags. */
static int
configure(const struct options *o, struct config *c)
{
	char message[CONFIG_MESSAGE_MAX];
	int err = ERR_OK;

	config_init(c);
	if (o->config_path != NULL)
		err = config_read_file(c, o->config_path, message);
	if (err == ERR_OK) {
		options_apply(o, c);
		/* flows are printed of any network */
		if (!o->flows)
			err = config_complete(c, message);
	}
	if (err == ERR_OK)
		return EXIT_NOT_YET;
	fprintf(stderr, "darkportd: %s\n", message);
	return EXIT_CONFIG;
}

/* What only prints: EXIT_NOT_YET when there is more to do. */
static int
answer(const struct options *o)
{
	if (o->help)
		options_usage(stdout);
	else if (o->version)
		puts("darkportd " DARKPORT_VERSION);
	else
		return EXIT_NOT_YET;
	return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int
show(const struct options *o, const struct config *c)
{
	if (!o->check && !o->dump)
		return EXIT_NOT_YET;
	if (o->dump)
		config_print(c, stdout);
	if (o->check)
		fputs("configuration OK\n", o->dump ? stderr : stdout);
	return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

/* Before life_catch_signals(): whoever leaves the pipe ends it at once. */
static int
print_flows(const struct options *o, const struct config *c)
{
	if (!o->flows)
		return EXIT_NOT_YET;
	if (c->read_count != 0)
		return flows_print(c, stdout);
	fputs("darkportd: --flows: needs --read, the capture to print\n",
	    stderr);
	return EXIT_USAGE;
}

static int
check_verdicts(const struct options *o, const struct config *c)
{
	if (!o->verdicts || c->read_count != 0)
		return EXIT_NOT_YET;
	fputs("darkportd: --verdicts: needs --read, the capture to judge\n",
	    stderr);
	return EXIT_USAGE;
}

static int
live(const struct options *o, const struct config *c, enum log_level level)
{
	struct life *life;
	int code;

	life_catch_signals();
	life = life_new(c, level);
	if (life == NULL) {
		perror("darkportd: cannot start");
		return EXIT_FAILED;
	}
	if (o->verdicts)
		life_print_verdicts(life);
	if (o->trace.count != 0) {
		(void)signal(SIGPIPE,
		    SIG_DFL); /* whoever leaves the pipe ends it */
		life_trace(life, &o->trace);
	}
	code = life_start(life);
	if (code == EXIT_NOT_YET)
		code = life_replay(life);
	if (code == EXIT_NOT_YET)
		code = life_serve(life);
	return life_end(life, code);
}

int
main(int argc, char **argv)
{
	static struct options options;
	static struct config config;
	char message[CONFIG_MESSAGE_MAX];
	enum log_level level;
	int code;

	if (supervise_is_child(argv))
		return supervise_run_child();
	if (options_parse(argc, argv, &options, message) != ERR_OK) {
		fprintf(stderr, "darkportd: %s (darkportd --help tells more)\n",
		    message);
		return EXIT_USAGE;
	}
	code = answer(&options);
	if (code == EXIT_NOT_YET)
		code = configure(&options, &config);
	if (code == EXIT_NOT_YET)
		code = show(&options, &config);
	if (code != EXIT_NOT_YET)
		return code;
	level = options.verbose == 0 ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;
	log_set_level(level);
	code = print_flows(&options, &config);
	if (code == EXIT_NOT_YET)
		code = check_verdicts(&options, &config);
	if (code == EXIT_NOT_YET)
		code = prepare_trace(&options, &config);
	return code == EXIT_NOT_YET ? live(&options, &config, level) : code;
}
