/* SPDX-License-Identifier: Apache-2.0 */
/* The questions: rows, filters, pages, and what is refused. */
#include "tests/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <sqlite3.h>

#include "store/query.h"
#include "store/reader.h"

/* --- asking --------------------------------------------------------------- */

static struct query *
open_query(const struct fixture *x)
{
	struct query *q = NULL;

	assert_ok(query_open(x->path, &q));
	return q;
}

/* A store with the small world in it, and a reader of it. */
static struct query *
open_world(struct fixture *x)
{
	fixture_open(x);
	fixture_write(x, fixture_world(5));
	return open_query(x);
}

/* Appends each row, parsed, to a JSON array. */
static int
collect(const char *json, void *arg)
{
	json_t *row = json_loads(json, 0, NULL);

	if (row == NULL)
		fail_msg("no JSON: %s", json);
	return json_array_append_new(arg, row) == 0 ? ERR_OK : ERR_NOMEM;
}

static struct query_filter
everything(void)
{
	return (struct query_filter){ .limit = QUERY_LIMIT_MAX };
}

/* Every row of a list, page after page. owned: json_decref(). */
static json_t *
walk(struct query *q, enum query_list list, struct query_filter filter)
{
	json_t *rows = json_array();

	do {
		char next[QUERY_CURSOR_MAX];
		size_t before = json_array_size(rows);

		assert_ok(query_list(q, list, &filter, collect, rows, next));
		assert_true(json_array_size(rows) - before <= filter.limit);
		snprintf(filter.cursor, sizeof(filter.cursor), "%s", next);
	} while (filter.cursor[0] != '\0');
	return rows;
}

static size_t
count(struct query *q, enum query_list list, struct query_filter filter)
{
	json_t *rows = walk(q, list, filter);
	size_t n = json_array_size(rows);

	json_decref(rows);
	return n;
}

static const char *
text_of(const json_t *row, const char *key)
{
	const json_t *value = json_object_get(row, key);

	if (!json_is_string(value))
		fail_msg("no text %s", key);
	return json_string_value(value);
}

static json_int_t
int_of(const json_t *row, const char *key)
{
	const json_t *value = json_object_get(row, key);

	if (!json_is_integer(value))
		fail_msg("no integer %s", key);
	return json_integer_value(value);
}

/* One row of a question about one thing. owned: json_decref(). */
static json_t *
only_row(json_t *rows)
{
	json_t *row;

	assert_int_equal(json_array_size(rows), 1);
	row = json_incref(json_array_get(rows, 0));
	json_decref(rows);
	return row;
}

static json_t *
host_row(struct query *q, const char *address)
{
	struct addr a = fixture_addr(address);
	json_t *rows = json_array();

	assert_ok(query_host(q, &a, collect, rows));
	return only_row(rows);
}

static json_t *
darkports_row(struct query *q, const char *address, int proto)
{
	struct addr a = fixture_addr(address);
	json_t *rows = json_array();

	assert_ok(query_darkports(q, &a, proto, collect, rows));
	return only_row(rows);
}

/* --- opening -------------------------------------------------------------- */

static void
query_open_refuses_what_is_no_store(void **state)
{
	struct fixture *x = *state;
	struct query *q = NULL;
	sqlite3 *db;

	assert_int_equal(query_open(x->path, &q), ERR_IO);
	fixture_write_file(x->path, "not a database, only some text", 30);
	assert_int_equal(query_open(x->path, &q), ERR_FORMAT);
	assert_int_equal(remove(x->path), 0);
	fixture_open(x);
	fixture_close(x);
	assert_int_equal(sqlite3_open(x->path, &db), SQLITE_OK);
	sqlite3_exec(db, "PRAGMA user_version = 50", NULL, NULL, NULL);
	assert_int_equal(query_open(x->path, &q), ERR_VERSION);
	sqlite3_exec(db, "PRAGMA application_id = 50", NULL, NULL, NULL);
	assert_int_equal(query_open(x->path, &q), ERR_FORMAT);
	sqlite3_close(db);
	assert_null(q);
}

static void
query_works_on_a_store_without_a_batch(void **state)
{
	struct fixture *x = *state;
	struct query_totals totals;
	uint64_t generation = 9;
	struct query *q;
	json_t *rows = json_array(), *row;

	fixture_open(x);
	q = open_query(x);
	for (int list = 0; list < QUERY_LIST_COUNT; list++)
		assert_int_equal(count(q, (enum query_list)list, everything()),
		    0);
	assert_ok(query_totals(q, &totals));
	assert_int_equal(totals.scan_events, 0);
	assert_ok(query_generation(q, &generation));
	assert_int_equal(generation, 0);
	assert_ok(query_status(q, collect, rows));
	row = only_row(rows);
	assert_true(json_is_null(json_object_get(row, "phase")));
	json_decref(row);
	query_close(q);
}

