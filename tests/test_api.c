/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API as its clients see it: a child process over a real store, asked
 * over real HTTP on loopback.
 */
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "api/api.h"
#include "api/http.h"
#include "api/service.h"
#include "store/store.h"
#include "tests/http_client.h"
#include "tests/test.h"

#define NOW_MS	   INT64_C(1790000000000) /* 2026-09-21T14:13:20Z */
#define HOUR_MS	   INT64_C(3600000)
#define EVENTS	   25
#define SHORT_MS   1000
#define CHILD_S	   10
#define FINDINGS   256
#define TEXT_MAX   512
#define SLOW_COUNT HTTP_CONNECTIONS_MAX

/* --- the store -------------------------------------------------------- */

static char folder[] = "/tmp/darkport-api-XXXXXX";
static char store_path[64];
static struct counters counters;
static struct prefix_set networks;

static struct addr
address(const char *text)
{
	struct addr a;

	assert_ok(addr_parse(text, &a));
	return a;
}

static void
add_network(struct finding_batch *batch, const char *text)
{
	struct network n;

	assert_ok(network_parse(text, &n));
	assert_ok(prefix_set_add(&networks, &n));
	finding_batch_add(batch, FINDING_NETWORK)->network = n;
}

static void
add_host(struct finding_batch *batch, const char *host)
{
	finding_batch_add(batch, FINDING_HOST)->host = (struct finding_host){
		.address = address(host),
		.label = "servers",
		.first_seen_ms = NOW_MS - 48 * HOUR_MS,
		.last_seen_ms = NOW_MS,
	};
}

static void
add_exposure(struct finding_batch *batch, uint64_t id, const char *host,
    uint8_t proto, uint16_t port, enum exposure_state state)
{
	finding_batch_add(batch, FINDING_EXPOSURE)->exposure =
	    (struct finding_exposure){
		    .id = id,
		    .host = address(host),
		    .first_client = address("198.51.100.7"),
		    .first_ms = NOW_MS - 24 * HOUR_MS,
		    .last_ms = NOW_MS - HOUR_MS,
		    .closed_ms = state == EXPOSURE_CLOSED ? NOW_MS : 0,
		    .accepted = 12,
		    .clients = 3,
		    .port = port,
		    .first_client_port = 40000,
		    .proto = proto,
		    .state = (uint8_t)state,
		    .tier = TIER_CONFIRMED,
		    .vetting = VETTING_UNVETTED,
		    .rule = RULE_A1_D1,
		    .confidence = CONFIDENCE_HIGH,
		    .alert_id = port == 6379 ? 1 : 0,
	    };
}

static void
add_alert(struct finding_batch *batch)
{
	finding_batch_add(batch, FINDING_TRANS_DARKPORT)->trans_darkport =
	    (struct finding_trans_darkport){
		    .id = 1,
		    .exposure_id = 4,
		    .host = address("192.0.2.7"),
		    .first_client = address("198.51.100.7"),
		    .opened_ms = NOW_MS - 24 * HOUR_MS,
		    .dark_since_ms = NOW_MS - 48 * HOUR_MS,
		    .port = 6379,
		    .first_client_port = 40000,
		    .proto = 6,
		    .state = ALERT_NEW,
		    .first_client_had_probed = true,
	    };
}

/* Event i is i minutes old. */
static void
add_event(struct finding_batch *batch, int i)
{
	finding_batch_add(batch, FINDING_SCAN_EVENT)->scan_event =
	    (struct finding_scan_event){
		    .id = (uint64_t)(100 - i),
		    .src = address(i % 2 == 0 ? "203.0.113.9" : "203.0.113.8"),
		    .dst = address("192.0.2.20"),
		    .ts_ms = NOW_MS - i * (HOUR_MS / 60),
		    .src_port = 50000,
		    .port = (uint16_t)(1000 + i),
		    .proto = 6,
		    .technique = TECHNIQUE_SYN,
		    .answer = ANSWER_SILENT,
		    .place = PLACE_DARKSPACE,
		    .phase = PHASE_OPERATION,
		    .rule = RULE_S1,
		    .confidence = CONFIDENCE_MED,
	    };
}

/* Of exposure 1: a half-open scan, whose SYN came second. */
static void
add_evidence(struct finding_batch *batch)
{
	finding_batch_add(batch, FINDING_WITNESS)->witness =
	    (struct finding_witness){ .exposure_id = 1,
		    .index = 2,
		    .witness = { .client = address("198.51.100.7"),
			.client_port = 40000,
			.counted_ms = NOW_MS - HOUR_MS,
			.last_ms = NOW_MS - HOUR_MS + 13,
			.roles = WITNESS_OPENER | WITNESS_BEST,
			.outcome = OUTCOME_ACCEPTED_HALF_OPEN,
			.rule = RULE_A1_D1,
			.confidence = CONFIDENCE_HIGH,
			.outer = { .first_ms = NOW_MS - HOUR_MS,
			    .packets = 2,
			    .octets = 84,
			    .flags = 0x06,
			    .evidence = 0x0001,
			    .shown = SHOWN_HALF },
			.inner = { .first_ms = NOW_MS - HOUR_MS + 1,
			    .packets = 1,
			    .octets = 44,
			    .flags = 0x12,
			    .evidence = 0x0022,
			    .shown = SHOWN_HALF } } };
	finding_batch_add(batch, FINDING_CHANGE)->change =
	    (struct finding_change){ .exposure_id = 1,
		    .index = 1,
		    .change = { .client = address("198.51.100.7"),
			.client_port = 40000,
			.at_ms = NOW_MS - HOUR_MS,
			.kind = CHANGE_TIER,
			.tier_from = TIER_PROBABLE,
			.tier_to = TIER_CONFIRMED,
			.rule = RULE_A1_D1,
			.confidence = CONFIDENCE_HIGH } };
	/* of an exposure that is not there: dropped */
	finding_batch_add(batch, FINDING_WITNESS)->witness =
	    (struct finding_witness){ .exposure_id = 9999,
		    .witness = { .client = address("198.51.100.7"),
			.roles = WITNESS_OPENER } };
}

/* Two hosts were frozen: one twice, one is still. */
static void
add_guards(struct finding_batch *batch)
{
	static const struct {
		const char *host;
		int64_t hours_ago, until_hours_ago;
		uint64_t turned_away;
	} guards[] = {
		{ "192.0.2.9", 30, 28, 5 },
		{ "192.0.2.9", 20, 18, 0 },
		{ "2001:db8:1::7", 20, 0, 300 },
	};

	for (size_t i = 0; i < sizeof(guards) / sizeof(guards[0]); i++)
		finding_batch_add(batch, FINDING_HOST_GUARD)->host_guard =
		    (struct finding_host_guard){
			    .host = address(guards[i].host),
			    .since_ms = NOW_MS - guards[i].hours_ago * HOUR_MS,
			    .until_ms =
				guards[i].until_hours_ago == 0
				    ? 0
				    : NOW_MS -
					  guards[i].until_hours_ago * HOUR_MS,
			    .turned_away = guards[i].turned_away,
		    };
}

/* A second exporter: the same address, another domain. Three hours of each,
 * and a change of the feed in each. */
static void
add_feeds(struct finding_batch *batch)
{
	int64_t hour_ms = NOW_MS / HOUR_MS * HOUR_MS;

	finding_batch_add(batch, FINDING_EXPORTER)->exporter =
	    (struct finding_exporter){ .address = address("198.51.100.1"),
		    .index = 1,
		    .first_seen_ms = NOW_MS,
		    .last_seen_ms = NOW_MS,
		    .domain = UINT32_MAX,
		    .protocol = 10,
		    .sampling = 1 };
	for (uint64_t i = 0; i < 6; i++) {
		finding_batch_add(batch, FINDING_EXPORTER_HOUR)->exporter_hour =
		    (struct finding_exporter_hour){
			    .exporter = (uint32_t)i % 2,
			    .hour_ms = hour_ms - (int64_t)(i / 2) * HOUR_MS,
			    .datagrams = 15,
			    .records = 30,
			    .lost = i % 2 == 0 ? 5 : 0,
		    };
		finding_batch_add(batch, FINDING_FEED_EVENT)->feed_event =
		    (struct finding_feed_event){
			    .id = i + 1,
			    .exporter = (uint32_t)i % 2,
			    .ts_ms = NOW_MS - (int64_t)(i / 2) * HOUR_MS,
			    .from = 1,
			    .to = 100,
			    .samples = 10 * i,
			    .property = FEED_SAMPLING,
			    .source = FEED_SOURCE_TOLD,
		    };
	}
}

