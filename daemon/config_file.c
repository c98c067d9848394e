/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration file: libconfuse reads the syntax, config_set() reads
 * the values. To libconfuse every value is text; what it means is ours.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <confuse.h>

#include "daemon/config.h"

#define CONFIG_FILE_MAX (1U << 20)

/* A list nobody set holds one empty string: "{}" says something, too. */
static char list_unset[] = "{\"\"}"; /* not const: libconfuse's type */

/* What libconfuse's callbacks need and are not given. */
static struct reading {
	struct config *scratch;
	char *message;
} reading;

/* Keeps the first message: later ones follow from it. */
__attribute__((format(printf, 2, 0))) static void
keep_error(cfg_t *cfg, const char *format, va_list args)
{
	char why[CONFIG_MESSAGE_MAX / 2];

	if (reading.message[0] != '\0')
		return;
	vsnprintf(why, sizeof(why), format, args);
	for (char *at = why; *at != '\0'; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			*at = '?'; /* the message is one line */
	snprintf(reading.message, CONFIG_MESSAGE_MAX, "%s:%d: %s",
	    cfg->filename != NULL ? cfg->filename : "?", cfg->line, why);
}

static bool
is_list(const struct config_keyword *k)
{
	return k->kind == CONFIG_NETWORKS || k->kind == CONFIG_INTERFACES ||
	       k->kind == CONFIG_LISTENS || k->kind == CONFIG_FEEDS ||
	       k->kind == CONFIG_ROUTING_DOMAINS || k->kind == CONFIG_PATHS;
}

/* Sets what one option holds; a wrong value is the last one, if any. */
static int
apply(struct config *c, const struct config_keyword *k, cfg_opt_t *option,
    char why[CONFIG_MESSAGE_MAX])
{
	unsigned count = cfg_opt_size(option);

	config_clear(c, k);
	for (unsigned i = 0; i < count; i++) {
		int err = config_set(c, k, cfg_opt_getnstr(option, i), why);

		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

/* libconfuse calls this after each value, while the line is still known. */
static int
check_value(cfg_t *cfg, cfg_opt_t *option)
{
	const struct config_keyword *k = config_find(cfg_opt_name(option));
	char why[CONFIG_MESSAGE_MAX];
	unsigned count = cfg_opt_size(option);

	if (k == NULL || count == 0 ||
	    apply(reading.scratch, k, option, why) == ERR_OK)
		return 0;
	cfg_error(cfg, "%s '%.256s': %.512s", k->name,
	    cfg_opt_getnstr(option, count - 1), why);
	return -1;
}

/* One text option a keyword. */
static cfg_t *
make_parser(const char *name)
{
	cfg_opt_t options[CONFIG_ROW_COUNT + 1];
	cfg_t *cfg;

	for (size_t i = 0; i < CONFIG_ROW_COUNT; i++) {
		const struct config_keyword *k = &config_keywords[i];
		cfg_opt_t list = CFG_STR_LIST(k->name, list_unset, CFGF_NONE);
		cfg_opt_t one = CFG_STR(k->name, NULL, CFGF_NODEFAULT);

		options[i] = is_list(k) ? list : one;
	}
	options[CONFIG_ROW_COUNT] = (cfg_opt_t)CFG_END();
	cfg = cfg_init(options, CFGF_NONE);
	if (cfg == NULL)
		return NULL;
	cfg_set_error_function(cfg, keep_error);
	for (size_t i = 0; i < CONFIG_ROW_COUNT; i++)
		cfg_set_validate_func(cfg, config_keywords[i].name,
		    check_value);
	cfg->filename = strdup(name);
	return cfg;
}

static bool
was_set(const struct config_keyword *k, cfg_opt_t *option)
{
	if (is_list(k))
		return cfg_opt_size(option) != 1 ||
		       cfg_opt_getnstr(option, 0)[0] != '\0';
	return cfg_opt_size(option) != 0 && cfg_opt_getstr(option) != NULL;
}

/* Everything the file set, into c. */
static int
apply_all(struct config *c, cfg_t *cfg, char why[CONFIG_MESSAGE_MAX])
{
	for (size_t i = 0; i < CONFIG_ROW_COUNT; i++) {
		const struct config_keyword *k = &config_keywords[i];
		cfg_opt_t *option = cfg_getopt(cfg, k->name);
		int err;

		if (!was_set(k, option))
			continue;
		err = apply(c, k, option, why);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

/* --- the text, before libconfuse has it ----------------------------------- */

/* Where the quoted string that begins at `at` ends: behind its last quote. */
static char *
skip_quoted(char *at, const char *end)
{
	char quote = *at++;

	while (at < end && *at != quote)
		at += *at == '\\' && end - at > 1 ? 2 : 1;
	return at < end ? at + 1 : at;
}

/* The length of the comment that begins at `at`; 0: none does. */
static size_t
comment_length(const char *at, const char *end, bool inside_word)
{
	size_t left = (size_t)(end - at);
	const char *last;

	if (*at == '#' ||
	    (!inside_word && left >= 2 && at[0] == '/' && at[1] == '/')) {
		last = memchr(at, '\n', left);
		return last == NULL ? left : (size_t)(last - at);
	}
	if (inside_word || left < 4 || at[0] != '/' || at[1] != '*')
		return 0;
	last = memmem(at + 2, left - 2, "*/", 2);
	return last == NULL ? 0 : (size_t)(last + 2 - at);
}

/*
 * Comments become spaces: libconfuse 3.3 counts their lines more than once,
 * and a message must name the right line. Its rules: "//" and "/" "*" begin
 * one only where a word could, '#' anywhere outside quotes.
 */
static void
blank_comments(char *text, size_t length)
{
	char *end = text + length;
	bool inside_word = false;

	for (char *at = text; at < end;) {
		size_t comment = comment_length(at, end, inside_word);

		for (; comment > 0; comment--, at++)
			if (*at != '\n')
				*at = ' ';
		if (at == end)
			break;
		if (*at == '"' || *at == '\'') {
			at = skip_quoted(at, end);
			inside_word = false;
		} else {
			inside_word = strchr(" \t\r\n={}(),+", *at) == NULL;
			at++;
		}
	}
}

/* libconfuse reads streams; its scanner ends the process on a read error. */
static int
parse(cfg_t *cfg, char *text, size_t length)
{
	FILE *in;
	int result;

	if (length == 0)
		return CFG_SUCCESS; /* nothing set: fmemopen() refuses it */
	if (memchr(text, '\0', length) != NULL) {
		cfg_error(cfg, "%s", "a NUL octet: this is no text");
		return CFG_PARSE_ERROR;
	}
	blank_comments(text, length);
	in = fmemopen(text, length, "r");
	if (in == NULL)
		return CFG_FILE_ERROR;
	result = cfg_parse_fp(cfg, in);
	fclose(in);
	return result;
}

int
config_read_text(struct config *c, const char *text, size_t length,
    const char *name, char message[CONFIG_MESSAGE_MAX])
{
	struct config *scratch = malloc(sizeof(*scratch));
	char *copy = malloc(length + 1);
	cfg_t *cfg = make_parser(name);
	int err = ERR_NOMEM;

	message[0] = '\0';
	if (scratch == NULL || copy == NULL || cfg == NULL ||
	    cfg->filename == NULL) {
		snprintf(message, CONFIG_MESSAGE_MAX, "%s: no memory", name);
		goto out;
	}
	memcpy(copy, text, length);
	*scratch = *c;
	reading = (struct reading){ scratch, message };
	err = ERR_FORMAT;
	if (parse(cfg, copy, length) != CFG_SUCCESS) {
		if (message[0] == '\0')
			snprintf(message, CONFIG_MESSAGE_MAX,
			    "%s:%d: syntax error", name, cfg->line);
		goto out;
	}
	*scratch = *c;
	err = apply_all(scratch, cfg, message);
	if (err == ERR_OK)
		*c = *scratch;
out:
	reading = (struct reading){ NULL, NULL };
	if (cfg != NULL)
		cfg_free(cfg);
	free(copy);
	free(scratch);
	return err;
}

int
config_read_file(struct config *c, const char *path,
    char message[CONFIG_MESSAGE_MAX])
{
	char *text = malloc(CONFIG_FILE_MAX + 1);
	FILE *in = fopen(path, "re");
	size_t length = 0;
	int err = ERR_IO;

	if (text == NULL || in == NULL) {
		snprintf(message, CONFIG_MESSAGE_MAX, "%s: %s", path,
		    text == NULL ? "no memory" : strerror(errno));
		goto out;
	}
	length = fread(text, 1, CONFIG_FILE_MAX + 1, in);
	if (ferror(in) != 0 || length > CONFIG_FILE_MAX) {
		snprintf(message, CONFIG_MESSAGE_MAX, "%s: %s", path,
		    ferror(in) != 0 ? "cannot be read"
				    : "larger than a configuration can be");
		goto out;
	}
	err = config_read_text(c, text, length, path, message);
out:
	if (in != NULL)
		fclose(in);
	free(text);
	return err;
}
