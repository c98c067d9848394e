/* SPDX-License-Identifier: Apache-2.0 */
/* The summary of a replay. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "client/rows.h"
#include "common/table.h"
#include "daemon/summary.h"
#include "exposure/finding.h"
#include "store/query.h"

#define SHOWN_MAX   40	  /* rows of one list */
#define SOURCES_MAX 65536 /* told apart; the events of others are pooled */
#define TOP_SOURCES 10

/* One list: what is shown of it, and how many rows it has. */
struct listing {
	json_t *shown;
	uint64_t count;
};

/* A query_row_fn. */
static int
take_row(const char *json, void *arg)
{
	struct listing *l = arg;
	json_t *row;

	l->count++;
	if (json_array_size(l->shown) >= SHOWN_MAX)
		return 0;
	row = json_loads(json, 0, NULL);
	return row != NULL && json_array_append_new(l->shown, row) == 0 ? 0
									: -1;
}

/* Every row of a list, page by page. */
static int
each_row(struct query *q, enum query_list list, query_row_fn fn, void *arg)
{
	struct query_filter filter;
	char next[QUERY_CURSOR_MAX] = "";

	memset(&filter, 0, sizeof(filter));
	filter.limit = QUERY_LIMIT_MAX;
	filter.proto = QUERY_PROTO_ANY;
	do {
		int err;

		memcpy(filter.cursor, next, sizeof(next));
		err = query_list(q, list, &filter, fn, arg, next);
		if (err != ERR_OK)
			return err;
	} while (next[0] != '\0');
	return ERR_OK;
}

static int
print_list(struct query *q, enum query_list list, const char *title,
    const char *const *columns, FILE *out)
{
	struct listing l = { json_array(), 0 };
	int err = l.shown == NULL ? ERR_NOMEM : each_row(q, list, take_row, &l);

	if (err == ERR_OK) {
		fprintf(out, "\n%s: %" PRIu64 "\n", title, l.count);
		if (l.count != 0)
			rows_print(l.shown, columns, "  ", out);
		if (l.count > json_array_size(l.shown))
			fprintf(out, "  ... and %" PRIu64 " more\n",
			    l.count - json_array_size(l.shown));
	}
	json_decref(l.shown);
	return err;
}

/* --- scan events: how many of each kind, and from whom -------------------- */

struct source {
	uint64_t events;
	struct addr address;
};

struct tally {
	uint64_t count;
	uint64_t kinds[TECHNIQUE_COUNT][ANSWER_COUNT];
	uint64_t pooled;       /* events of sources beyond SOURCES_MAX */
	struct table *numbers; /* from addresses to places in sources[] */
	struct source *sources;
	uint32_t source_count;
};

/* The number of a word, by the function that names them. */
static unsigned
word_number(const json_t *word, const char *(*name)(unsigned), unsigned count)
{
	const char *text = json_string_value(word);

	for (unsigned i = 0; text != NULL && i < count; i++)
		if (strcmp(name(i), text) == 0)
			return i;
	return count;
}

static void
count_source(struct tally *t, const char *text)
{
	struct addr address;
	uint32_t *number;

	if (text == NULL || addr_parse(text, &address) != ERR_OK)
		return;
	number = table_find(t->numbers, &address);
	if (number == NULL) {
		number = table_insert(t->numbers, &address);
		if (number == NULL) {
			t->pooled++;
			return;
		}
		*number = t->source_count++;
		t->sources[*number].address = address;
	}
	t->sources[*number].events++;
}

/* A query_row_fn. */
static int
take_event(const char *json, void *arg)
{
	struct tally *t = arg;
	json_t *row = json_loads(json, 0, NULL);
	unsigned technique = word_number(json_object_get(row, "technique"),
	    technique_name, TECHNIQUE_COUNT);
	unsigned answer = word_number(json_object_get(row, "answer"),
	    answer_name, ANSWER_COUNT);

	t->count++;
	if (technique < TECHNIQUE_COUNT && answer < ANSWER_COUNT)
		t->kinds[technique][answer]++;
	count_source(t, json_string_value(json_object_get(row, "src")));
	json_decref(row);
	return 0;
}

/* Most events first, then by address: the same order each time. */
static int
compare_sources(const void *left, const void *right)
{
	const struct source *a = left;
	const struct source *b = right;

	if (a->events != b->events)
		return a->events > b->events ? -1 : 1;
	return addr_compare(&a->address, &b->address);
}