static void
fill_batch(struct finding_batch *batch)
{
	static const uint16_t ports[] = { 22, 80, 443, 6379 };

	finding_batch_add(batch, FINDING_ENGINE)->engine =
	    (struct finding_engine){ .clock_ms = NOW_MS,
		    .training_from_ms = NOW_MS - 100 * HOUR_MS,
		    .training_length_ms = 24 * HOUR_MS };
	add_network(batch, "192.0.2.0/24=servers");
	add_network(batch, "2001:db8:1::/48=six");
	finding_batch_add(batch, FINDING_EXPORTER)->exporter =
	    (struct finding_exporter){ .address = address("198.51.100.1"),
		    .first_seen_ms = NOW_MS - 100 * HOUR_MS,
		    .last_seen_ms = NOW_MS,
		    .datagrams = 10,
		    .records = 200,
		    .lost = 2,
		    .domain = 7,
		    .templates = 1,
		    .protocol = 9,
		    .sampling = 64,
		    .restarts = 3,
		    .unknown_template_sets = 4,
		    .refused = 5,
		    .clock_offset_ms = -700,
		    .active_timeout_s = 60,
		    .name = "edge1" };
	add_host(batch, "192.0.2.7");
	add_host(batch, "192.0.2.9");
	add_host(batch, "2001:db8:1::7");
	for (uint64_t i = 0; i < 4; i++)
		add_exposure(batch, i + 1, "192.0.2.7", 6, ports[i],
		    EXPOSURE_OPEN);
	add_exposure(batch, 5, "192.0.2.7", 17, 53, EXPOSURE_OPEN);
	add_exposure(batch, 6, "192.0.2.9", 6, 25, EXPOSURE_STALE);
	add_exposure(batch, 7, "192.0.2.9", 6, 110, EXPOSURE_CLOSED);
	add_exposure(batch, 8, "2001:db8:1::7", 6, 443, EXPOSURE_OPEN);
	add_alert(batch);
	add_guards(batch);
	add_feeds(batch);
	add_evidence(batch);
	for (int i = 0; i < EVENTS; i++)
		add_event(batch, i);
}

/* Opens the store and commits one batch, full or of one exposure more. */
static void
write_store(const char *path, uint64_t sequence)
{
	char message[STORE_MESSAGE_MAX];
	struct finding_batch *batch = finding_batch_new(FINDINGS);
	struct store *store;

	assert_non_null(batch);
	batch->sequence = sequence;
	if (sequence == 1) {
		networks.count = 0;
		fill_batch(batch);
	} else {
		add_exposure(batch, 8 + sequence, "192.0.2.9", 6,
		    (uint16_t)(9000 + sequence), EXPOSURE_OPEN);
	}
	assert_ok(store_open(path, &counters, &store, message));
	assert_ok(store_write(store, batch, message));
	store_close(store);
	free(batch);
}

/* --- the child -------------------------------------------------------- */

struct child {
	pid_t pid;
	int control_fd;
	uint16_t port;
};

static struct child shared; /* what most tests ask */
static uint16_t port;	    /* of it */

static struct child
start(const char *path, int deadline_ms)
{
	static const char *const hosts[] = { "darkport.example", NULL };
	struct addr loopback = address("127.0.0.1");
	struct api_config config = { .store = path,
		.version = "1.2.3",
		.started_s = NOW_MS / 1000,
		.counters = &counters,
		.networks = &networks,
		.hosts = hosts,
		.deadline_ms = deadline_ms };
	struct child c;
	int pair[2];

	assert_ok(api_listen(&loopback, 0, &config.listen_fd, &c.port));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
			     pair),
	    0);
	fflush(NULL);
	c.pid = fork();
	assert_true(c.pid >= 0);
	if (c.pid == 0) {
		close(pair[0]);
		config.control_fd = pair[1];
		exit(api_run(&config) == ERR_OK ? 0 : 1);
	}
	close(config.listen_fd);
	close(pair[1]);
	c.control_fd = pair[0];
	return c;
}

/* Its exit code; the signal and 128 when it was killed. */
static int
await(const struct child *c)
{
	struct timespec pause = { 0, 10000000 };
	int status;

	for (int i = 0; i < CHILD_S * 100; i++) {
		if (waitpid(c->pid, &status, WNOHANG) == c->pid)
			return WIFEXITED(status) ? WEXITSTATUS(status)
						 : 128 + WTERMSIG(status);
		nanosleep(&pause, NULL);
	}
	kill(c->pid, SIGKILL);
	waitpid(c->pid, &status, 0);
	fail_msg("the API process did not end");
	return -1;
}

static void
stop(struct child *c)
{
	close(c->control_fd);
	assert_int_equal(await(c), 0);
}

static int
set_up(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(store_path, sizeof(store_path), "%s/store.db", folder);
	counter_add(&counters, COUNTER_DATAGRAMS_RECEIVED, 42);
	write_store(store_path, 1);
	memset(&counters.commits, 0, sizeof(counters.commits));
	histogram_add(&counters.commits, 900);	    /* below the first bound */
	histogram_add(&counters.commits, 25000);    /* on one */
	histogram_add(&counters.commits, 11000000); /* above all */
	shared = start(store_path, 0);
	port = shared.port;
	return 0;
}

static int
tear_down(void **state)
{
	char command[128];

	(void)state;
	close(shared.control_fd);
	if (await(&shared) != 0)
		return -1;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command) == 0 ? 0 : -1;
}

/* --- asking ----------------------------------------------------------- */

/* The answer to GET target as JSON; the status must be that. owned. */
static json_t *
get_json(const char *target, int status)
{
	struct http_reply reply = http_get(port, target);
	json_error_t error;
	json_t *json;

	if (reply.status != status)
		fail_msg("%s: %d, not %d: %s", target, reply.status, status,
		    reply.body);
	json = json_loads(reply.body, 0, &error);
	if (json == NULL)
		fail_msg("%s: no JSON: %s: %s", target, error.text, reply.body);
	http_reply_free(&reply);
	return json;
}

static const char *
text_of(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	if (text == NULL)
		fail_msg("no text named %s", key);
	return text;
}

static long long
number_of(const json_t *json, const char *key)
{
	const json_t *value = json_object_get(json, key);

	if (!json_is_integer(value))
		fail_msg("no number named %s", key);
	return json_integer_value(value);
}

/* {"data":[...],"next":...,"meta":{...}}, of so many rows. owned. */
static json_t *
get_list(const char *target, size_t rows)
{
	json_t *json = get_json(target, 200);
	json_t *meta = json_object_get(json, "meta");

	if (json_array_size(json_object_get(json, "data")) != rows)
		fail_msg("%s: %zu rows, not %zu", target,
		    json_array_size(json_object_get(json, "data")), rows);
	assert_non_null(json_object_get(json, "next"));
	assert_int_equal(strlen(text_of(meta, "generated_at")), 20);
	assert_true(number_of(meta, "generation") >= 1);
	assert_true(json_is_false(json_object_get(meta, "truncated")));
	assert_true(json_is_real(json_object_get(meta, "query_ms")));
	return json;
}

static json_t *
row(const json_t *list, size_t index)
{
	return json_array_get(json_object_get(list, "data"), index);
}

/* A problem: its shape, and that its type and parameter are these. */
static void
check_problem(const struct http_reply *reply, int status, const char *type,
    const char *parameter)
{
	json_t *json = json_loads(reply->body, 0, NULL);
	char text[TEXT_MAX];
	json_t *error;

	if (reply->status != status || json == NULL)
		fail_msg("%d, not %d: %s", reply->status, status, reply->body);
	assert_string_equal(http_header(reply, "Content-Type", text,
				sizeof(text)),
	    "application/problem+json");
	snprintf(text, sizeof(text), "/problems/%s", type);
	assert_string_equal(text_of(json, "type"), text);
	assert_int_equal(number_of(json, "status"), status);
	assert_string_not_equal(text_of(json, "title"), "");
	assert_string_not_equal(text_of(json, "detail"), "");
	assert_string_not_equal(text_of(json, "instance"), "");
	assert_string_not_equal(text_of(json, "request_id"), "");
	assert_null(strcasestr(reply->body, "sql"));
	error = json_array_get(json_object_get(json, "errors"), 0);
	if (parameter != NULL)
		assert_string_equal(text_of(error, "parameter"), parameter);
	json_decref(json);
}

static void
expect_problem(const char *target, int status, const char *type,
    const char *parameter)
{
	struct http_reply reply = http_get(port, target);

	check_problem(&reply, status, type, parameter);
	http_reply_free(&reply);
}

/* Sends a request as it is; the status must be that. */
static void
expect_status(const char *request, int status)
{
	struct http_reply reply = http_raw(port, request, strlen(request));

	if (reply.status != status)
		fail_msg("%d, not %d, for: %s", reply.status, status, request);
	http_reply_free(&reply);
}

static void
expect_alive(uint16_t at)
{
	struct http_reply reply = http_get(at, "/healthz");

	assert_int_equal(reply.status, 200);
	http_reply_free(&reply);
}

/* The pattern with an address, or a problem's name, in its place; and query,
 * "?" included. */
static void
make_target(const struct route *route, const char *query, char out[TEXT_MAX])
{
	const char *brace = strchr(route->pattern, '{');
	const char *rest = brace != NULL ? strchr(brace, '}') + 1 : "";
	const char *value = "";

	if (brace != NULL)
		value = strncmp(brace, "{ip}", 4) == 0	 ? "192.0.2.7"
			: strncmp(brace, "{id}", 4) == 0 ? "1"
							 : "not-found";
	snprintf(out, TEXT_MAX, "%.*s%s%s%s", (int)strcspn(route->pattern, "{"),
	    route->pattern, value, rest, query);
}

/* --- the service ------------------------------------------------------ */

static void
healthz_says_ok(void **state)
{
	struct http_reply reply = http_get(port, "/healthz");
	char text[TEXT_MAX];

	(void)state;
	assert_int_equal(reply.status, 200);
	assert_string_equal(reply.body, "ok\n");
	assert_string_equal(http_header(&reply, "Content-Type", text,
				sizeof(text)),
	    "text/plain; charset=utf-8");
	assert_string_equal(http_header(&reply, "Cache-Control", text,
				sizeof(text)),
	    "private, no-cache");
	assert_string_equal(http_header(&reply, "X-Content-Type-Options", text,
				sizeof(text)),
	    "nosniff");
	http_reply_free(&reply);
}