static void
query_sees_batches_as_they_are_committed(void **state)
{
	struct fixture *x = *state;
	struct query *q = open_world(x);
	struct finding_batch *b = fixture_batch(6, 1);
	uint64_t generation = 0;

	assert_ok(query_generation(q, &generation));
	assert_int_equal(generation, 5);
	add_exposure(b, 100);
	fixture_write(x, b);
	assert_ok(query_generation(q, &generation));
	assert_int_equal(generation, 6);
	assert_int_equal(count(q, QUERY_EXPOSURES, everything()), 12);
	query_close(q);
}

static void
query_reads_a_store_nobody_writes(void **state)
{
	struct fixture *x = *state;
	struct query *q;

	fixture_open(x);
	fixture_write(x, fixture_world(1));
	fixture_close(x);
	q = open_query(x);
	assert_int_equal(count(q, QUERY_EXPOSURES, everything()), 11);
	query_close(q);
}

/* --- rows ----------------------------------------------------------------- */

static void
exposures_have_the_views_columns_and_iso_times(void **state)
{
	struct fixture *x = *state;
	struct query *q = open_world(x);
	json_t *rows = walk(q, QUERY_EXPOSURES, everything());
	const json_t *row = json_array_get(rows, 0);

	assert_int_equal(json_array_size(rows), 11);
	assert_string_equal(text_of(row, "host"), "10.0.0.2");
	assert_string_equal(text_of(row, "proto"), "tcp");
	assert_int_equal(int_of(row, "port"), 20);
	assert_string_equal(text_of(row, "state"), "open");
	assert_string_equal(text_of(row, "tier"), "confirmed");
	assert_string_equal(text_of(row, "verdict"), "unvetted");
	assert_string_equal(text_of(row, "first_seen"), "2026-09-21T14:13:20Z");
	assert_string_equal(text_of(row, "last_seen"), "2026-09-21T15:13:20Z");
	assert_true(json_is_null(json_object_get(row, "closed_at")));
	assert_int_equal(int_of(row, "accepted"), 14);
	assert_int_equal(int_of(row, "clients"), 13);
	assert_string_equal(text_of(row, "rule"), "A1:D1");
	assert_string_equal(text_of(row, "confidence"), "high");
	assert_string_equal(text_of(row, "first_client"), "203.0.113.5");
	assert_string_equal(text_of(row, "exporter"), "192.0.2.1");
	/* by address, and IPv4 (mapped) is before 2001:: */
	row = json_array_get(rows, 10);
	assert_string_equal(text_of(row, "host"), "2001:db8::80");
	assert_true(json_is_null(json_object_get(row, "first_client")));
	json_decref(rows);
	query_close(q);
}

static void
scan_events_come_newest_first(void **state)
{
	struct fixture *x = *state;
	struct query *q = open_world(x);
	json_t *rows = walk(q, QUERY_SCAN_EVENTS, everything());
	const json_t *row = json_array_get(rows, 0);

	assert_int_equal(json_array_size(rows), 30);
	for (size_t i = 0; i < 30; i++)
		assert_int_equal(int_of(json_array_get(rows, i), "id"), 30 - i);
	assert_string_equal(text_of(row, "ts"), "2026-09-21T14:13:29Z");
	assert_string_equal(text_of(row, "src"), "203.0.113.31");
	assert_string_equal(text_of(row, "dst"), "10.0.0.31");
	assert_string_equal(text_of(row, "technique"), "syn");
	assert_string_equal(text_of(row, "answer"), "refused");
	assert_string_equal(text_of(row, "place"), "nem");
	assert_string_equal(text_of(row, "phase"), "operation");
	assert_string_equal(text_of(row, "rule"), "R1");
	json_decref(rows);
	query_close(q);
}

static void
trans_darkports_hosts_and_exporters_are_rows(void **state)
{
	struct fixture *x = *state;
	struct query *q = open_world(x);
	json_t *rows = walk(q, QUERY_TRANS_DARKPORTS, everything());
	const json_t *row = json_array_get(rows, 1);

	assert_int_equal(json_array_size(rows), 4);
	assert_int_equal(int_of(json_array_get(rows, 0), "id"), 11);
	assert_int_equal(int_of(row, "id"), 8);
	assert_string_equal(text_of(row, "opened_at"), "2026-09-21T14:13:28Z");
	assert_string_equal(text_of(row, "dark_since"), "2026-09-21T14:13:20Z");
	assert_true(
	    json_is_true(json_object_get(row, "first_client_had_probed")));
	assert_string_equal(text_of(row, "state"), "new");
	json_decref(rows);
	rows = walk(q, QUERY_HOSTS, everything());
	assert_int_equal(json_array_size(rows), 4);
	row = json_array_get(rows, 0);
	assert_string_equal(text_of(row, "host"), "10.0.0.2");
	assert_string_equal(text_of(row, "label"), "servers");
	assert_int_equal(int_of(row, "exposed"), 4);
	json_decref(rows);
	rows = walk(q, QUERY_EXPORTERS, everything());
	assert_int_equal(json_array_size(rows), 3);
	row = json_array_get(rows, 2);
	assert_string_equal(text_of(row, "address"), "192.0.2.3");
	assert_string_equal(text_of(row, "protocol"), "ipfix");
	assert_int_equal(int_of(row, "domain"), 4294967293);
	assert_int_equal(int_of(row, "lost"), 2);
	assert_string_equal(text_of(row, "name"), "edge2");
	assert_int_equal(int_of(row, "sampling"), 100);
	assert_int_equal(int_of(row, "clock_offset_ms"), -13);
	assert_int_equal(int_of(row, "idle_timeout"), 30);
	assert_true(json_is_true(json_object_get(row, "shared_address")));
	row = json_array_get(rows, 0);
	assert_true(json_is_null(json_object_get(row, "idle_timeout")));
	assert_true(json_is_false(json_object_get(row, "shared_address")));
	json_decref(rows);
	query_close(q);
}