static void
print_tally(struct tally *t, FILE *out)
{
	char text[ADDR_TEXT_MAX];

	fprintf(out, "\nscan events: %" PRIu64 "\n", t->count);
	for (unsigned i = 0; i < TECHNIQUE_COUNT; i++) {
		uint64_t sum = 0;

		for (unsigned a = 0; a < ANSWER_COUNT; a++)
			sum += t->kinds[i][a];
		if (sum == 0)
			continue;
		fprintf(out, "  %-7s %8" PRIu64 " ", technique_name(i), sum);
		for (unsigned a = 0; a < ANSWER_COUNT; a++)
			if (t->kinds[i][a] != 0)
				fprintf(out, "  %s %" PRIu64, answer_name(a),
				    t->kinds[i][a]);
		fputc('\n', out);
	}
	if (t->source_count == 0)
		return;
	fprintf(out, "\nsources of scan events: %s%" PRIu32 "\n",
	    t->pooled != 0 ? "more than " : "", t->source_count);
	qsort(t->sources, t->source_count, sizeof(t->sources[0]),
	    compare_sources);
	for (uint32_t i = 0; i < t->source_count && i < TOP_SOURCES; i++)
		fprintf(out, "  %-39s %8" PRIu64 "\n",
		    addr_format(&t->sources[i].address, text),
		    t->sources[i].events);
	if (t->source_count > TOP_SOURCES)
		fprintf(out, "  ... and %" PRIu32 " more\n",
		    t->source_count - TOP_SOURCES);
}

static int
print_scan_events(struct query *q, FILE *out)
{
	struct hash_key key = hash_key_random();
	struct tally *t = calloc(1, sizeof(*t));
	int err = ERR_NOMEM;

	if (t == NULL)
		return err;
	t->numbers =
	    table_new(SOURCES_MAX, sizeof(struct addr), sizeof(uint32_t), &key);
	t->sources = calloc(SOURCES_MAX, sizeof(t->sources[0]));
	if (t->numbers != NULL && t->sources != NULL)
		err = each_row(q, QUERY_SCAN_EVENTS, take_event, t);
	if (err == ERR_OK)
		print_tally(t, out);
	table_free(t->numbers);
	free(t->sources);
	free(t);
	return err;
}

/* --- datagrams and records ------------------------------------------------ */

static void
print_counts(const struct counters *c, FILE *out)
{
	static const struct {
		enum counter which;
		const char *why;
	} refusals[] = {
		{ COUNTER_REFUSED_NOT_EXPORT, "no flow export" },
		{ COUNTER_REFUSED_SHORT, "too short" },
		{ COUNTER_REFUSED_MALFORMED, "malformed" },
		{ COUNTER_REFUSED_EXPORTER_LIMIT, "too many exporters" },
	};

	fprintf(out, "datagrams: %" PRIu64 " read, %" PRIu64 " flow exports\n",
	    counter_get(c, COUNTER_DATAGRAMS_RECEIVED),
	    counter_get(c, COUNTER_DATAGRAMS_DECODED));
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (counter_get(c, refusals[i].which) != 0)
			fprintf(out, "  refused: %" PRIu64 " %s\n",
			    counter_get(c, refusals[i].which), refusals[i].why);
	if (counter_get(c, COUNTER_CAPTURE_PACKETS_IGNORED) != 0)
		fprintf(out,
		    "  not datagrams: %" PRIu64 " packets of the capture\n",
		    counter_get(c, COUNTER_CAPTURE_PACKETS_IGNORED));
	fprintf(out,
	    "records: %" PRIu64 " decoded, %" PRIu64 " refused, %" PRIu64
	    " unusable; %" PRIu64 " sets without a known template\n",
	    counter_get(c, COUNTER_RECORDS_DELIVERED),
	    counter_get(c, COUNTER_RECORDS_REFUSED),
	    counter_get(c, COUNTER_RECORDS_UNUSABLE),
	    counter_get(c, COUNTER_SETS_UNKNOWN_TEMPLATE));
}

int
summary_print(const char *store, const struct counters *counters, FILE *out)
{
	static const char *const exporters[] = { "address", "domain",
		"protocol", "datagrams", "records", "lost", NULL };
	static const char *const exposures[] = { "host", "proto", "port",
		"tier", "rule", "clients", NULL };
	static const char *const darkports[] = { "host", "proto", "port",
		"opened_at", "first_client", "first_client_had_probed", NULL };
	struct query *q;
	int err = query_open(store, &q);

	if (err != ERR_OK)
		return err;
	print_counts(counters, out);
	err = print_list(q, QUERY_EXPORTERS, "exporters", exporters, out);
	if (err == ERR_OK)
		err =
		    print_list(q, QUERY_EXPOSURES, "exposures", exposures, out);
	if (err == ERR_OK)
		err = print_list(q, QUERY_TRANS_DARKPORTS, "trans-darkports",
		    darkports, out);
	if (err == ERR_OK)
		err = print_scan_events(q, out);
	query_close(q);
	return err;
}