static void
readyz_says_that_the_store_is_there(void **state)
{
	json_t *json = get_json("/readyz", 200);

	(void)state;
	assert_true(json_is_true(json_object_get(json, "ready")));
	assert_string_equal(text_of(json_object_get(json, "checks"), "store"),
	    "ok");
	json_decref(json);
}

static void
links_lead_to_every_collection(void **state)
{
	json_t *json = get_json("/api/v1", 200);
	json_t *data = json_object_get(json, "data");
	json_t *links = json_object_get(data, "links");
	const char *name;
	json_t *link;

	(void)state;
	assert_string_equal(text_of(data, "version"), "1.2.3");
	assert_int_equal(json_object_size(links), 14);
	json_object_foreach(links, name, link)
	{
		if (strchr(json_string_value(link), '{') == NULL)
			json_decref(get_json(json_string_value(link), 200));
	}
	json_decref(json);
}

static void
status_counts_what_there_is(void **state)
{
	json_t *json = get_json("/api/v1/status", 200);
	json_t *data = json_object_get(json, "data");
	json_t *counts = json_object_get(data, "counts");

	(void)state;
	assert_string_equal(text_of(data, "name"), "darkportd");
	assert_string_equal(text_of(data, "version"), "1.2.3");
	assert_string_equal(text_of(data, "started_at"),
	    "2026-09-21T14:13:20Z");
	assert_string_equal(text_of(data, "phase"), "operation");
	assert_int_equal(number_of(counts, "hosts"), 3);
	assert_int_equal(number_of(counts, "scan_events"), EVENTS);
	assert_int_equal(number_of(json_object_get(data, "ingest"),
			     "datagrams"),
	    42);
	json_decref(json);
}

static void
problems_have_a_page_each(void **state)
{
	struct http_reply reply = http_get(port, "/problems/not-internal");

	(void)state;
	assert_int_equal(reply.status, 200);
	assert_non_null(strstr(reply.body, "outside the configured networks"));
	http_reply_free(&reply);
	expect_problem("/problems/unheard-of", 404, "not-found", NULL);
}

/* A line of Prometheus text that is no comment: name{label="..."} number. */
static void
check_sample(const char *line)
{
	size_t name = strspn(line, "abcdefghijklmnopqrstuvwxyz0123456789_");
	const char *value = line + name;
	char *end;
	double number;

	if (*value == '{')
		value = strstr(value, "\"}") ? strstr(value, "\"}") + 2 : "";
	if (strncmp(line, "darkport_", 9) != 0 || *value != ' ')
		fail_msg("bad sample: %s", line);
	number = strtod(value + 1, &end);
	if (end == value + 1 || *end != '\0' || number < 0)
		fail_msg("bad value: %s", line);
}

/* Checks every line; gives how many there are. A HELP line starts a metric,
 * a TYPE line of the same name follows it, and no metric comes twice. */
static int
check_metrics(const char *body)
{
	char *text = strdup(body);
	char *save = NULL;
	char help[TEXT_MAX] = "";
	int lines = 0;

	for (char *line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save), lines++) {
		char name[TEXT_MAX], type[16], again[TEXT_MAX];

		if (sscanf(line, "# HELP %511s", name) == 1) {
			snprintf(again, sizeof(again), "# HELP %.400s ", name);
			assert_ptr_equal(strstr(body, again),
			    body + (line - text));
			assert_null(strstr(strstr(body, again) + 1, again));
			memcpy(help, name, sizeof(help));
		} else if (sscanf(line, "# TYPE %511s %15s", name, type) == 2) {
			assert_string_equal(name, help);
			assert_true(strcmp(type, "gauge") == 0 ||
				    strcmp(type, "counter") == 0 ||
				    strcmp(type, "histogram") == 0);
			assert_int_equal(strcmp(type, "counter") == 0,
			    strcmp(name + strlen(name) - 6, "_total") == 0);
		} else {
			check_sample(line);
			assert_int_equal(strncmp(line, help, strlen(help)), 0);
		}
	}
	free(text);
	return lines;
}

static void
metrics_are_prometheus_text_in_every_line(void **state)
{
	struct http_reply reply = http_get(port, "/metrics");
	char text[TEXT_MAX];

	(void)state;
	assert_int_equal(reply.status, 200);
	assert_string_equal(http_header(&reply, "Content-Type", text,
				sizeof(text)),
	    "text/plain; version=0.0.4; charset=utf-8");
	assert_true(check_metrics(reply.body) > 3 * COUNTER_COUNT);
	assert_int_equal(reply.body[reply.length - 1], '\n');
	assert_non_null(
	    strstr(reply.body, "darkport_build_info{version=\"1.2.3\"} 1\n"));
	assert_non_null(
	    strstr(reply.body, "\ndarkport_datagrams_received_total 42\n"));
	assert_non_null(strstr(reply.body, "# TYPE darkport_pairs_now gauge"));
	assert_null(strstr(reply.body, "gauge: "));
	assert_non_null(strstr(reply.body, "\ndarkport_store_up 1\n"));
	assert_non_null(strstr(reply.body, "\ndarkport_stored_hosts 3\n"));
	assert_non_null(strstr(reply.body, "\ndarkport_http_connections 1\n"));
	http_reply_free(&reply);
}

static void
metrics_tell_how_long_commits_took(void **state)
{
	static const char *const lines[] = {
		"# TYPE darkport_store_commit_seconds histogram\n",
		"\ndarkport_store_commit_seconds_bucket{le=\"0.001\"} 1\n",
		"\ndarkport_store_commit_seconds_bucket{le=\"0.01\"} 1\n",
		"\ndarkport_store_commit_seconds_bucket{le=\"0.025\"} 2\n",
		"\ndarkport_store_commit_seconds_bucket{le=\"10\"} 2\n",
		"\ndarkport_store_commit_seconds_bucket{le=\"+Inf\"} 3\n",
		"\ndarkport_store_commit_seconds_sum 11.025900\n",
		"\ndarkport_store_commit_seconds_count 3\n",
	};
	struct http_reply reply = http_get(port, "/metrics");

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_non_null(strstr(reply.body, lines[i]));
	http_reply_free(&reply);
}

/* --- lists ------------------------------------------------------------ */

static void
exposures_come_by_address_protocol_and_port(void **state)
{
	static const int ports[] = { 22, 80, 443, 6379, 53, 25, 110, 443 };
	json_t *json = get_list("/api/v1/exposures", 8);

	(void)state;
	assert_true(json_is_null(json_object_get(json, "next")));
	/* the mapped IPv4 sort before the rest */
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(number_of(row(json, i), "port"), ports[i]);
	assert_string_equal(text_of(row(json, 0), "host"), "192.0.2.7");
	assert_string_equal(text_of(row(json, 0), "proto"), "tcp");
	assert_string_equal(text_of(row(json, 0), "state"), "open");
	assert_string_equal(text_of(row(json, 0), "tier"), "confirmed");
	assert_string_equal(text_of(row(json, 0), "rule"), "A1:D1");
	assert_string_equal(text_of(row(json, 4), "proto"), "udp");
	assert_string_equal(text_of(row(json, 7), "host"), "2001:db8:1::7");
	json_decref(json);
}

static void
exposures_are_filtered_by_every_parameter(void **state)
{
	static const struct {
		const char *query;
		size_t rows;
	} cases[] = {
		{ "net=192.0.2.0/24", 7 },
		{ "net=servers", 7 },
		{ "net=six", 1 },
		{ "net=2001:db8:1::/64", 1 },
		{ "net=10.0.0.0/8", 0 },
		{ "host=192.0.2.9", 2 },
		{ "host=%5B2001:db8:1::7%5D", 1 },
		{ "host=203.0.113.1", 0 },
		{ "port=443", 2 },
		{ "port=20-100,6379", 5 },
		{ "proto=udp", 1 },
		{ "proto=17", 1 },
		{ "proto=sctp", 0 },
		{ "state=open", 6 },
		{ "state=stale", 1 },
		{ "state=closed", 1 },
		{ "net=servers&proto=tcp&state=open&port=1-1000", 3 },
		{ "format=json", 8 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char target[TEXT_MAX];

		snprintf(target, sizeof(target), "/api/v1/exposures?%s",
		    cases[i].query);
		json_decref(get_list(target, cases[i].rows));
	}
}

static void
hosts_come_by_address(void **state)
{
	json_t *json = get_list("/api/v1/hosts", 3);

	(void)state;
	assert_string_equal(text_of(row(json, 0), "host"), "192.0.2.7");
	assert_string_equal(text_of(row(json, 2), "host"), "2001:db8:1::7");
	json_decref(json);
	json_decref(get_list("/api/v1/hosts?net=six", 1));
}

static void
host_tells_what_it_exposes(void **state)
{
	json_t *json = get_json("/api/v1/hosts/192.0.2.7", 200);
	json_t *data = json_object_get(json, "data");
	json_t *exposed = json_object_get(data, "exposed");

	(void)state;
	assert_string_equal(text_of(data, "host"), "192.0.2.7");
	assert_true(json_is_true(json_object_get(data, "populated")));
	assert_int_equal(json_array_size(json_object_get(exposed, "tcp")), 4);
	assert_int_equal(json_array_size(json_object_get(data, "services")), 5);
	assert_int_equal(number_of(json_object_get(data, "darkports"), "tcp"),
	    65532);
	assert_non_null(json_object_get(json, "meta"));
	json_decref(json);
}

static void
host_is_found_in_any_form_of_its_address(void **state)
{
	static const char *const forms[] = { "2001:db8:1::7",
		"2001:0DB8:0001:0:0:0:0:0007", "2001%3Adb8%3A1%3A%3A7",
		"%5B2001:db8:1::7%5D", "[2001:db8:1::7]" };

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		char target[TEXT_MAX];
		json_t *json;

		snprintf(target, sizeof(target), "/api/v1/hosts/%s", forms[i]);
		json = get_json(target, 200);
		assert_string_equal(text_of(json_object_get(json, "data"),
					"host"),
		    "2001:db8:1::7");
		json_decref(json);
	}
}