static void
exporter_events_and_completeness_are_rows(void **state)
{
	struct fixture *x = *state;
	struct query *q = open_world(x);
	struct query_filter f = everything();
	json_t *rows, *row;

	rows = walk(q, QUERY_EXPORTER_EVENTS, f);
	assert_int_equal(json_array_size(rows), 1);
	row = json_array_get(rows, 0);
	assert_string_equal(text_of(row, "property"), "visibility");
	assert_string_equal(text_of(row, "from"), "unknown");
	assert_string_equal(text_of(row, "to"), "both");
	assert_int_equal(int_of(row, "samples"), 100);
	json_decref(rows);

	rows = walk(q, QUERY_EXPORTERS, f);
	row = json_array_get(json_array_get(rows, 0), 0);
	assert_null(row);
	row = json_object_get(json_array_get(rows, 0), "feed");
	assert_int_equal(json_array_size(row), 2);
	assert_string_equal(text_of(json_array_get(row, 1), "network"),
	    "10.0.0.0/24");
	assert_string_equal(text_of(json_array_get(row, 1), "value"),
	    "one_sided");
	assert_int_equal(int_of(json_array_get(row, 0), "samples"), 812);
	json_decref(rows);

	/* three hours of one exporter, and one of nobody's */
	rows = walk(q, QUERY_COMPLETENESS, f);
	assert_int_equal(json_array_size(rows), 4);
	row = json_array_get(rows, 2); /* newest first, nobody before all */
	assert_true(json_is_null(json_object_get(row, "exporter")));
	assert_int_equal(int_of(row, "unknown_direction"), 7);
	row = json_array_get(rows, 3);
	assert_int_equal(int_of(row, "decided"), 10);
	assert_int_equal(int_of(row, "unresolved"), 5);
	assert_float_equal(json_real_value(json_object_get(row, "share")),
	    0.666667, 1e-6);
	assert_int_equal(int_of(json_object_get(row, "reasons"), "sampled"), 5);
	json_decref(rows);
	f.has_host = true;
	f.host = fixture_addr("192.0.2.99");
	assert_int_equal(count(q, QUERY_COMPLETENESS, f), 0);
	query_close(q);
}

/* --- filters -------------------------------------------------------------- */

static size_t
count_net(struct query *q, enum query_list list, const char *net)
{
	struct query_filter f = everything();

	assert_ok(prefix_parse(net, &f.net));
	f.has_net = true;
	f.limit = 2;
	return count(q, list, f);
}

static void
net_filters_either_family(void **state)
{
	struct fixture *x = *state;
	struct query *q = open_world(x);

	assert_int_equal(count_net(q, QUERY_EXPOSURES, "10.0.0.2/32"), 4);
	assert_int_equal(count_net(q, QUERY_EXPOSURES, "10.0.0.2/31"), 8);
	assert_int_equal(count_net(q, QUERY_EXPOSURES, "10.0.0.0/8"), 10);
	assert_int_equal(count_net(q, QUERY_EXPOSURES, "11.0.0.0/8"), 0);
	assert_int_equal(count_net(q, QUERY_EXPOSURES, "2001:db8::/61"), 1);
	assert_int_equal(count_net(q, QUERY_EXPOSURES, "2001:db8::81/128"), 0);
	assert_int_equal(count_net(q, QUERY_EXPOSURES, "::/0"), 11);
	assert_int_equal(count_net(q, QUERY_HOSTS, "10.0.0.0/24"), 3);
	assert_int_equal(count_net(q, QUERY_TRANS_DARKPORTS, "10.0.0.2/32"), 2);
	assert_int_equal(count_net(q, QUERY_SCAN_EVENTS, "10.0.0.8/29"), 8);
	query_close(q);
}

/* The same host in two routing domains and without one, and a neighbour. */
static struct query *
open_domains(struct fixture *x)
{
	static const char *const hosts[] = { "10.0.0.2%7", "10.0.0.2%258",
		"10.1.0.1%258" };
	struct query *q = open_world(x);
	struct finding_batch *b = fixture_batch(6, 16);

	for (uint32_t i = 0; i < 3; i++) {
		struct addr host = fixture_addr(hosts[i]);

		add_host(b, 1)->host.address = host;
		add_exposure(b, 100 + i)->exposure.host = host;
		add_trans_darkport(b, 100 + i)->trans_darkport.host = host;
		add_scan_event(b, 100 + i)->scan_event.dst = host;
	}
	fixture_write(x, b);
	return q;
}

