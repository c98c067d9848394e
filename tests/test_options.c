/* SPDX-License-Identifier: Apache-2.0 */
/* The command line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/options.h"
#include "tests/test.h"

#define WORDS_MAX 24

/* Parses a line of words separated by single spaces. */
static int
parse_line(const char *line, struct options *o,
    char message[CONFIG_MESSAGE_MAX])
{
	static char copy[512];
	char *argv[WORDS_MAX] = { NULL };
	int argc = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok(copy, " "); word != NULL;
	     word = strtok(NULL, " "))
		argv[argc++] = word;
	return options_parse(argc, argv, o, message);
}

static void
parse_right(const char *line, struct options *o)
{
	char message[CONFIG_MESSAGE_MAX];

	if (parse_line(line, o, message) != ERR_OK)
		fail_msg("%s: %s", line, message);
}

static void
options_read_every_flag(void **state)
{
	struct options o;
	struct config c;

	(void)state;
	parse_right("darkportd -c x.conf -i 10.0.0.0/8=lan --internal "
		    "2001:db8::/32 -l udp://[::1]:2055 -r a.pcap "
		    "--store x.db --http none",
	    &o);
	assert_string_equal(o.config_path, "x.conf");
	assert_int_equal(o.setting_count, 6);
	config_init(&c);
	options_apply(&o, &c);
	assert_int_equal(c.engine.internal.count, 2);
	assert_int_equal(c.listen_count, 1);
	assert_int_equal(c.read_count, 1);
	assert_string_equal(c.store, "x.db");
	assert_false(c.http_on);
	assert_false(o.flows);
	parse_right("darkportd -T --dump --flows -vv -v -V -h --training 0 "
		    "--trace 192.0.2.1:22 --trace [::1]",
	    &o);
	assert_true(o.check && o.dump && o.flows && o.version && o.help);
	assert_int_equal(o.verbose, 3);
	assert_int_equal(o.trace.count, 2);
	assert_true(options_set(&o, CONFIG_ROW_training));
	assert_false(options_set(&o, CONFIG_ROW_store));
	options_apply(&o, &c);
	assert_int_equal(c.engine.training_ms, 0);
}

static void
options_win_over_the_file_and_replace_its_lists(void **state)
{
	static const char text[] = "internal = {\"10.0.0.0/8\"}\n"
				   "training = 1h\nstore = \"file.db\"\n"
				   "read = {\"file.pcap\"}\n";
	char message[CONFIG_MESSAGE_MAX];
	struct options o;
	struct config c;

	(void)state;
	parse_right("darkportd -i 192.0.2.0/24 -i 198.51.100.0/24 "
		    "--training 2h",
	    &o);
	config_init(&c);
	assert_ok(config_read_text(&c, text, strlen(text), "x", message));
	options_apply(&o, &c);
	assert_int_equal(c.engine.internal.count, 2);
	assert_int_equal(c.engine.training_ms, 2 * 3600 * 1000);
	assert_string_equal(c.store, "file.db");
	assert_int_equal(c.read_count, 1);
}

static void
options_tell_flag_value_and_reason(void **state)
{
	static const struct {
		const char *line;
		const char *parts[3];
	} wrong[] = {
		{ "darkportd --nonsense", { "--nonsense", "unknown flag" } },
		{ "darkportd -x", { "-x", "unknown flag" } },
		{ "darkportd -i", { "-i", "needs a value" } },
		{ "darkportd --store", { "--store", "needs a value" } },
		{ "darkportd --check=1", { "--check=1", "takes no value" } },
		{ "darkportd x.pcap", { "x.pcap", "not a flag" } },
		{ "darkportd -i 10.0.0.1/8",
		    { "--internal", "10.0.0.1/8", "bits are set" } },
		{ "darkportd -i ten", { "--internal", "ten", "no prefix" } },
		{ "darkportd -l 127.0.0.1:2055",
		    { "--listen", "127.0.0.1:2055", "udp://" } },
		{ "darkportd --http 8080", { "--http", "8080", "none" } },
		{ "darkportd --training x",
		    { "--training", "'x'", "no duration" } },
		{ "darkportd -i 10.0.0.0/8 -i 10.0.0.0/8",
		    { "--internal", "10.0.0.0/8", "there already" } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char message[CONFIG_MESSAGE_MAX] = "";
		struct options o;

		assert_int_equal(parse_line(wrong[i].line, &o, message),
		    ERR_FORMAT);
		assert_null(strchr(message, '\n'));
		for (size_t p = 0; p < 3 && wrong[i].parts[p] != NULL; p++)
			if (strstr(message, wrong[i].parts[p]) == NULL)
				fail_msg("%s: '%s' does not say '%s'",
				    wrong[i].line, message, wrong[i].parts[p]);
	}
}

static void
options_usage_and_manual_name_every_flag(void **state)
{
	FILE *in = fopen("man/darkportd.8", "r");
	char *manual = calloc(1, 1 << 16);
	char *usage = NULL;
	size_t length;
	FILE *out = open_memstream(&usage, &length);
	uint32_t count;
	const struct option_row *rows = options_rows(&count);

	(void)state;
	assert_non_null(in);
	assert_true(fread(manual, 1, (1 << 16) - 1, in) > 0);
	fclose(in);
	options_usage(out);
	fclose(out);
	for (uint32_t i = 0; i < count; i++) {
		char wanted[64];

		snprintf(wanted, sizeof(wanted), "--%s", rows[i].name);
		assert_non_null(strstr(usage, wanted));
		/* mdoc writes the first dash of each flag itself */
		snprintf(wanted, sizeof(wanted), "Fl -%s", rows[i].name);
		if (strstr(manual, wanted) == NULL)
			fail_msg("man/darkportd.8: no '%s'", wanted);
		snprintf(wanted, sizeof(wanted), ".It Fl %c", rows[i].letter);
		if (rows[i].letter != 0 && strstr(manual, wanted) == NULL)
			fail_msg("man/darkportd.8: no '%s'", wanted);
	}
	free(manual);
	free(usage);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(options_read_every_flag),
		TEST(options_win_over_the_file_and_replace_its_lists),
		TEST(options_tell_flag_value_and_reason),
		TEST(options_usage_and_manual_name_every_flag),
	};

	return RUN_TESTS(tests);
}