static void
host_never_seen_is_dark_and_outsiders_are_not_found(void **state)
{
	json_t *json = get_json("/api/v1/hosts/192.0.2.200", 200);
	json_t *data = json_object_get(json, "data");

	(void)state;
	assert_true(json_is_false(json_object_get(data, "populated")));
	json_decref(json);
	expect_problem("/api/v1/hosts/203.0.113.1", 404, "not-internal", NULL);
	expect_problem("/api/v1/hosts/203.0.113.1/darkports", 404,
	    "not-internal", NULL);
	expect_problem("/api/v1/hosts/no-address", 400, "invalid-parameter",
	    "ip");
	expect_problem("/api/v1/hosts/192.0.2.7%2fdarkports", 400,
	    "invalid-parameter", "ip");
}

static void
darkports_are_ranges_of_tcp_or_udp(void **state)
{
	json_t *json = get_json("/api/v1/hosts/192.0.2.7/darkports", 200);
	json_t *data = json_object_get(json, "data");
	json_t *ranges = json_object_get(data, "ranges");

	(void)state;
	assert_string_equal(text_of(data, "proto"), "tcp");
	assert_int_equal(number_of(data, "count"), 65532);
	assert_int_equal(json_array_size(ranges), 5);
	assert_string_equal(json_string_value(json_array_get(ranges, 1)),
	    "23-79");
	json_decref(json);
	json = get_json("/api/v1/hosts/192.0.2.7/darkports?proto=udp", 200);
	data = json_object_get(json, "data");
	assert_string_equal(text_of(data, "proto"), "udp");
	assert_int_equal(number_of(data, "count"), 65535);
	json_decref(json);
	json = get_json("/api/v1/hosts/192.0.2.200/darkports", 200);
	data = json_object_get(json, "data");
	assert_true(json_is_false(json_object_get(data, "populated")));
	json_decref(json);
	expect_problem("/api/v1/hosts/192.0.2.7/darkports?proto=icmp", 400,
	    "invalid-parameter", "proto");
}

static void
exposure_evidence_tells_witnesses_and_changes(void **state)
{
	json_t *json = get_json("/api/v1/exposures/1/evidence", 200);
	json_t *data = json_object_get(json, "data");
	json_t *witnesses = json_object_get(data, "witnesses");
	json_t *w = json_array_get(witnesses, 0);
	json_t *half;

	(void)state;
	assert_int_equal(number_of(data, "id"), 1);
	assert_int_equal(number_of(data, "port"), 22);
	assert_int_equal(json_array_size(witnesses), 1);
	assert_string_equal(text_of(w, "client"), "198.51.100.7");
	assert_string_equal(text_of(w, "outcome"), "accepted/half-open");
	assert_string_equal(text_of(w, "rule"), "A1:D1");
	assert_non_null(strstr(text_of(w, "why"), "SYN without ACK"));
	assert_string_equal(json_string_value(
				json_array_get(json_object_get(w, "roles"), 1)),
	    "best");
	half = json_object_get(w, "outer");
	assert_int_equal(number_of(half, "flags"), 6);
	assert_string_equal(text_of(half, "flags_text"), "...RS.");
	assert_string_equal(text_of(half, "evidence"), "SYN");
	assert_string_equal(text_of(half, "exporter"), "198.51.100.1");
	half = json_object_get(w, "inner");
	assert_string_equal(text_of(half, "evidence"), "SYNACK1+DATA");
	assert_int_equal(number_of(half, "octets"), 44);
	w = json_array_get(json_object_get(data, "changes"), 0);
	assert_string_equal(text_of(w, "change"), "tier");
	assert_string_equal(text_of(w, "tier_from"), "probable");
	assert_string_equal(text_of(w, "tier_to"), "confirmed");
	json_decref(json);
	/* one without a witness is no error */
	json = get_json("/api/v1/exposures/2/evidence", 200);
	data = json_object_get(json, "data");
	assert_int_equal(json_array_size(json_object_get(data, "witnesses")),
	    0);
	json_decref(json);
}

static void
scan_event_evidence_tells_why(void **state)
{
	json_t *json = get_json("/api/v1/scan-events/100/evidence", 200);
	json_t *data = json_object_get(json, "data");

	(void)state;
	assert_int_equal(number_of(data, "id"), 100);
	assert_string_equal(text_of(data, "rule"), "S1");
	assert_non_null(strstr(text_of(data, "why"), "nothing came back"));
	assert_true(json_is_null(json_object_get(data, "inner")));
	json_decref(json);
}

static void
evidence_of_what_is_not_there_is_not_found(void **state)
{
	(void)state;
	expect_problem("/api/v1/exposures/9999/evidence", 404, "not-found",
	    NULL);
	expect_problem("/api/v1/scan-events/0/evidence", 404, "not-found",
	    NULL);
	expect_problem("/api/v1/exposures/one/evidence", 400,
	    "invalid-parameter", "id");
	expect_problem("/api/v1/exposures/-1/evidence", 400,
	    "invalid-parameter", "id");
	expect_problem("/api/v1/exposures/9999999999999999999/evidence", 400,
	    "invalid-parameter", "id");
}

static void
trans_darkports_tell_who_opened_them(void **state)
{
	json_t *json = get_list("/api/v1/trans-darkports", 1);

	(void)state;
	assert_string_equal(text_of(row(json, 0), "host"), "192.0.2.7");
	assert_int_equal(number_of(row(json, 0), "port"), 6379);
	assert_string_equal(text_of(row(json, 0), "state"), "new");
	assert_string_equal(text_of(row(json, 0), "first_client"),
	    "198.51.100.7");
	json_decref(json);
	json_decref(get_list("/api/v1/trans-darkports?state=accepted", 0));
	json_decref(get_list("/api/v1/trans-darkports?host=192.0.2.7&port=6379"
			     "&proto=tcp&net=servers&state=new",
	    1));
	json_decref(get_list("/api/v1/trans-darkports?from=1789990000", 0));
	json_decref(get_list("/api/v1/trans-darkports?to=1789990000", 1));
}

static void
scan_events_come_newest_first_however_old(void **state)
{
	json_t *json = get_list("/api/v1/scan-events", EVENTS);

	(void)state;
	assert_string_equal(text_of(row(json, 0), "ts"),
	    "2026-09-21T14:13:20Z");
	assert_string_equal(text_of(row(json, 1), "ts"),
	    "2026-09-21T14:12:20Z");
	assert_string_equal(text_of(row(json, 0), "technique"), "syn");
	assert_string_equal(text_of(row(json, 0), "place"), "darkspace");
	json_decref(json);
	json_decref(get_list("/api/v1/scan-events?src=203.0.113.9", 13));
	json_decref(get_list("/api/v1/scan-events?dst=192.0.2.20&limit=5", 5));
	json_decref(get_list("/api/v1/scan-events?net=six", 0));
	json_decref(get_list("/api/v1/scan-events?port=1003-1004", 2));
	json_decref(get_list("/api/v1/scan-events?proto=udp", 0));
	/* half-open: from is in, to is not */
	json_decref(get_list("/api/v1/scan-events?from=2026-09-21T14:10:20Z"
			     "&to=2026-09-21T14:13:20Z",
	    3));
	json_decref(get_list("/api/v1/scan-events?from=1789999820000", 4));
}

static void
exporters_tell_what_they_sent(void **state)
{
	json_t *json = get_list("/api/v1/exporters", 2);

	(void)state;
	assert_string_equal(text_of(row(json, 0), "address"), "198.51.100.1");
	assert_int_equal(number_of(row(json, 0), "records"), 200);
	assert_int_equal(number_of(row(json, 0), "lost"), 2);
	assert_string_equal(text_of(row(json, 0), "name"), "edge1");
	assert_true(json_real_value(
			json_object_get(row(json, 0), "share_lost")) > 0.16);
	assert_int_equal(number_of(row(json, 0), "sampling"), 64);
	assert_int_equal(number_of(row(json, 0), "restarts"), 3);
	assert_int_equal(number_of(row(json, 0), "unknown_template_sets"), 4);
	assert_int_equal(number_of(row(json, 0), "refused"), 5);
	assert_int_equal(number_of(row(json, 0), "clock_offset_ms"), -700);
	assert_int_equal(number_of(row(json, 0), "active_timeout"), 60);
	assert_true(
	    json_is_null(json_object_get(row(json, 0), "idle_timeout")));
	assert_true(json_is_integer(
	    json_object_get(json_object_get(json, "meta"), "kernel_drops")));
	json_decref(json);
}

/* Each target must give so many rows. */
struct filter_case {
	const char *target;
	size_t rows;
};