static void
net_without_a_tag_is_in_every_routing_domain(void **state)
{
	struct fixture *x = *state;
	struct query *q = open_domains(x);

	assert_int_equal(count_net(q, QUERY_EXPOSURES, "10.0.0.2/32"), 4 + 2);
	assert_int_equal(count_net(q, QUERY_EXPOSURES, "10.0.0.0/8"), 10 + 3);
	assert_int_equal(count_net(q, QUERY_EXPOSURES, "10.1.0.0/16"), 1);
	assert_int_equal(count_net(q, QUERY_EXPOSURES, "11.0.0.0/8"), 0);
	assert_int_equal(count_net(q, QUERY_EXPOSURES, "2001:db8::/61"), 1);
	assert_int_equal(count_net(q, QUERY_EXPOSURES, "::/0"), 11 + 3);
	assert_int_equal(count_net(q, QUERY_HOSTS, "10.0.0.0/24"), 3 + 2);
	assert_int_equal(count_net(q, QUERY_TRANS_DARKPORTS, "10.0.0.2/32"),
	    2 + 2);
	assert_int_equal(count_net(q, QUERY_SCAN_EVENTS, "10.0.0.8/29"), 8);
	assert_int_equal(count_net(q, QUERY_SCAN_EVENTS, "10.1.0.0/16"), 1);
	query_close(q);
}

/* Newest first: the address before is no reason to leave out lower ones. */
static void
net_of_a_list_by_time_goes_on_at_every_address(void **state)
{
	struct fixture *x = *state;
	struct query *q = open_world(x);
	struct finding_batch *b = fixture_batch(6, 4);
	static const char *const hosts[] = { "10.0.0.3", "10.0.0.4" };

	for (uint32_t i = 0; i < 2; i++)
		finding_batch_add(b, FINDING_HOST_GUARD)->host_guard =
		    (struct finding_host_guard){ .host = fixture_addr(hosts[i]),
			    .since_ms = INT64_C(1900000000000) + i };
	fixture_write(x, b);
	assert_int_equal(count_net(q, QUERY_HOST_GUARDS, "10.0.0.0/24"), 4);
	query_close(q);
}

static void
net_with_a_tag_is_in_its_routing_domain_alone(void **state)
{
	struct fixture *x = *state;
	struct query *q = open_domains(x);

	assert_int_equal(count_net(q, QUERY_EXPOSURES, "10.0.0.2%7"), 1);
	assert_int_equal(count_net(q, QUERY_EXPOSURES, "10.0.0.0%258/8"), 2);
	assert_int_equal(count_net(q, QUERY_EXPOSURES, "0.0.0.0%258/0"), 2);
	assert_int_equal(count_net(q, QUERY_EXPOSURES, "10.0.0.0%9/8"), 0);
	assert_int_equal(count_net(q, QUERY_HOSTS, "10.0.0.0%258/24"), 1);
	assert_int_equal(count_net(q, QUERY_SCAN_EVENTS, "10.0.0.0%7/8"), 1);
	query_close(q);
}

static void
address_is_one_host_of_its_routing_domain(void **state)
{
	struct fixture *x = *state;
	struct query *q = open_domains(x);
	struct query_filter f = everything();
	json_t *rows, *row;

	f.has_host = true;
	f.host = fixture_addr("10.0.0.2%7");
	row = only_row(walk(q, QUERY_EXPOSURES, f));
	assert_string_equal(text_of(row, "host"), "10.0.0.2%7");
	json_decref(row);
	f.host = fixture_addr("10.0.0.2");
	assert_int_equal(count(q, QUERY_EXPOSURES, f), 4);
	f = everything();
	f.has_dst = true;
	f.dst = fixture_addr("10.1.0.1%258");
	row = only_row(walk(q, QUERY_SCAN_EVENTS, f));
	assert_string_equal(text_of(row, "dst"), "10.1.0.1%258");
	json_decref(row);
	/* of IPv4, and behind what has no tag */
	assert_int_equal(fixture_int(x, "SELECT family FROM t_addr "
					"WHERE text = '10.0.0.2%7'"),
	    4);
	rows = walk(q, QUERY_HOSTS, everything());
	assert_string_equal(text_of(json_array_get(rows, 2), "host"),
	    "10.0.0.4");
	assert_string_equal(text_of(json_array_get(rows, 3), "host"),
	    "10.0.0.2%7");
	assert_string_equal(text_of(json_array_get(rows, 4), "host"),
	    "10.0.0.2%258");
	json_decref(rows);
	query_close(q);
}

