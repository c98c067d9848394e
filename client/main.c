/* SPDX-License-Identifier: Apache-2.0 */
/*
 * darkport: asks a running darkportd, and prints the answer.
 * Exit codes: 0 answered, 1 failed or refused, 2 usage.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "client/fetch.h"
#include "client/rows.h"

#define DEFAULT_URL   "http://127.0.0.1:8080"
#define PATH_TEXT_MAX 3072
#define EXIT_USAGE    2

struct command {
	const char *name;
	const char *path;	    /* %s: the argument */
	const char *const *columns; /* of the table; NULL: all */
	const char *argument;	    /* stands for %s; NULL: takes none */
};

static const char *const exposure_columns[] = { "host", "proto", "port",
	"state", "tier", "verdict", "first_seen", "last_seen", "accepted",
	"clients", "rule", "confidence", NULL };
static const char *const darkport_columns[] = { "id", "host", "proto", "port",
	"opened_at", "first_client", "first_client_had_probed", "state", NULL };
static const char *const event_columns[] = { "ts", "src", "dst", "proto",
	"port", "technique", "answer", "place", "phase", NULL };

static const char *const exporter_columns[] = { "address", "domain", "protocol",
	"name", "last_seen", "datagrams", "records", "lost", "share_lost",
	"sampling", "clock_offset_ms", NULL };