static void
expect_rows(const struct filter_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		json_decref(get_list(cases[i].target, cases[i].rows));
}

static void
exporters_are_found_by_address_and_domain(void **state)
{
	static const struct filter_case cases[] = {
		{ "/api/v1/exporters?exporter=198.51.100.1", 2 },
		{ "/api/v1/exporters?exporter=198.51.100.1&domain=7", 1 },
		{ "/api/v1/exporters?domain=4294967295", 1 },
		{ "/api/v1/exporters?exporter=198.51.100.2", 0 },
		{ "/api/v1/exporters?domain=8", 0 },
	};

	(void)state;
	expect_rows(cases, sizeof(cases) / sizeof(cases[0]));
	expect_problem("/api/v1/exporters?domain=4294967296", 400,
	    "invalid-parameter", "domain");
	expect_problem("/api/v1/exporters?exporter=edge1", 400,
	    "invalid-parameter", "exporter");
	expect_problem("/api/v1/exporters?address=198.51.100.1", 400,
	    "unknown-parameter", "address");
}

static void
changes_of_a_feed_are_found_by_exporter_and_time(void **state)
{
	static const struct filter_case cases[] = {
		{ "/api/v1/exporter-events", 6 },
		{ "/api/v1/exporter-events?exporter=198.51.100.1", 6 },
		{ "/api/v1/exporter-events?exporter=198.51.100.1&domain=7", 3 },
		{ "/api/v1/exporter-events?domain=8", 0 },
		{ "/api/v1/exporter-events?exporter=198.51.100.9", 0 },
		{ "/api/v1/exporter-events?domain=7&to=2026-09-21T14:13:20Z",
		    2 },
		{ "/api/v1/exporter-events?from=2026-09-21T14:13:20Z", 2 },
	};
	json_t *json = get_list(cases[0].target, 6);

	(void)state;
	assert_string_equal(text_of(row(json, 0), "exporter"), "198.51.100.1");
	assert_string_equal(text_of(row(json, 0), "protocol"), "ipfix");
	assert_int_equal(number_of(row(json, 0), "domain"), 4294967295);
	assert_string_equal(text_of(row(json, 1), "property"), "sampling");
	assert_string_equal(text_of(row(json, 1), "from"), "1");
	assert_string_equal(text_of(row(json, 1), "to"), "100");
	assert_string_equal(text_of(row(json, 1), "source"), "told");
	json_decref(json);
	expect_rows(cases, sizeof(cases) / sizeof(cases[0]));
}

static void
exporter_hours_tell_what_was_lost(void **state)
{
	static const struct filter_case cases[] = {
		{ "/api/v1/exporter-hours?exporter=198.51.100.1", 6 },
		{ "/api/v1/exporter-hours?domain=7", 3 },
		{ "/api/v1/exporter-hours?exporter=198.51.100.9", 0 },
		{ "/api/v1/exporter-hours?from=2026-09-21T13:00:00Z", 4 },
		{ "/api/v1/exporter-hours?to=2026-09-21T13:00:00Z", 2 },
	};
	json_t *json = get_list("/api/v1/exporter-hours", 6);

	(void)state;
	assert_string_equal(text_of(row(json, 0), "hour"),
	    "2026-09-21T14:00:00Z");
	assert_string_equal(text_of(row(json, 0), "exporter"), "198.51.100.1");
	assert_int_equal(number_of(row(json, 0), "domain"), 7);
	assert_string_equal(text_of(row(json, 0), "protocol"), "netflow9");
	assert_int_equal(number_of(row(json, 0), "datagrams"), 15);
	assert_int_equal(number_of(row(json, 0), "records"), 30);
	assert_int_equal(number_of(row(json, 0), "lost"), 5);
	/* of datagrams: they are what the sequence of v9 counts */
	assert_float_equal(json_real_value(
			       json_object_get(row(json, 0), "share_lost")),
	    0.25, 1e-6);
	assert_int_equal(number_of(row(json, 1), "domain"), 4294967295);
	assert_float_equal(json_real_value(
			       json_object_get(row(json, 1), "share_lost")),
	    0, 1e-6);
	json_decref(json);
	expect_rows(cases, sizeof(cases) / sizeof(cases[0]));
}

static void
host_guards_tell_when_a_map_was_frozen(void **state)
{
	static const struct filter_case cases[] = {
		{ "/api/v1/host-guards?state=active", 1 },
		{ "/api/v1/host-guards?state=ended", 2 },
		{ "/api/v1/host-guards?host=192.0.2.9", 2 },
		{ "/api/v1/host-guards?host=192.0.2.7", 0 },
		{ "/api/v1/host-guards?net=servers", 2 },
		{ "/api/v1/host-guards?net=2001:db8:1::/48&state=ended", 0 },
		{ "/api/v1/host-guards?to=2026-09-20T18:13:20Z", 1 },
		{ "/api/v1/host-guards?from=2026-09-20T18:13:20Z", 2 },
	};
	json_t *json = get_list("/api/v1/host-guards", 3);

	(void)state;
	/* newest first; of one time, by address */
	assert_string_equal(text_of(row(json, 0), "host"), "192.0.2.9");
	assert_string_equal(text_of(row(json, 0), "state"), "ended");
	assert_string_equal(text_of(row(json, 1), "host"), "2001:db8:1::7");
	assert_string_equal(text_of(row(json, 1), "since"),
	    "2026-09-20T18:13:20Z");
	assert_true(json_is_null(json_object_get(row(json, 1), "until")));
	assert_string_equal(text_of(row(json, 1), "state"), "active");
	assert_int_equal(number_of(row(json, 1), "turned_away"), 300);
	assert_string_equal(text_of(row(json, 2), "until"),
	    "2026-09-20T10:13:20Z");
	json_decref(json);
	expect_rows(cases, sizeof(cases) / sizeof(cases[0]));
	expect_problem("/api/v1/host-guards?state=open", 400,
	    "invalid-parameter", "state");
	expect_problem("/api/v1/host-guard", 404, "not-found", NULL);
}

/* Appends the rows of every page, from the first. owned. */
static json_t *
walk(const char *target, int limit)
{
	json_t *all = json_array();
	char next[QUERY_CURSOR_MAX] = "";

	do {
		char page[TEXT_MAX];
		json_t *json;
		const char *cursor;

		snprintf(page, sizeof(page), "%s%climit=%d%s%s", target,
		    strchr(target, '?') != NULL ? '&' : '?', limit,
		    next[0] != '\0' ? "&cursor=" : "", next);
		json = get_json(page, 200);
		assert_in_range(json_array_size(json_object_get(json, "data")),
		    1, limit);
		json_array_extend(all, json_object_get(json, "data"));
		cursor = json_string_value(json_object_get(json, "next"));
		snprintf(next, sizeof(next), "%s", cursor ? cursor : "");
		json_decref(json);
	} while (next[0] != '\0');
	return all;
}

static void
pages_put_together_are_the_whole(void **state)
{
	static const char *const targets[] = { "/api/v1/exposures",
		"/api/v1/hosts", "/api/v1/scan-events", "/api/v1/exporters",
		"/api/v1/scan-events?src=203.0.113.8",
		"/api/v1/exposures?proto=tcp&state=open",
		"/api/v1/trans-darkports", "/api/v1/exporter-hours",
		"/api/v1/exporter-hours?domain=7", "/api/v1/exporter-events",
		"/api/v1/host-guards", "/api/v1/host-guards?state=ended" };

	(void)state;
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		json_t *whole = get_json(targets[i], 200);

		for (int limit = 1; limit <= 7; limit += 3) {
			json_t *walked = walk(targets[i], limit);

			assert_true(
			    json_equal(walked, json_object_get(whole, "data")));
			json_decref(walked);
		}
		json_decref(whole);
	}
}

/* The clock goes on between two pages; the list must not. */
static void
pages_of_relative_times_keep_the_times_of_the_first(void **state)
{
	static const char target[] = "/api/v1/scan-events?from=-5000d&to=now";
	char page[TEXT_MAX];
	json_t *first;

	(void)state;
	snprintf(page, sizeof(page), "%s&limit=20", target);
	first = get_list(page, 20);
	sleep(2);
	snprintf(page, sizeof(page), "%s&limit=20&cursor=%s", target,
	    text_of(first, "next"));
	json_decref(get_list(page, EVENTS - 20));
	json_decref(first);
	snprintf(page, sizeof(page), "%s&cursor=a.1.2", target);
	expect_problem(page, 400, "invalid-cursor", NULL);
	snprintf(page, sizeof(page), "%s&cursor=a.b", target);
	expect_problem(page, 400, "invalid-cursor", NULL);
}

static void
cursors_of_others_are_refused(void **state)
{
	json_t *json = get_json("/api/v1/exposures?limit=2", 200);
	char target[TEXT_MAX];

	(void)state;
	snprintf(target, sizeof(target), "/api/v1/scan-events?cursor=%s",
	    text_of(json, "next"));
	expect_problem(target, 400, "invalid-cursor", NULL);
	snprintf(target, sizeof(target), "/api/v1/exposures?port=1&cursor=%s",
	    text_of(json, "next"));
	expect_problem(target, 400, "invalid-cursor", NULL);
	json_decref(json);
	json = get_json("/api/v1/exporter-hours?domain=7&limit=1", 200);
	snprintf(target, sizeof(target),
	    "/api/v1/exporter-hours?domain=8&cursor=%s", text_of(json, "next"));
	expect_problem(target, 400, "invalid-cursor", NULL);
	json_decref(json);
	expect_problem("/api/v1/exposures?cursor=nonsense", 400,
	    "invalid-cursor", NULL);
	expect_problem("/api/v1/exposures?cursor=%27%22%20--", 400,
	    "invalid-cursor", NULL);
}