static void
host_of_a_routing_domain_has_a_page_of_its_own(void **state)
{
	struct fixture *x = *state;
	struct query *q = open_domains(x);
	struct addr outside = fixture_addr("11.0.0.2%7");
	json_t *row = host_row(q, "10.0.0.2%7");
	json_t *rows = json_array();

	assert_string_equal(text_of(row, "host"), "10.0.0.2%7");
	assert_int_equal(json_array_size(json_object_get(row, "services")), 1);
	json_decref(row);
	/* never seen, but internal: its network's label */
	row = host_row(q, "10.0.9.1%7");
	assert_true(json_is_false(json_object_get(row, "populated")));
	assert_string_equal(text_of(row, "label"), "lab");
	json_decref(row);
	assert_int_equal(query_host(q, &outside, collect, rows), ERR_NOTFOUND);
	json_decref(rows);
	query_close(q);
}

static void
host_port_proto_and_state_filter(void **state)
{
	struct fixture *x = *state;
	struct query *q = open_world(x);
	struct query_filter f = everything();

	f.host = fixture_addr("10.0.0.2");
	f.has_host = true;
	assert_int_equal(count(q, QUERY_EXPOSURES, f), 4);
	f.ports[0] = (struct query_port_range){ 21, 22 };
	f.port_count = 1;
	assert_int_equal(count(q, QUERY_EXPOSURES, f), 2);
	f.ports[1] = (struct query_port_range){ 20, 20 };
	f.port_count = 2;
	assert_int_equal(count(q, QUERY_EXPOSURES, f), 3);
	f = everything();
	f.proto = 17;
	assert_int_equal(count(q, QUERY_EXPOSURES, f), 1);
	f.proto = QUERY_PROTO_ANY;
	assert_int_equal(count(q, QUERY_EXPOSURES, f), 11);
	strcpy(f.state, "closed");
	assert_int_equal(count(q, QUERY_EXPOSURES, f), 1);
	strcpy(f.state, "new");
	assert_int_equal(count(q, QUERY_TRANS_DARKPORTS, f), 3);
	f = everything();
	for (f.port_count = 0; f.port_count < QUERY_PORTS_MAX; f.port_count++)
		f.ports[f.port_count].low = f.ports[f.port_count].high =
		    (uint16_t)(f.port_count + 1);
	assert_int_equal(count(q, QUERY_SCAN_EVENTS, f), QUERY_PORTS_MAX);
	query_close(q);
}

static void
times_filter_half_open(void **state)
{
	struct fixture *x = *state;
	struct query *q = open_world(x);
	struct query_filter f = everything();
	int64_t second = 1790000003; /* events 10, 11, 12, 13 */

	f.from_s = second;
	f.has_from = true;
	assert_int_equal(count(q, QUERY_SCAN_EVENTS, f), 21);
	f.to_s = second + 1;
	f.has_to = true;
	f.limit = 3;
	assert_int_equal(count(q, QUERY_SCAN_EVENTS, f), 4);
	f.has_from = false;
	assert_int_equal(count(q, QUERY_SCAN_EVENTS, f), 13);
	f.to_s = f.from_s;
	f.has_from = true;
	assert_int_equal(count(q, QUERY_SCAN_EVENTS, f), 0);
	f.from_s = 1790000007;
	f.to_s = 1790000011;
	assert_int_equal(count(q, QUERY_TRANS_DARKPORTS, f), 2);
	query_close(q);
}

static void
sources_and_targets_filter(void **state)
{
	struct fixture *x = *state;
	struct query *q = open_world(x);
	struct query_filter f = everything();

	f.src = fixture_addr("203.0.113.5");
	f.has_src = true;
	assert_int_equal(count(q, QUERY_SCAN_EVENTS, f), 1);
	f.dst = fixture_addr("10.0.0.5");
	f.has_dst = true;
	assert_int_equal(count(q, QUERY_SCAN_EVENTS, f), 1);
	f.dst = fixture_addr("10.0.0.6");
	assert_int_equal(count(q, QUERY_SCAN_EVENTS, f), 0);
	f.has_src = false;
	assert_int_equal(count(q, QUERY_SCAN_EVENTS, f), 1);
	query_close(q);
}

static void
a_hostile_text_stays_a_text(void **state)
{
	struct fixture *x = *state;
	struct query *q = open_world(x);
	struct query_filter f = everything();

	strcpy(f.state, "' OR 1=1 --");
	assert_int_equal(count(q, QUERY_EXPOSURES, f), 0);
	strcpy(f.state, "open';DROP");
	assert_int_equal(count(q, QUERY_TRANS_DARKPORTS, f), 0);
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM exposures"), 11);
	query_close(q);
}

static void
a_label_with_quotes_is_still_json(void **state)
{
	struct fixture *x = *state;
	struct query *q = open_world(x);
	struct finding_batch *b = fixture_batch(6, 1);
	json_t *row;

	strcpy(add_host(b, 9)->host.label, "a\"b\\c\x01'");
	fixture_write(x, b);
	row = host_row(q, "10.0.0.9");
	assert_string_equal(text_of(row, "label"), "a\"b\\c\x01'");
	json_decref(row);
	query_close(q);
}

/* --- pages ---------------------------------------------------------------- */