static const struct command commands[] = {
	{ "status", "/api/v1/status", NULL, NULL },
	{ "exposures", "/api/v1/exposures", exposure_columns, NULL },
	{ "hosts", "/api/v1/hosts", NULL, NULL },
	{ "host", "/api/v1/hosts/%s", NULL, "ADDRESS" },
	{ "darkports", "/api/v1/hosts/%s/darkports", NULL, "ADDRESS" },
	{ "trans-darkports", "/api/v1/trans-darkports", darkport_columns,
	    NULL },
	{ "scan-events", "/api/v1/scan-events", event_columns, NULL },
	{ "exposure-evidence", "/api/v1/exposures/%s/evidence", NULL, "ID" },
	{ "scan-event-evidence", "/api/v1/scan-events/%s/evidence", NULL,
	    "ID" },
	{ "exporters", "/api/v1/exporters", exporter_columns, NULL },
	{ "exporter-events", "/api/v1/exporter-events", NULL, NULL },
	{ "exporter-hours", "/api/v1/exporter-hours", NULL, NULL },
	{ "completeness", "/api/v1/completeness", NULL, NULL },
	{ "host-guards", "/api/v1/host-guards", NULL, NULL },
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void
print_usage(FILE *out)
{
	fputs("usage: darkport [-u URL] [-o table|json] COMMAND "
	      "[KEY=VALUE]...\n\ncommands:\n",
	    out);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(out, "  %s%s%s\n", commands[i].name,
		    commands[i].argument != NULL ? " " : "",
		    commands[i].argument != NULL ? commands[i].argument : "");
	fputs("\n  -u URL   where darkportd answers (" DEFAULT_URL ")\n"
	      "  -o FORM  table (the default) or json\n"
	      "  -V       print the version\n"
	      "  -h       print this\n"
	      "\nKEY=VALUE are the parameters of the API: net=, host=, port=, "
	      "proto=,\nstate=, from=, to=, src=, dst=, exporter=, domain=, "
	      "limit=, cursor=\n",
	    out);
}

static int
refuse_usage(const char *what, const char *why)
{
	fprintf(stderr, "darkport: '%s': %s (darkport -h tells more)\n", what,
	    why);
	return EXIT_USAGE;
}

/* Appends text as RFC 3986 wants it; false: no room. */
static bool
append_encoded(char path[PATH_TEXT_MAX], const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~:,";
	size_t used = strlen(path);

	for (; *text != '\0'; text++) {
		if (used + 4 > PATH_TEXT_MAX)
			return false;
		if (strchr(plain, *text) != NULL)
			path[used++] = *text;
		else
			used += (size_t)snprintf(path + used, 4, "%%%02X",
			    (unsigned char)*text);
		path[used] = '\0';
	}
	return true;
}

static bool
append(char path[PATH_TEXT_MAX], const char *text)
{
	size_t used = strlen(path);

	if (used + strlen(text) + 1 > PATH_TEXT_MAX)
		return false;
	memcpy(path + used, text, strlen(text) + 1);
	return true;
}

/* The path and query of a request; words are the argument and KEY=VALUE. */
static int
make_path(const struct command *c, char **words, char path[PATH_TEXT_MAX])
{
	const char *hole = strstr(c->path, "%s");
	bool fits = true;
	char separator[2] = "?";

	path[0] = '\0';
	if (c->argument != NULL) {
		if (*words == NULL || strchr(*words, '=') != NULL)
			return refuse_usage(c->name,
			    strcmp(c->argument, "ID") == 0
				? "needs an id"
				: "needs an address");
		snprintf(path, PATH_TEXT_MAX, "%.*s", (int)(hole - c->path),
		    c->path);
		fits = append_encoded(path, *words++) && append(path, hole + 2);
	} else {
		snprintf(path, PATH_TEXT_MAX, "%s", c->path);
	}
	for (; *words != NULL && fits; words++) {
		char *value = strchr(*words, '=');

		if (value == NULL || value == *words)
			return refuse_usage(*words, "not KEY=VALUE");
		*value++ = '\0';
		fits = append(path, separator) &&
		       append_encoded(path, *words) && append(path, "=") &&
		       append_encoded(path, value);
		separator[0] = '&';
	}
	return fits ? 0 : refuse_usage(c->name, "too many parameters");
}

/* An object as lines of "key  value". */
static void
print_object(json_t *object)
{
	const char *key;
	json_t *value;
	char text[ROWS_CELL_MAX];

	json_object_foreach(object, key, value)
	{
		if (json_is_array(value) &&
		    json_is_object(json_array_get(value, 0))) {
			printf("%s\n", key);
			rows_print(value, NULL, "  ", stdout);
		} else if (json_is_object(value)) {
			char *compact = json_dumps(value, JSON_COMPACT);

			printf("%-20s  %s\n", key,
			    compact != NULL ? compact : "?");
			free(compact);
		} else {
			printf("%-20s  %s\n", key, rows_cell(value, text));
		}
	}
}

static int
print_table(const struct command *c, json_t *answer)
{
	json_t *data = json_object_get(answer, "data");
	const char *next = json_string_value(json_object_get(answer, "next"));

	if (data == NULL)
		data = answer;
	if (json_is_array(data))
		rows_print(data, c->columns, "", stdout);
	else
		print_object(data);
	if (next != NULL)
		fprintf(stderr, "darkport: there is more: add cursor=%s\n",
		    next);
	return 0;
}

/* RFC 9457: title and detail say what was wrong. */
static int
print_problem(int status, json_t *answer)
{
	const char *title = json_string_value(json_object_get(answer, "title"));
	const char *detail =
	    json_string_value(json_object_get(answer, "detail"));

	fprintf(stderr, "darkport: %d %s%s%s\n", status,
	    title != NULL ? title : "the server refused",
	    detail != NULL ? ": " : "", detail != NULL ? detail : "");
	return 1;
}

static int
ask(const char *url, const struct command *c, const char *path, bool as_json)
{
	char message[FETCH_MESSAGE_MAX];
	struct fetched f;
	json_t *answer;
	int code = 0;

	if (fetch(url, path, &f, message) != ERR_OK) {
		fprintf(stderr, "darkport: %s\n", message);
		return 1;
	}
	answer = json_loads(f.body, 0, NULL);
	if (f.status != 200) {
		code = print_problem(f.status, answer);
	} else if (answer == NULL) {
		fputs("darkport: the answer is no JSON\n", stderr);
		code = 1;
	} else if (as_json) {
		printf("%s\n", f.body);
	} else {
		code = print_table(c, answer);
	}
	json_decref(answer);
	free(f.answer);
	if (fflush(stdout) != 0)
		code = 1;
	return code;
}

int
main(int argc, char **argv)
{
	const struct command *command = NULL;
	const char *url = DEFAULT_URL;
	char path[PATH_TEXT_MAX];
	bool as_json = false;
	int flag;
	int code;

	while ((flag = getopt(argc, argv, "u:o:Vh")) != -1) {
		if (flag == 'u') {
			url = optarg;
		} else if (flag == 'o') {
			as_json = strcmp(optarg, "json") == 0;
			if (!as_json && strcmp(optarg, "table") != 0)
				return refuse_usage(optarg,
				    "not table or json");
		} else if (flag == 'V') {
			puts("darkport " DARKPORT_VERSION);
			return 0;
		} else {
			print_usage(flag == 'h' ? stdout : stderr);
			return flag == 'h' ? 0 : EXIT_USAGE;
		}
	}
	if (optind == argc) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(commands[i].name, argv[optind]) == 0)
			command = &commands[i];
	if (command == NULL)
		return refuse_usage(argv[optind], "no such command");
	code = make_path(command, argv + optind + 1, path);
	return code != 0 ? code : ask(url, command, path, as_json);
}