/* --- refusals --------------------------------------------------------- */

static void
every_route_refuses_a_parameter_it_does_not_know(void **state)
{
	size_t count;
	const struct route *routes = service_routes(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		char target[TEXT_MAX];

		make_target(&routes[i], "?colour=red", target);
		expect_problem(target, 400, "unknown-parameter", "colour");
	}
	expect_problem("/api/v1/hosts?port=1", 400, "unknown-parameter",
	    "port");
}

/* Whoever misspells one reads which there are. */
static void
an_unknown_parameter_is_answered_with_those_there_are(void **state)
{
	size_t count;
	const struct route *routes = service_routes(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		char target[TEXT_MAX];
		struct http_reply reply;
		json_t *json;
		const char *detail;

		make_target(&routes[i],
		    "?a_name_that_nobody_would_give_to_a_parameter=1", target);
		reply = http_get(port, target);
		json = json_loads(reply.body, 0, NULL);
		detail = strstr(text_of(json, "detail"), "; it takes ");
		assert_non_null(detail);
		if (routes[i].params == 0)
			assert_string_equal(detail, "; it takes none");
		for (unsigned p = 0; p < PARAM_COUNT; p++)
			if ((routes[i].params >> p & 1) != 0 &&
			    strstr(detail, params_name(p)) == NULL)
				fail_msg("%s: no %s in '%s'", target,
				    params_name(p), detail);
		json_decref(json);
		http_reply_free(&reply);
	}
}

static void
every_route_refuses_other_methods_and_says_which_it_takes(void **state)
{
	static const char *const methods[] = { "POST", "PUT", "DELETE",
		"OPTIONS", "PATCH", "TRACE" };
	size_t count;
	const struct route *routes = service_routes(&count);

	(void)state;
	for (size_t i = 0; i < count; i++)
		for (size_t m = 0; m < 6; m++) {
			char target[TEXT_MAX], allow[TEXT_MAX];
			struct http_reply reply;

			make_target(&routes[i], "", target);
			reply = http_ask(port, methods[m], target,
			    "Content-Length: 0\r\n");
			check_problem(&reply, 405, "method-not-allowed", NULL);
			assert_string_equal(http_header(&reply, "Allow", allow,
						sizeof(allow)),
			    "GET, HEAD");
			http_reply_free(&reply);
		}
}

static void
head_tells_what_get_would(void **state)
{
	size_t count;
	const struct route *routes = service_routes(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		char target[TEXT_MAX], type[TEXT_MAX], text[TEXT_MAX];
		struct http_reply get, head;

		make_target(&routes[i], "", target);
		get = http_get(port, target);
		head = http_ask(port, "HEAD", target, "Connection: close\r\n");
		assert_int_equal(head.status, get.status);
		assert_int_equal(head.length, 0);
		assert_string_equal(http_header(&get, "Content-Type", type,
					sizeof(type)),
		    http_header(&head, "Content-Type", text, sizeof(text)));
		http_header(&head, "Content-Length", text, sizeof(text));
		assert_true(strtol(text, NULL, 10) > 0);
		http_reply_free(&get);
		http_reply_free(&head);
	}
}

static void
what_is_not_there_is_a_problem(void **state)
{
	static const char *const targets[] = { "/", "/api", "/api/v1/",
		"/api/v2/status", "/api/v1/hosts/", "/api/v1/hosts/1.2.3.4/x",
		"/healthz/", "/index.html", "/../etc/passwd",
		"/api/v1//status" };

	(void)state;
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		expect_problem(targets[i], 404, "not-found", NULL);
}

static void
bad_escapes_are_refused_in_path_and_query(void **state)
{
	(void)state;
	expect_problem("/api/v1/hosts/%zz", 400, "invalid-request", NULL);
	expect_problem("/api/v1/hosts/192.0.2.7%00", 400, "invalid-request",
	    NULL);
	expect_problem("/%", 400, "invalid-request", NULL);
	expect_problem("/api/v1/exposures?host=%zz", 400, "invalid-parameter",
	    "host");
	expect_problem("/api/v1/exposures?host=1%00", 400, "invalid-parameter",
	    "host");
	expect_problem("/api/v1/exposures?port=1&port=2", 400,
	    "invalid-parameter", "port");
	expect_problem("/api/v1/exposures?port", 400, "invalid-parameter",
	    "port");
}

/* Every value against every parameter of every route: a list, or a problem,
 * and never a word of what the store said. */
static void
hostile_values_are_refused_or_match_nothing(void **state)
{
	static const char *const values[] = { "'", "%27%20OR%201=1--", "\"",
		"1;DROP%20TABLE%20t_host", "%25", "*", "..", "%2e%2e%2f", "-1",
		"0", "9223372036854775808", "1e9", "NULL", "%ff%fe",
		"%0d%0aSet-Cookie:x", "true", "0x1", "[", "{}", "%e2%80%ae" };
	size_t count;
	const struct route *routes = service_routes(&count);

	(void)state;
	for (size_t i = 0; i < count; i++)
		for (unsigned p = 0; p < PARAM_COUNT; p++)
			for (size_t v = 0;
			     v < sizeof(values) / sizeof(values[0]); v++) {
				char target[TEXT_MAX], query[TEXT_MAX / 2];
				struct http_reply reply;

				if ((routes[i].params >> p & 1) == 0)
					continue;
				snprintf(query, sizeof(query), "?%s=%s",
				    params_name(p), values[v]);
				make_target(&routes[i], query, target);
				reply = http_get(port, target);
				if (reply.status != 200)
					check_problem(&reply, 400,
					    strcmp(params_name(p), "cursor")
						? "invalid-parameter"
						: "invalid-cursor",
					    NULL);
				assert_null(strstr(reply.head, "Set-Cookie"));
				http_reply_free(&reply);
			}
}

/* --- Host, headers, framing ------------------------------------------- */

static void
host_header_must_name_us(void **state)
{
	static const struct {
		const char *lines;
		int status;
	} cases[] = {
		{ "Host: 127.0.0.1\r\n", 200 },
		{ "Host: 127.0.0.1:1\r\n", 200 },
		{ "host:localhost\r\n", 200 },
		{ "Host: LOCALHOST:8080\r\n", 200 },
		{ "Host: darkport.example\r\n", 200 },
		{ "Host: 127.0.0.2\r\n", 403 },
		{ "Host: evil.example\r\n", 403 },
		{ "Host: localhost.evil.example\r\n", 403 },
		{ "Host: localhost, evil.example\r\n", 403 },
		{ "Host:\r\n", 403 },
		{ "", 400 },
		{ "Host: localhost\r\nHost: localhost\r\n", 400 },
		{ "Host: localhost\r\nhost: evil.example\r\n", 400 },
		{ "Host : localhost\r\n", 400 },
		{ "Host: localhost\r\nHost : evil.example\r\n", 400 },
		{ "Host: localhost\r\nX\ty: z\r\n", 400 },
		{ "Host: localhost\r\nContent-Length: 0\r\n"
		  "Content-Length: 5\r\n",
		    400 },
		{ "Host: localhost\r\nContent-Length: 0\r\n"
		  "content-length: 0\r\n",
		    400 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char request[TEXT_MAX];

		snprintf(request, sizeof(request),
		    "GET /healthz HTTP/1.1\r\n%s\r\n", cases[i].lines);
		expect_status(request, cases[i].status);
		snprintf(request, sizeof(request),
		    "GET http://evil.example/healthz HTTP/1.1\r\n%s\r\n",
		    cases[i].lines);
		expect_status(request, cases[i].status);
	}
}

static void
host_not_allowed_is_a_problem(void **state)
{
	static const char request[] =
	    "GET /api/v1/hosts HTTP/1.1\r\nHost: evil.example\r\n\r\n";
	struct http_reply reply = http_raw(port, request, sizeof(request) - 1);

	(void)state;
	check_problem(&reply, 403, "host-not-allowed", NULL);
	http_reply_free(&reply);
}

static void
lists_have_a_tag_and_are_not_sent_again(void **state)
{
	char tag[64], header[TEXT_MAX], text[TEXT_MAX];
	struct http_reply reply = http_get(port, "/api/v1/exposures?limit=3");

	(void)state;
	http_header(&reply, "ETag", tag, sizeof(tag));
	assert_int_equal(strncmp(tag, "W/\"1-", 5), 0);
	http_reply_free(&reply);

	snprintf(header, sizeof(header), "If-None-Match: \"x\", %s\r\n", tag);
	reply = http_ask(port, "GET", "/api/v1/exposures?limit=3", header);
	assert_int_equal(reply.status, 304);
	assert_int_equal(reply.length, 0);
	assert_string_equal(http_header(&reply, "ETag", text, sizeof(text)),
	    tag);
	http_reply_free(&reply);

	/* another question, another tag; what depends on the clock has none */
	reply = http_ask(port, "GET", "/api/v1/exposures?limit=4", header);
	assert_int_equal(reply.status, 200);
	http_reply_free(&reply);
	reply = http_get(port, "/api/v1/scan-events?from=-24h");
	assert_string_equal(http_header(&reply, "ETag", text, sizeof(text)),
	    "");
	http_reply_free(&reply);
}

static void
a_commit_changes_the_tag_and_the_list(void **state)
{
	char path[96], tag[64], header[TEXT_MAX];
	struct http_reply reply;
	struct child c;

	(void)state;
	snprintf(path, sizeof(path), "%s/changing.db", folder);
	write_store(path, 1);
	c = start(path, 0);
	reply = http_get(c.port, "/api/v1/exposures?host=192.0.2.9");
	snprintf(header, sizeof(header), "If-None-Match: %s\r\n",
	    http_header(&reply, "ETag", tag, sizeof(tag)));
	http_reply_free(&reply);
	write_store(path, 2);
	reply =
	    http_ask(c.port, "GET", "/api/v1/exposures?host=192.0.2.9", header);
	assert_int_equal(reply.status, 200);
	assert_non_null(strstr(reply.body, "\"port\":9002"));
	assert_non_null(strstr(reply.body, "\"generation\":2"));
	http_reply_free(&reply);
	stop(&c);
}

static void
a_connection_is_used_again_and_requests_may_queue(void **state)
{
	static const char two[] =
	    "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
	int fd = http_connect(port);

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct http_reply reply;

		assert_true(http_puts(fd, two));
		reply = http_receive(fd, false);
		assert_int_equal(reply.status, 200);
		assert_false(reply.closed);
		http_reply_free(&reply);
	}
	close(fd);
}