static void
write_many(struct fixture *x)
{
	struct finding_batch *b = fixture_batch(1, 9000);

	for (uint32_t n = 1; n <= 1000; n++) {
		add_exposure(b, n);
		add_scan_event(b, n)->scan_event.ts_ms =
		    1790000000000 + n / 50 * 1000; /* 50 a second */
		add_trans_darkport(b, n)->trans_darkport.opened_ms =
		    1790000000000 - n / 7 * 1000;
		add_host(b, n);
	}
	for (uint32_t n = 0; n < 100; n++)
		add_exporter(b, n);
	for (uint32_t n = 0; n < 1000; n++) {
		struct finding *f = finding_batch_add(b, FINDING_FEED_EVENT);

		f->feed_event.id = n + 1;
		f->feed_event.ts_ms = 1790000000000 + n / 50 * 1000;
		f->feed_event.exporter = n % 100;
		f = finding_batch_add(b, FINDING_OUTCOME);
		f->outcome.hour_ms = 1789999200000 + n / 90 * 3600000;
		f->outcome.exporter = n % 90;
		f->outcome.outcome = OUTCOME_SILENT;
		f->outcome.attempts = n + 1;
		f = finding_batch_add(b, FINDING_EXPORTER_HOUR);
		f->exporter_hour.exporter = n % 100;
		f->exporter_hour.hour_ms = 1789999200000 + n / 100 * 3600000;
		f = finding_batch_add(b, FINDING_HOST_GUARD);
		f->host_guard.host = fixture_addr("10.0.0.0");
		f->host_guard.host.octets[15] = (uint8_t)(n % 90);
		f->host_guard.since_ms = 1790000000000 + n / 90 * 1000;
		f->host_guard.until_ms = f->host_guard.since_ms + 1;
	}
	fixture_open(x);
	fixture_write(x, b);
}

static void
pages_put_together_are_the_whole_list(void **state)
{
	static const uint32_t limits[] = { 1, 7, 99, 999, 1000, 1001 };
	struct fixture *x = *state;
	struct query *q;

	write_many(x);
	q = open_query(x);
	for (int list = 0; list < QUERY_LIST_COUNT; list++) {
		json_t *whole = walk(q, (enum query_list)list, everything());

		assert_int_equal(json_array_size(whole),
		    list == QUERY_EXPORTERS ? 100 : 1000);
		for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]);
		     i++) {
			struct query_filter f = everything();
			json_t *parts;

			f.limit = limits[i];
			parts = walk(q, (enum query_list)list, f);
			assert_true(json_equal(whole, parts));
			json_decref(parts);
		}
		json_decref(whole);
	}
	query_close(q);
}

static void
pages_with_filters_are_the_whole_list_too(void **state)
{
	struct fixture *x = *state;
	struct query_filter f = everything();
	json_t *whole, *parts;
	struct query *q;

	write_many(x);
	q = open_query(x);
	assert_ok(prefix_parse("10.0.0.64/26", &f.net));
	f.has_net = true;
	f.ports[0] = (struct query_port_range){ 20, 21 };
	f.port_count = 1;
	f.proto = 6;
	whole = walk(q, QUERY_EXPOSURES, f);
	assert_int_equal(json_array_size(whole), 128);
	f.limit = 5;
	parts = walk(q, QUERY_EXPOSURES, f);
	assert_true(json_equal(whole, parts));
	json_decref(whole);
	json_decref(parts);
	query_close(q);
}

static void
a_cursor_of_another_list_or_filter_is_refused(void **state)
{
	struct fixture *x = *state;
	struct query *q = open_world(x);
	struct query_filter f = everything();
	char next[QUERY_CURSOR_MAX], other[QUERY_CURSOR_MAX] = "untouched";
	json_t *rows = json_array();

	f.limit = 3;
	assert_ok(query_list(q, QUERY_EXPOSURES, &f, collect, rows, next));
	assert_true(next[0] != '\0');
	snprintf(f.cursor, sizeof(f.cursor), "%s", next);
	assert_int_equal(query_list(q, QUERY_HOSTS, &f, collect, rows, other),
	    ERR_FORMAT);
	f.limit = 4; /* no filter: a page may be of another size */
	assert_ok(query_list(q, QUERY_EXPOSURES, &f, collect, rows, next));
	f.proto = 6;
	assert_int_equal(query_list(q, QUERY_EXPOSURES, &f, collect, rows,
			     other),
	    ERR_FORMAT);
	f.proto = 0;
	f.has_from = true;
	assert_int_equal(query_list(q, QUERY_EXPOSURES, &f, collect, rows,
			     other),
	    ERR_FORMAT);
	assert_int_equal(json_array_size(rows), 7);
	assert_string_equal(other, "untouched");
	json_decref(rows);
	query_close(q);
}

static void
garbage_is_no_cursor(void **state)
{
	static const char right_size[] = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
					 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	const char *const texts[] = { "x", "0", "AAAA", "'; --", "\xff\xfe",
		"====", right_size };
	struct fixture *x = *state;
	struct query *q = open_world(x);
	struct query_filter f = everything();
	char next[QUERY_CURSOR_MAX];
	json_t *rows = json_array();

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		snprintf(f.cursor, sizeof(f.cursor), "%s", texts[i]);
		assert_int_equal(query_list(q, QUERY_EXPOSURES, &f, collect,
				     rows, next),
		    ERR_FORMAT);
	}
	memset(f.cursor, 'A', sizeof(f.cursor)); /* not even an end */
	assert_int_equal(query_list(q, QUERY_EXPOSURES, &f, collect, rows,
			     next),
	    ERR_FORMAT);
	assert_int_equal(json_array_size(rows), 0);
	json_decref(rows);
	query_close(q);
}

static int
stop_at_once(const char *json, void *arg)
{
	(void)json;
	++*(int *)arg;
	return ERR_FULL;
}

static void
a_row_function_can_stop_the_list(void **state)
{
	struct fixture *x = *state;
	struct query *q = open_world(x);
	struct query_filter f = everything();
	char next[QUERY_CURSOR_MAX];
	int calls = 0;

	assert_int_equal(query_list(q, QUERY_EXPOSURES, &f, stop_at_once,
			     &calls, next),
	    ERR_FULL);
	assert_int_equal(calls, 1);
	query_close(q);
}

static void
a_question_past_its_deadline_is_busy(void **state)
{
	struct fixture *x = *state;
	struct query_filter f = everything();
	char next[QUERY_CURSOR_MAX];
	json_t *rows = json_array();
	struct query *q;

	write_many(x);
	q = open_query(x);
	q->deadline_ms = 0;
	assert_int_equal(query_list(q, QUERY_SCAN_EVENTS, &f, collect, rows,
			     next),
	    ERR_BUSY);
	q->deadline_ms = QUERY_DEADLINE_MS;
	json_array_clear(rows);
	assert_ok(query_list(q, QUERY_SCAN_EVENTS, &f, collect, rows, next));
	assert_int_equal(json_array_size(rows), 1000);
	json_decref(rows);
	query_close(q);
}

/* --- one address ---------------------------------------------------------- */

static void
a_host_shows_its_map(void **state)
{
	struct fixture *x = *state;
	struct query *q = open_world(x);
	json_t *row = host_row(q, "10.0.0.4");
	/* 12 is a hint, 13 another host's, 14 udp */
	json_t *udp = json_loads("{\"udp\":[53]}", 0, NULL);

	assert_true(json_equal(json_object_get(row, "exposed"), udp));
	assert_true(json_is_true(json_object_get(row, "populated")));
	assert_string_equal(text_of(row, "host"), "10.0.0.4");
	assert_int_equal(json_array_size(json_object_get(row, "services")), 1);
	assert_int_equal(int_of(json_object_get(row, "darkports"), "udp"),
	    65535);
	assert_int_equal(int_of(json_object_get(row, "darkports"), "tcp"),
	    65536);
	json_decref(udp);
	json_decref(row);
	row = host_row(q, "10.0.0.2");
	assert_int_equal(json_array_size(
			     json_object_get(json_object_get(row, "exposed"),
				 "tcp")),
	    4);
	assert_string_equal(text_of(row, "first_seen"), "2026-09-21T14:13:20Z");
	json_decref(row);
	query_close(q);
}

static void
darkspace_is_an_answer_and_outside_is_none(void **state)
{
	struct fixture *x = *state;
	struct query *q = open_world(x);
	struct addr outside = fixture_addr("198.51.100.1");
	json_t *rows = json_array();
	json_t *row = host_row(q, "10.0.9.200");

	assert_true(json_is_false(json_object_get(row, "populated")));
	assert_string_equal(text_of(row, "label"), "lab"); /* the longest */
	assert_int_equal(json_object_size(json_object_get(row, "exposed")), 0);
	assert_int_equal(json_array_size(json_object_get(row, "services")), 0);
	assert_true(json_is_null(json_object_get(row, "first_seen")));
	json_decref(row);
	row = darkports_row(q, "10.0.9.200", 6);
	assert_true(json_is_false(json_object_get(row, "populated")));
	assert_int_equal(json_array_size(json_object_get(row, "ranges")), 0);
	json_decref(row);
	assert_int_equal(query_host(q, &outside, collect, rows), ERR_NOTFOUND);
	assert_int_equal(query_darkports(q, &outside, 6, collect, rows),
	    ERR_NOTFOUND);
	assert_int_equal(json_array_size(rows), 0);
	json_decref(rows);
	query_close(q);
}

static void
assert_ranges(struct query *q, int proto, json_int_t dark, const char *ranges)
{
	json_t *row = darkports_row(q, "10.0.0.2", proto);
	char *text = json_dumps(json_object_get(row, "ranges"), JSON_COMPACT);

	assert_string_equal(text, ranges);
	assert_int_equal(int_of(row, "count"), dark);
	free(text);
	json_decref(row);
}

static void
set_port(struct fixture *x, uint32_t id, uint16_t port)
{
	struct finding_batch *b = fixture_batch(9, 1);
	struct finding_exposure *e = &add_exposure(b, id)->exposure;

	e->host = fixture_addr("10.0.0.2");
	e->port = port;
	fixture_write(x, b);
}