/* Refused, or the connection closed: unread octets make that a reset, which
 * may overtake the answer. */
static void
expect_too_large(const char *start, const char *end)
{
	char filler[HTTP_HEADERS_MAX + 1];
	struct http_reply reply;
	char *request;

	memset(filler, 'x', HTTP_HEADERS_MAX);
	filler[HTTP_HEADERS_MAX] = '\0';
	assert_true(asprintf(&request, "%s%s%s", start, filler, end) > 0);
	reply = http_raw(port, request, strlen(request));
	free(request);
	if (reply.status != 0 && reply.status != 400 && reply.status != 413 &&
	    reply.status != 414 && reply.status != 431)
		fail_msg("%d for: %s", reply.status, start);
	http_reply_free(&reply);
	expect_alive(port);
}

static void
too_large_headers_and_bodies_are_refused(void **state)
{
	(void)state;
	expect_too_large("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ",
	    "\r\n\r\n");
	expect_too_large("GET /", " HTTP/1.1\r\nHost: localhost\r\n\r\n");
	expect_too_large("GET /healthz?", /* no end of it */ "");
	expect_status("POST /healthz HTTP/1.1\r\nHost: localhost\r\n"
		      "Content-Length: 99999999\r\n\r\n",
	    413);
	expect_alive(port);
}