static void
darkports_are_the_gaps_between_exposures(void **state)
{
	struct fixture *x = *state;
	struct query *q = open_world(x);

	assert_ranges(q, 6, 65532, "[\"0-19\",\"24-65535\"]");
	assert_ranges(q, 17, 65536, "[\"0-65535\"]");
	set_port(x, 100, 0);
	set_port(x, 101, 65535);
	set_port(x, 102, 25);
	assert_ranges(q, 6, 65529, "[\"1-19\",\"24\",\"26-65534\"]");
	set_port(x, 103, 25); /* twice there: once */
	assert_ranges(q, 6, 65529, "[\"1-19\",\"24\",\"26-65534\"]");
	query_close(q);
}

static void
status_and_totals_count(void **state)
{
	struct fixture *x = *state;
	struct query *q = open_world(x);
	struct query_totals totals;
	json_t *rows = json_array(), *row, *counts;

	assert_ok(query_totals(q, &totals));
	assert_int_equal(totals.hosts, 4);
	assert_int_equal(totals.exposures_open, 9);
	assert_int_equal(totals.exposures_stale, 1);
	assert_int_equal(totals.exposures_closed, 1);
	assert_int_equal(totals.trans_darkports_new, 3);
	assert_int_equal(totals.scan_events, 30);
	assert_ok(query_status(q, collect, rows));
	row = only_row(rows);
	assert_string_equal(text_of(row, "phase"), "operation");
	assert_int_equal(int_of(row, "generation"), 5);
	assert_string_equal(text_of(json_object_get(row, "training"), "until"),
	    "2026-09-21T15:13:20Z");
	assert_int_equal(json_array_size(json_object_get(row, "networks")), 3);
	counts = json_object_get(row, "counts");
	assert_int_equal(int_of(counts, "hosts"), 4);
	assert_int_equal(int_of(counts, "nem"), 9);
	assert_int_equal(int_of(counts, "trans_darkports"), 4);
	assert_int_equal(int_of(json_object_get(counts, "exposures"), "stale"),
	    1);
	json_decref(row);
	query_close(q);
}

static void
status_knows_training(void **state)
{
	struct fixture *x = *state;
	struct query *q = open_world(x);
	struct finding_batch *b = fixture_batch(6, 1);
	struct finding *f = finding_batch_add(b, FINDING_ENGINE);
	json_t *rows = json_array(), *row;

	f->engine = (struct finding_engine){ 1790000000000, 1789999000000,
		86400000, 1, 1, 1 };
	fixture_write(x, b);
	assert_ok(query_status(q, collect, rows));
	row = only_row(rows);
	assert_string_equal(text_of(row, "phase"), "training");
	json_decref(row);
	query_close(q);
}

static void
a_reader_cannot_write(void **state)
{
	struct fixture *x = *state;
	struct query *q = open_world(x);

	assert_int_not_equal(sqlite3_exec(q->db, "DELETE FROM t_exposure", NULL,
				 NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(count(q, QUERY_EXPOSURES, everything()), 11);
	query_close(q);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		STORE_TEST(query_open_refuses_what_is_no_store),
		STORE_TEST(query_works_on_a_store_without_a_batch),
		STORE_TEST(query_sees_batches_as_they_are_committed),
		STORE_TEST(query_reads_a_store_nobody_writes),
		STORE_TEST(exposures_have_the_views_columns_and_iso_times),
		STORE_TEST(scan_events_come_newest_first),
		STORE_TEST(trans_darkports_hosts_and_exporters_are_rows),
		STORE_TEST(exporter_events_and_completeness_are_rows),
		STORE_TEST(net_filters_either_family),
		STORE_TEST(net_without_a_tag_is_in_every_routing_domain),
		STORE_TEST(net_of_a_list_by_time_goes_on_at_every_address),
		STORE_TEST(net_with_a_tag_is_in_its_routing_domain_alone),
		STORE_TEST(address_is_one_host_of_its_routing_domain),
		STORE_TEST(host_of_a_routing_domain_has_a_page_of_its_own),
		STORE_TEST(host_port_proto_and_state_filter),
		STORE_TEST(times_filter_half_open),
		STORE_TEST(sources_and_targets_filter),
		STORE_TEST(a_hostile_text_stays_a_text),
		STORE_TEST(a_label_with_quotes_is_still_json),
		STORE_TEST(pages_put_together_are_the_whole_list),
		STORE_TEST(pages_with_filters_are_the_whole_list_too),
		STORE_TEST(a_cursor_of_another_list_or_filter_is_refused),
		STORE_TEST(garbage_is_no_cursor),
		STORE_TEST(a_row_function_can_stop_the_list),
		STORE_TEST(a_question_past_its_deadline_is_busy),
		STORE_TEST(a_host_shows_its_map),
		STORE_TEST(darkspace_is_an_answer_and_outside_is_none),
		STORE_TEST(darkports_are_the_gaps_between_exposures),
		STORE_TEST(status_and_totals_count),
		STORE_TEST(status_knows_training),
		STORE_TEST(a_reader_cannot_write),
	};

	return RUN_TESTS(tests);
}