static void
garbage_does_not_hurt(void **state)
{
	static const struct {
		const char *octets;
		size_t length;
	} cases[] = {
#define CASE(text) { text, sizeof(text) - 1 }
		CASE(""),
		CASE("\0\0\0\0\0\0\0\0"),
		CASE("GET /healthz\r\n\r\n"), /* HTTP/0.9 */
		CASE("GET / HTTP/2.0\r\n\r\n"),
		CASE("GET / HTTP/1.1\nHost: localhost\n\n"), /* bare LF */
		CASE("GET /\0x HTTP/1.1\r\nHost: localhost\r\n\r\n"),
		CASE("GET / HTTP/1.1\r\nHo\0st: localhost\r\n\r\n"),
		CASE("GET / HTTP/1.1\r\n: localhost\r\n\r\n"),
		CASE("GET / HTTP/1.1\r\nno colon\r\n\r\n"),
		CASE("GET / HTTP/1.1\r\nHost: localhost\r\n folded\r\n\r\n"),
		CASE("GET / HTTP/1.1\r\n folded first\r\n\r\n"),
		CASE("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), /* TLS */
		CASE("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
		CASE("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n"),
		CASE("CONNECT localhost:1 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
		CASE("BREW /pot HTTP/1.1\r\nHost: localhost\r\n\r\n"),
		CASE("GET //a HTTP/1.1\r\nHost: localhost\r\n\r\n"),
		CASE("GET http:// HTTP/1.1\r\nHost: localhost\r\n\r\n"),
		CASE("GET ?x HTTP/1.1\r\nHost: localhost\r\n\r\n"),
		CASE("GET :// HTTP/1.1\r\nHost: localhost\r\n\r\n"),
		CASE("POST / HTTP/1.1\r\nHost: localhost\r\n"
		     "Content-Length: -1\r\n\r\n"),
		CASE("POST / HTTP/1.1\r\nHost: localhost\r\n"
		     "Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n"),
		CASE("POST / HTTP/1.1\r\nHost: localhost\r\n"
		     "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"
		     "0\r\n\r\n"),
		CASE("POST / HTTP/1.1\r\nHost: localhost\r\n"
		     "Content-Length: 10\r\n\r\nshort"),
#undef CASE
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_reply reply =
		    http_raw(port, cases[i].octets, cases[i].length);

		/* an error, or the connection closed; never an answer */
		if (reply.status != 0 && reply.status < 400)
			fail_msg("case %zu: status %d", i, reply.status);
		http_reply_free(&reply);
		expect_alive(port);
	}
}

/* --- slow clients ----------------------------------------------------- */

/* Waits until the other side closes fd; milliseconds, or -1 after limit_ms. */
static int
wait_closed(int fd, int limit_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char octets[4096];

	for (int waited = 0; waited < limit_ms; waited += 50) {
		if (poll(&p, 1, 50) == 1 &&
		    recv(fd, octets, sizeof(octets), 0) <= 0)
			return waited;
	}
	return -1;
}

static void
a_client_that_says_nothing_is_closed(void **state)
{
	struct child c = start(store_path, SHORT_MS);
	int fd = http_connect(c.port);
	int waited = wait_closed(fd, 5 * SHORT_MS);

	(void)state;
	assert_in_range(waited, SHORT_MS / 2, 4 * SHORT_MS);
	close(fd);
	stop(&c);
}

static void
a_client_that_drips_its_headers_is_closed(void **state)
{
	struct child c = start(store_path, SHORT_MS);
	int fd = http_connect(c.port);
	struct http_reply reply;
	int waited = 0;

	(void)state;
	assert_true(http_puts(fd, "GET /healthz HTTP/1.1\r\n"));
	while (waited < 5 * SHORT_MS && wait_closed(fd, 100) < 0 &&
	       http_puts(fd, "X: y\r\n"))
		waited += 100;
	assert_in_range(waited, SHORT_MS / 2, 4 * SHORT_MS);
	close(fd);
	reply = http_get(c.port, "/metrics");
	assert_non_null(strstr(reply.body,
	    "\ndarkport_http_connections_timed_out_total 1\n"));
	http_reply_free(&reply);
	stop(&c);
}

static void
a_client_that_drips_its_body_is_closed(void **state)
{
	struct child c = start(store_path, SHORT_MS);
	int fd = http_connect(c.port);
	int waited = 0;

	(void)state;
	assert_true(
	    http_puts(fd, "POST /healthz HTTP/1.1\r\nHost: localhost\r\n"
			  "Content-Length: 1000\r\n\r\n"));
	while (waited < 5 * SHORT_MS && wait_closed(fd, 100) < 0 &&
	       http_puts(fd, "x"))
		waited += 100;
	assert_in_range(waited, SHORT_MS / 2, 4 * SHORT_MS);
	close(fd);
	stop(&c);
}

static void
a_connection_left_idle_after_an_answer_is_closed(void **state)
{
	struct child c = start(store_path, SHORT_MS);
	int fd = http_connect(c.port);
	struct http_reply reply;

	(void)state;
	assert_true(
	    http_puts(fd, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"));
	reply = http_receive(fd, false);
	assert_int_equal(reply.status, 200);
	http_reply_free(&reply);
	assert_in_range(wait_closed(fd, 5 * SHORT_MS), SHORT_MS / 2,
	    4 * SHORT_MS);
	close(fd);
	stop(&c);
}

/* A store of so many scan events. */
static void
write_events(const char *path, uint32_t count)
{
	struct finding_batch *batch = finding_batch_new(count);
	char message[STORE_MESSAGE_MAX];
	struct store *store;

	assert_non_null(batch);
	batch->sequence = 1;
	for (uint32_t i = 0; i < count; i++) {
		add_event(batch, (int)(i % 60));
		batch->findings[i].scan_event.id = i + 1;
	}
	assert_ok(store_open(path, &counters, &store, message));
	assert_ok(store_write(store, batch, message));
	store_close(store);
	free(batch);
}

static void
a_page_of_the_largest_limit_is_whole_and_must_be_taken(void **state)
{
	static const char request[] =
	    "GET /api/v1/scan-events?limit=10000 HTTP/1.1\r\n"
	    "Host: localhost\r\n\r\n";
	struct http_reply reply;
	char path[96];
	struct child c;
	json_t *json;
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/large.db", folder);
	write_events(path, QUERY_LIMIT_MAX + 1);
	c = start(path, SHORT_MS);
	reply = http_get(c.port, "/api/v1/scan-events?limit=10000");
	json = json_loads(reply.body, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(json, "data")), 10000);
	assert_true(json_is_string(json_object_get(json, "next")));
	json_decref(json);
	/* who asks for it many times and takes nothing is closed */
	fd = http_connect(c.port);
	for (int i = 0; i < 16; i++)
		assert_true(http_puts(fd, request));
	usleep(6 * SHORT_MS * 1000);
	http_reply_free(&reply);
	reply = http_get(c.port, "/metrics");
	assert_non_null(strstr(reply.body,
	    "\ndarkport_http_connections_timed_out_total 1\n"));
	assert_non_null(strstr(reply.body, "\ndarkport_http_connections 1\n"));
	http_reply_free(&reply);
	close(fd);
	stop(&c);
}

/* How many files a process has open. */
static int
count_files(pid_t pid)
{
	char command[64];
	char line[32] = "";
	FILE *pipe;

	snprintf(command, sizeof(command), "ls /proc/%d/fd | wc -l", (int)pid);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	assert_non_null(fgets(line, sizeof(line), pipe));
	pclose(pipe);
	return (int)strtol(line, NULL, 10);
}

static void
slow_clients_cannot_keep_a_good_one_out(void **state)
{
	struct child c = start(store_path, SHORT_MS);
	int slow[SLOW_COUNT * 2];
	struct http_reply reply;
	int before;

	(void)state;
	expect_alive(c.port);
	before = count_files(c.pid);
	for (int i = 0; i < SLOW_COUNT * 2; i++) {
		slow[i] = http_connect(c.port);
		assert_true(slow[i] >= 0);
		http_puts(slow[i], "GET /healthz HTTP/1.1\r\n");
	}
	/*
	 * The cap holds while the good client waits in the queue. The count
	 * from before may hold the connection that was just closed.
	 */
	reply = http_get(c.port, "/healthz");
	assert_int_equal(reply.status, 200);
	http_reply_free(&reply);
	assert_in_range(count_files(c.pid), 0,
	    before + HTTP_CONNECTIONS_MAX + 1);
	for (int i = 0; i < SLOW_COUNT * 2; i++)
		close(slow[i]);
	/* and all is given back */
	for (int i = 0; i < 50 && count_files(c.pid) > before; i++)
		usleep(100000);
	assert_in_range(count_files(c.pid), 0, before);
	expect_alive(c.port);
	stop(&c);
}

static void
many_short_connections_leave_nothing_behind(void **state)
{
	int before;

	(void)state;
	expect_alive(port);
	before = count_files(shared.pid);
	for (int i = 0; i < 5 * HTTP_CONNECTIONS_MAX; i++)
		expect_alive(port);
	for (int i = 0; i < HTTP_CONNECTIONS_MAX; i++)
		close(http_connect(port));
	for (int i = 0; i < 50 && count_files(shared.pid) > before; i++)
		usleep(100000);
	assert_in_range(count_files(shared.pid), 0, before);
	expect_alive(port);
}

/* --- start and end ---------------------------------------------------- */

static void
the_process_ends_when_the_daemon_is_gone(void **state)
{
	struct child c = start(store_path, 0);
	int idle = http_connect(c.port);

	(void)state;
	expect_alive(c.port);
	stop(&c);
	assert_true(wait_closed(idle, 1000) >= 0);
	close(idle);
	assert_int_equal(http_connect(c.port), -1);
}

static void
the_process_ends_at_sigterm_and_leaves_sigint_to_the_daemon(void **state)
{
	struct child c = start(store_path, 0);

	(void)state;
	expect_alive(c.port);
	kill(c.pid, SIGINT);
	expect_alive(c.port);
	kill(c.pid, SIGTERM);
	assert_int_equal(await(&c), 0);
	close(c.control_fd);
}

static void
a_store_not_there_yet_is_waited_for(void **state)
{
	char path[96], text[TEXT_MAX];
	struct http_reply reply;
	struct child c;

	(void)state;
	snprintf(path, sizeof(path), "%s/later.db", folder);
	c = start(path, 0);
	reply = http_get(c.port, "/api/v1/hosts");
	check_problem(&reply, 503, "starting", NULL);
	assert_string_equal(http_header(&reply, "Retry-After", text,
				sizeof(text)),
	    "1");
	assert_null(strstr(reply.body, folder));
	http_reply_free(&reply);
	reply = http_get(c.port, "/readyz");
	assert_int_equal(reply.status, 503);
	assert_non_null(strstr(reply.body, "\"ready\":false"));
	http_reply_free(&reply);
	reply = http_get(c.port, "/metrics");
	assert_int_equal(reply.status, 200);
	check_metrics(reply.body);
	assert_non_null(strstr(reply.body, "\ndarkport_store_up 0\n"));
	http_reply_free(&reply);
	expect_alive(c.port);
	write_store(path, 1);
	reply = http_get(c.port, "/api/v1/hosts");
	assert_int_equal(reply.status, 200);
	http_reply_free(&reply);
	stop(&c);
}

static void
a_file_that_is_no_store_is_a_problem_without_its_path(void **state)
{
	char path[96];
	struct http_reply reply;
	struct child c;
	FILE *file;

	(void)state;
	snprintf(path, sizeof(path), "%s/letter.txt", folder);
	file = fopen(path, "w");
	assert_non_null(file);
	for (int i = 0; i < 1000; i++)
		fputs("Dear reader, this is no database.\n", file);
	fclose(file);
	c = start(path, 0);
	reply = http_get(c.port, "/api/v1/status");
	check_problem(&reply, 503, "store-busy", NULL);
	assert_null(strstr(reply.body, folder));
	http_reply_free(&reply);
	expect_alive(c.port);
	stop(&c);
}

static void
listen_says_when_a_port_is_taken(void **state)
{
	struct addr v4 = address("127.0.0.1");
	struct addr v6 = address("::1");
	struct addr far = address("203.0.113.77");
	uint16_t taken, other = 7;
	int fd, other_fd = -7;

	(void)state;
	assert_ok(api_listen(&v4, 0, &fd, &taken));
	assert_true(taken > 0);
	assert_int_equal(api_listen(&v4, taken, &other_fd, &other), ERR_IO);
	assert_int_equal(errno, EADDRINUSE);
	assert_int_equal(api_listen(&far, 0, &other_fd, &other), ERR_IO);
	assert_int_equal(errno, EADDRNOTAVAIL);
	assert_int_equal(other_fd, -7);
	assert_int_equal(other, 7);
	close(fd);
	if (api_listen(&v6, 0, &fd, &taken) == ERR_OK)
		close(fd); /* else: a machine without IPv6 */
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(healthz_says_ok),
		TEST(readyz_says_that_the_store_is_there),
		TEST(links_lead_to_every_collection),
		TEST(status_counts_what_there_is),
		TEST(problems_have_a_page_each),
		TEST(metrics_are_prometheus_text_in_every_line),
		TEST(metrics_tell_how_long_commits_took),
		TEST(exposures_come_by_address_protocol_and_port),
		TEST(exposures_are_filtered_by_every_parameter),
		TEST(hosts_come_by_address),
		TEST(host_tells_what_it_exposes),
		TEST(host_is_found_in_any_form_of_its_address),
		TEST(host_never_seen_is_dark_and_outsiders_are_not_found),
		TEST(darkports_are_ranges_of_tcp_or_udp),
		TEST(exposure_evidence_tells_witnesses_and_changes),
		TEST(scan_event_evidence_tells_why),
		TEST(evidence_of_what_is_not_there_is_not_found),
		TEST(trans_darkports_tell_who_opened_them),
		TEST(scan_events_come_newest_first_however_old),
		TEST(exporters_tell_what_they_sent),
		TEST(exporters_are_found_by_address_and_domain),
		TEST(changes_of_a_feed_are_found_by_exporter_and_time),
		TEST(exporter_hours_tell_what_was_lost),
		TEST(host_guards_tell_when_a_map_was_frozen),
		TEST(pages_put_together_are_the_whole),
		TEST(pages_of_relative_times_keep_the_times_of_the_first),
		TEST(cursors_of_others_are_refused),
		TEST(every_route_refuses_a_parameter_it_does_not_know),
		TEST(an_unknown_parameter_is_answered_with_those_there_are),
		TEST(every_route_refuses_other_methods_and_says_which_it_takes),
		TEST(head_tells_what_get_would),
		TEST(what_is_not_there_is_a_problem),
		TEST(bad_escapes_are_refused_in_path_and_query),
		TEST(hostile_values_are_refused_or_match_nothing),
		TEST(host_header_must_name_us),
		TEST(host_not_allowed_is_a_problem),
		TEST(lists_have_a_tag_and_are_not_sent_again),
		TEST(a_commit_changes_the_tag_and_the_list),
		TEST(a_connection_is_used_again_and_requests_may_queue),
		TEST(too_large_headers_and_bodies_are_refused),
		TEST(garbage_does_not_hurt),
		TEST(a_client_that_says_nothing_is_closed),
		TEST(a_client_that_drips_its_headers_is_closed),
		TEST(a_client_that_drips_its_body_is_closed),
		TEST(a_connection_left_idle_after_an_answer_is_closed),
		TEST(a_page_of_the_largest_limit_is_whole_and_must_be_taken),
		TEST(slow_clients_cannot_keep_a_good_one_out),
		TEST(many_short_connections_leave_nothing_behind),
		TEST(the_process_ends_when_the_daemon_is_gone),
		TEST(
		    the_process_ends_at_sigterm_and_leaves_sigint_to_the_daemon),
		TEST(a_store_not_there_yet_is_waited_for),
		TEST(a_file_that_is_no_store_is_a_problem_without_its_path),
		TEST(listen_says_when_a_port_is_taken),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
