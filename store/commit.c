/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One batch, one transaction. Each kind of finding has one statement, an
 * upsert of absolute values by the finding's key: a batch may be written
 * again, and a later finding replaces an earlier one.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/wire.h"
#include "store/state.h"

/*
 * Of what comes often there are several statements, tried in turn until one
 * changes a row. An upsert, a REPLACE, or an update of a column that refers
 * to another table, makes SQLite ready to undo it alone, which costs as much
 * again (tests/bench_store.c). So the first is what a row needs most often:
 * of what is known an update that leaves indexes and references as they are,
 * of an event an insert.
 */
#define EXPOSURE_UPDATE                                                        \
	"UPDATE t_exposure SET state = ?5, tier = ?6, vetting = ?7,"           \
	" rule = ?8, confidence = ?9, first_ms = ?10, last_ms = ?11,"          \
	" closed_ms = ?12, refused_ms = ?13, accepted = ?14, refused = ?15,"   \
	" clients = ?16, sketch = ?17, evidence = ?18, alert_id = ?19,"        \
	" event_id = ?20, first_client_port = ?22, listener = ?24"
#define HALVES                                                                 \
	"outer_first_ms, outer_packets, outer_octets, outer_flags,"            \
	" outer_evidence, outer_exporter_id, inner_first_ms, inner_packets,"   \
	" inner_octets, inner_flags, inner_evidence, inner_exporter_id"
#define HALVES_VALUES "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"
#define SCAN_EVENT_VALUES                                                      \
	"t_scan_event(id, ts_ms, src_id, dst_id, proto, port, src_port,"       \
	" technique, answer, place, phase, rule, confidence, exporter_id,"     \
	" reason, last_ms, " HALVES ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, " \
	"?, ?, ?, ?, ?, ?, " HALVES_VALUES ")"
/* Its exposure must be there: a finding of one that is not is dropped. */
#define OF_EXPOSURE " WHERE EXISTS (SELECT 1 FROM t_exposure WHERE id = ?1)"

static const char *const statement_texts[STATEMENT_COUNT] = {
	[STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
	[STATEMENT_COMMIT] = "COMMIT",
	[STATEMENT_ROLLBACK] = "ROLLBACK",
	[STATEMENT_META] = "REPLACE INTO t_meta VALUES (?, ?)",
	[STATEMENT_ADDR_FIND] = "SELECT id FROM t_addr WHERE ip = ?",
	[STATEMENT_ADDR_ADD] =
	    "INSERT INTO t_addr(ip, text, family) VALUES (?, ?, ?)",
	[STATEMENT_ENGINE] =
	    "REPLACE INTO t_engine(id, clock_ms, training_from_ms,"
	    " training_length_ms, next_exposure_id, next_alert_id,"
	    " next_event_id) VALUES (1, ?, ?, ?, ?, ?, ?)",
	[STATEMENT_NETWORKS_CLEAR] = "DELETE FROM t_network",
	[STATEMENT_NETWORK] =
	    "REPLACE INTO t_network(low_ip, high_ip, length, cidr, label)"
	    " VALUES (?, ?, ?, ?, ?)",
	[STATEMENT_EXPORTER] =
	    "INSERT INTO t_exporter(address_ip, domain, version, first_ms,"
	    " last_ms, datagrams, records, lost, templates, name,"
	    " unknown_template_sets, templates_changed, sampling,"
	    " clock_offset_ms, active_timeout_s, idle_timeout_s, restarts,"
	    " duplicates, reordered, shared_address, refused)"
	    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
	    " ?, ?, ?)"
	    " ON CONFLICT(address_ip, domain, version) DO UPDATE SET"
	    " first_ms = min(first_ms, excluded.first_ms),"
	    " last_ms = max(last_ms, excluded.last_ms),"
	    " datagrams = excluded.datagrams, records = excluded.records,"
	    " lost = excluded.lost, templates = excluded.templates,"
	    " name = excluded.name,"
	    " unknown_template_sets = excluded.unknown_template_sets,"
	    " templates_changed = excluded.templates_changed,"
	    " sampling = excluded.sampling,"
	    " clock_offset_ms = excluded.clock_offset_ms,"
	    " active_timeout_s = excluded.active_timeout_s,"
	    " idle_timeout_s = excluded.idle_timeout_s,"
	    " restarts = excluded.restarts,"
	    " duplicates = excluded.duplicates,"
	    " reordered = excluded.reordered,"
	    " shared_address = excluded.shared_address,"
	    " refused = excluded.refused"
	    " RETURNING id",
	[STATEMENT_EXPORTER_HOUR] =
	    "REPLACE INTO t_exporter_hour(exporter_id, hour_ms, datagrams,"
	    " records, lost) VALUES (?, ?, ?, ?, ?)",
	[STATEMENT_TEMPLATE_CLEAR] =
	    "DELETE FROM t_template"
	    " WHERE exporter_id = ? AND source_port = ? AND kind = ?"
	    " AND template_id = ?",
	[STATEMENT_TEMPLATE] =
	    "INSERT INTO t_template(exporter_id, source_port, kind,"
	    " template_id, part, parts, learned_ms, octets)"
	    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
	[STATEMENT_FEED] =
	    "REPLACE INTO t_feed(exporter_id, property, network, value, text,"
	    " source, samples, agreeing, state, changed_ms, event_id)"
	    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[STATEMENT_FEED_EVENT] =
	    "REPLACE INTO t_feed_event(id, ts_ms, exporter_id, property,"
	    " network, text_from, text_to, source, samples)"
	    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[STATEMENT_HOST] =
	    "UPDATE t_host SET label = ?2, first_ms = ?3, last_ms = ?4"
	    " WHERE ip = ?1",
	[STATEMENT_HOST_NEW] =
	    "INSERT INTO t_host(ip, label, first_ms, last_ms)"
	    " VALUES (?, ?, ?, ?)",
	[STATEMENT_HOST_GUARD] =
	    "REPLACE INTO t_host_guard(host_ip, since_ms, until_ms,"
	    " turned_away) VALUES (?, ?, ?, ?)",
	/* An id keeps its host, protocol and port. */
	[STATEMENT_EXPOSURE] = EXPOSURE_UPDATE
	" WHERE id = ?1 AND first_client_ip IS ?21 AND exporter_id IS ?23",
	[STATEMENT_EXPOSURE_NEW] =
	    "INSERT INTO t_exposure(id, host_ip, proto, port, state, tier,"
	    " vetting, rule, confidence, first_ms, last_ms, closed_ms,"
	    " refused_ms, accepted, refused, clients, sketch, evidence,"
	    " alert_id, event_id, first_client_ip, first_client_port,"
	    " exporter_id, listener) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
	    " ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	    " ON CONFLICT(id) DO NOTHING",
	[STATEMENT_EXPOSURE_REFERENCES] = EXPOSURE_UPDATE
	", first_client_ip = ?21, exporter_id = ?23 WHERE id = ?1",
	[STATEMENT_EXPOSURE_RETRACTED] = "DELETE FROM t_exposure WHERE id = ?",
	[STATEMENT_WITNESS] =
	    "REPLACE INTO t_witness(exposure_id, place, roles, counted_ms,"
	    " last_ms, client_ip, client_port, generation, outcome, rule,"
	    " confidence, " HALVES ") SELECT ?1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
	    " " HALVES_VALUES OF_EXPOSURE,
	[STATEMENT_WITNESS_GONE] =
	    "DELETE FROM t_witness WHERE exposure_id = ? AND place = ?",
	[STATEMENT_CHANGE] =
	    "REPLACE INTO t_change(exposure_id, place, kind, at_ms,"
	    " tier_from, tier_to, client_ip, client_port, rule, confidence)"
	    " SELECT ?1, ?, ?, ?, ?, ?, ?, ?, ?, ?" OF_EXPOSURE,
	[STATEMENT_CHANGE_GONE] =
	    "DELETE FROM t_change WHERE exposure_id = ? AND place = ?",
	[STATEMENT_TRANS_DARKPORT] =
	    "REPLACE INTO t_trans_darkport(id, exposure_id, host_ip, proto,"
	    " port, state, opened_ms, dark_since_ms, first_client_ip,"
	    " first_client_port, first_client_had_probed, exporter_id)"
	    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[STATEMENT_TRANS_DARKPORT_RETRACTED] =
	    "DELETE FROM t_trans_darkport WHERE id = ?",
	[STATEMENT_SCAN_EVENT] =
	    "INSERT INTO " SCAN_EVENT_VALUES " ON CONFLICT(id) DO NOTHING",
	[STATEMENT_SCAN_EVENT_REPLACE] = "REPLACE INTO " SCAN_EVENT_VALUES,
	[STATEMENT_SCAN_EVENT_RETRACTED] =
	    "DELETE FROM t_scan_event WHERE id = ?",
	[STATEMENT_OUTCOME] =
	    "REPLACE INTO t_outcome(hour_ms, exporter_id, outcome, rule,"
	    " reason, attempts) VALUES (?, ?, ?, ?, ?, ?)",
	[STATEMENT_COUNTER] = "REPLACE INTO t_counter VALUES (?, ?)",
};

int
commit_prepare(struct store *s)
{
	s->key = hash_key_random();
	s->addresses = calloc(ADDRESS_SLOTS, sizeof(*s->addresses));
	if (s->addresses == NULL)
		return ERR_NOMEM;
	for (int i = 0; i < STATEMENT_COUNT; i++) {
		int rc = sqlite3_prepare_v3(s->db, statement_texts[i], -1,
		    SQLITE_PREPARE_PERSISTENT, &s->statements[i], NULL);

		if (rc != SQLITE_OK)
			return db_err(rc);
	}
	return db_int(s->db, "SELECT count(*) FROM t_template",
	    &s->templates.rows);
}

void
commit_release(struct store *s)
{
	for (int i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(s->statements[i]);
	free(s->addresses);
}

void
sketch_put(const struct client_sketch *sketch, uint8_t octets[SKETCH_OCTETS])
{
	for (int i = 0; i < CLIENT_EXACT; i++, octets += 4)
		wire_put_u32(octets, sketch->exact[i]);
	wire_put_u32(octets, sketch->count);
	memcpy(octets + 4, sketch->registers, CLIENT_REGISTERS);
}

void
sketch_get(const uint8_t octets[SKETCH_OCTETS], struct client_sketch *sketch)
{
	struct wire w = wire_over(octets, SKETCH_OCTETS);

	for (int i = 0; i < CLIENT_EXACT; i++)
		sketch->exact[i] = wire_u32(&w);
	sketch->count = wire_u32(&w);
	memcpy(sketch->registers, wire_take(&w, CLIENT_REGISTERS),
	    CLIENT_REGISTERS);
}

static int
run(struct store *s, enum statement which)
{
	struct db_binder b = db_bind(s->statements[which]);

	return db_run(&b);
}

static int
write_meta(struct store *s, const char *key, uint64_t value)
{
	struct db_binder b = db_bind(s->statements[STATEMENT_META]);

	db_bind_text(&b, key);
	db_bind_count(&b, value);
	return db_run(&b);
}

/* ERR_NOTFOUND: the file has no such address. */
static int
find_address(struct store *s, const struct addr *a, int64_t *out)
{
	sqlite3_stmt *stmt = s->statements[STATEMENT_ADDR_FIND];
	struct db_binder b = db_bind(stmt);
	int rc;

	db_bind_octets(&b, a->octets, sizeof(a->octets));
	rc = b.rc == SQLITE_OK ? sqlite3_step(stmt) : b.rc;
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	return rc == SQLITE_DONE ? ERR_NOTFOUND : db_err(rc);
}

static int
add_address(struct store *s, const struct addr *a, int64_t *out)
{
	struct db_binder b = db_bind(s->statements[STATEMENT_ADDR_ADD]);
	char text[ADDR_TEXT_MAX];
	int err;

	db_bind_octets(&b, a->octets, sizeof(a->octets));
	db_bind_text(&b, addr_format(a, text));
	db_bind_int(&b, addr_family(a));
	err = db_run(&b);
	if (err == ERR_OK)
		*out = sqlite3_last_insert_rowid(s->db);
	return err;
}

/* The row id of an address, which is in the file afterwards. */
static int
address_id(struct store *s, const struct addr *a, int64_t *out)
{
	uint64_t hash = hash_octets(&s->key, a->octets, sizeof(a->octets));
	struct address_slot *slot = &s->addresses[hash % ADDRESS_SLOTS];
	int64_t id = 0;
	int err;

	if (slot->id != 0 && addr_equal(&slot->address, a)) {
		*out = slot->id;
		return ERR_OK;
	}
	err = find_address(s, a, &id);
	if (err == ERR_NOTFOUND)
		err = add_address(s, a, &id);
	if (err != ERR_OK)
		return err;
	slot->address = *a;
	slot->id = id;
	*out = id;
	return ERR_OK;
}

static int
ensure_address(struct store *s, const struct addr *a)
{
	int64_t id;

	return address_id(s, a, &id);
}

/* Both addresses of a finding that may name a first client. */
static int
ensure_addresses(struct store *s, const struct addr *host,
    const struct addr *client)
{
	int err = ensure_address(s, host);

	if (err == ERR_OK && !db_addr_is_none(client))
		err = ensure_address(s, client);
	return err;
}

/* 0: not known. */
static int64_t
exporter_row(const struct store *s, uint32_t index)
{
	return index < EXPORTER_INDEX_MAX ? s->exporters.rows[index] : 0;
}

static void
bind_exporter(struct db_binder *b, const struct store *s, uint32_t index)
{
	db_bind_id(b, (uint64_t)exporter_row(s, index));
}

/* --- one writer a kind --------------------------------------------------- */

static int
write_engine(struct store *s, const struct finding *f)
{
	const struct finding_engine *e = &f->engine;
	struct db_binder b = db_bind(s->statements[STATEMENT_ENGINE]);

	db_bind_int(&b, e->clock_ms);
	db_bind_int(&b, e->training_from_ms);
	db_bind_int(&b, e->training_length_ms);
	db_bind_count(&b, e->next_exposure_id);
	db_bind_count(&b, e->next_alert_id);
	db_bind_count(&b, e->next_event_id);
	return db_run(&b);
}

/* The first network of this life takes the place of all of the last one's. */
static int
write_network(struct store *s, const struct finding *f)
{
	const struct network *n = &f->network;
	struct db_binder b = db_bind(s->statements[STATEMENT_NETWORK]);
	char cidr[PREFIX_TEXT_MAX];
	int err;

	if (!s->networks_cleared) {
		err = run(s, STATEMENT_NETWORKS_CLEAR);
		if (err != ERR_OK)
			return err;
		s->networks_cleared = true;
	}
	db_bind_octets(&b, n->prefix.low.octets, sizeof(n->prefix.low.octets));
	db_bind_octets(&b, n->prefix.high.octets,
	    sizeof(n->prefix.high.octets));
	db_bind_int(&b, n->prefix.length);
	db_bind_text(&b, prefix_format(&n->prefix, cidr));
	db_bind_text(&b, n->label);
	return db_run(&b);
}

static void
bind_exporter_values(struct db_binder *b, const struct finding_exporter *e)
{
	db_bind_octets(b, e->address.octets, sizeof(e->address.octets));
	db_bind_int(b, e->domain);
	db_bind_int(b, e->protocol);
	db_bind_int(b, e->first_seen_ms);
	db_bind_int(b, e->last_seen_ms);
	db_bind_count(b, e->datagrams);
	db_bind_count(b, e->records);
	db_bind_count(b, e->lost);
	db_bind_int(b, e->templates);
	db_bind_text(b, e->name);
	db_bind_count(b, e->unknown_template_sets);
	db_bind_count(b, e->templates_changed);
	db_bind_int(b, e->sampling);
	db_bind_int(b, e->clock_offset_ms);
	db_bind_id(b, e->active_timeout_s);
	db_bind_id(b, e->idle_timeout_s);
	db_bind_count(b, e->restarts);
	db_bind_count(b, e->duplicates);
	db_bind_count(b, e->reordered);
	db_bind_int(b, e->shared_address);
	db_bind_count(b, e->refused);
}

static int
write_exporter(struct store *s, const struct finding *f)
{
	const struct finding_exporter *e = &f->exporter;
	sqlite3_stmt *stmt = s->statements[STATEMENT_EXPORTER];
	struct db_binder b = db_bind(stmt);
	int err = ensure_address(s, &e->address);
	int64_t row = 0;
	int rc;

	if (err != ERR_OK)
		return err;
	bind_exporter_values(&b, e);
	rc = b.rc == SQLITE_OK ? sqlite3_step(stmt) : b.rc;
	if (rc == SQLITE_ROW) {
		row = sqlite3_column_int64(stmt, 0);
		rc = sqlite3_step(stmt);
	}
	sqlite3_reset(stmt);
	if (rc != SQLITE_DONE)
		return db_err(rc);
	if (!s->exporters_saved) {
		s->exporters_before = s->exporters;
		s->exporters_saved = true;
	}
	if (e->index < EXPORTER_INDEX_MAX)
		s->exporters.rows[e->index] = row;
	return ERR_OK;
}

static int
write_exporter_hour(struct store *s, const struct finding *f)
{
	const struct finding_exporter_hour *h = &f->exporter_hour;
	struct db_binder b = db_bind(s->statements[STATEMENT_EXPORTER_HOUR]);
	int64_t exporter = exporter_row(s, h->exporter);

	if (exporter == 0)
		return ERR_OK; /* nobody's hour is no row */
	db_bind_int(&b, exporter);
	db_bind_int(&b, h->hour_ms);
	db_bind_count(&b, h->datagrams);
	db_bind_count(&b, h->records);
	db_bind_count(&b, h->lost);
	return db_run(&b);
}

static void
bind_template_key(struct db_binder *b, const struct store *s,
    const struct finding_template *t)
{
	db_bind_int(b, exporter_row(s, t->exporter));
	db_bind_int(b, t->source_port);
	db_bind_int(b, t->kind);
	db_bind_int(b, t->id);
}

int
commit_forget(struct store *s, const struct finding_template *t)
{
	struct db_binder b = db_bind(s->statements[STATEMENT_TEMPLATE_CLEAR]);
	int err;

	bind_template_key(&b, s, t);
	err = db_run(&b);
	if (err == ERR_OK)
		s->templates.rows -= sqlite3_changes(s->db);
	return err;
}

/* The first part clears the place; without room the rest is not kept. */
static int
write_template(struct store *s, const struct finding *f)
{
	const struct finding_template *t = &f->template_part;
	struct db_binder b = db_bind(s->statements[STATEMENT_TEMPLATE]);
	int err = ERR_OK;

	if (exporter_row(s, t->exporter) == 0)
		return ERR_OK;
	if (t->part == 0) {
		err = commit_forget(s, t);
		s->templates.fits =
		    s->templates.rows + t->parts <= TEMPLATE_ROWS_MAX;
		if (!s->templates.fits)
			counter_add(s->counters, COUNTER_STORE_TEMPLATES_FULL,
			    1);
	}
	if (err != ERR_OK || !s->templates.fits)
		return err;
	bind_template_key(&b, s, t);
	db_bind_int(&b, t->part);
	db_bind_int(&b, t->parts);
	db_bind_int(&b, t->learned_ms);
	db_bind_octets(&b, t->octets, t->length);
	err = db_run(&b);
	s->templates.rows++;
	return err;
}

static int
write_feed(struct store *s, const struct finding *f)
{
	const struct finding_feed *d = &f->feed;
	struct db_binder b = db_bind(s->statements[STATEMENT_FEED]);
	int64_t exporter = exporter_row(s, d->exporter);
	char network[PREFIX_TEXT_MAX] = ""; /* the whole feed */
	char value[FEED_VALUE_MAX];

	if (exporter == 0)
		return ERR_OK; /* nobody's feed is no row */
	if (d->has_network)
		prefix_format(&d->network, network);
	db_bind_int(&b, exporter);
	db_bind_text(&b, feed_property_name(d->property));
	db_bind_text(&b, network);
	db_bind_int(&b, d->value);
	db_bind_text(&b, feed_value_format((enum feed_property)d->property,
			     d->value, value));
	db_bind_text(&b, feed_source_name(d->source));
	db_bind_count(&b, d->samples);
	db_bind_count(&b, d->agreeing);
	db_bind_count(&b, d->state);
	db_bind_int(&b, d->changed_ms);
	db_bind_count(&b, d->event_id);
	return db_run(&b);
}

static int
write_feed_event(struct store *s, const struct finding *f)
{
	const struct finding_feed_event *d = &f->feed_event;
	struct db_binder b = db_bind(s->statements[STATEMENT_FEED_EVENT]);
	enum feed_property property = (enum feed_property)d->property;
	int64_t exporter = exporter_row(s, d->exporter);
	char network[PREFIX_TEXT_MAX] = "";
	char from[FEED_VALUE_MAX], to[FEED_VALUE_MAX];

	if (exporter == 0)
		return ERR_OK;
	if (d->has_network)
		prefix_format(&d->network, network);
	db_bind_count(&b, d->id);
	db_bind_int(&b, d->ts_ms);
	db_bind_int(&b, exporter);
	db_bind_text(&b, feed_property_name(d->property));
	db_bind_text(&b, network);
	db_bind_text(&b, feed_value_format(property, d->from, from));
	db_bind_text(&b, feed_value_format(property, d->to, to));
	db_bind_text(&b, feed_source_name(d->source));
	db_bind_count(&b, d->samples);
	return db_run(&b);
}

static int
run_host(struct store *s, enum statement which, const struct finding_host *h)
{
	struct db_binder b = db_bind(s->statements[which]);

	db_bind_octets(&b, h->address.octets, sizeof(h->address.octets));
	db_bind_text(&b, h->label);
	db_bind_int(&b, h->first_seen_ms);
	db_bind_int(&b, h->last_seen_ms);
	return db_run(&b);
}

static int
write_host(struct store *s, const struct finding *f)
{
	const struct finding_host *h = &f->host;
	int err = run_host(s, STATEMENT_HOST, h);

	if (err != ERR_OK || sqlite3_changes(s->db) != 0)
		return err;
	err = ensure_address(s, &h->address);
	if (err == ERR_OK)
		err = run_host(s, STATEMENT_HOST_NEW, h);
	return err;
}

static int
write_host_guard(struct store *s, const struct finding *f)
{
	const struct finding_host_guard *g = &f->host_guard;
	struct db_binder b = db_bind(s->statements[STATEMENT_HOST_GUARD]);
	int err = ensure_address(s, &g->host);

	if (err != ERR_OK)
		return err;
	db_bind_octets(&b, g->host.octets, sizeof(g->host.octets));
	db_bind_int(&b, g->since_ms);
	db_bind_time(&b, g->until_ms);
	db_bind_count(&b, g->turned_away);
	return db_run(&b);
}

static void
bind_exposure(struct db_binder *b, const struct store *s,
    const struct finding_exposure *e, const uint8_t sketch[SKETCH_OCTETS])
{
	db_bind_count(b, e->id);
	db_bind_octets(b, e->host.octets, sizeof(e->host.octets));
	db_bind_int(b, e->proto);
	db_bind_int(b, e->port);
	db_bind_text(b, exposure_state_name(e->state));
	db_bind_text(b, tier_name(e->tier));
	db_bind_text(b, vetting_name(e->vetting));
	db_bind_text(b, rule_name(e->rule));
	db_bind_text(b, confidence_name(e->confidence));
	db_bind_int(b, e->first_ms);
	db_bind_int(b, e->last_ms);
	db_bind_time(b, e->closed_ms);
	db_bind_time(b, e->refused_ms);
	db_bind_count(b, e->accepted);
	db_bind_count(b, e->refused);
	db_bind_int(b, e->clients);
	db_bind_octets(b, sketch, SKETCH_OCTETS);
	db_bind_int(b, e->evidence);
	db_bind_id(b, e->alert_id);
	db_bind_id(b, e->event_id);
	db_bind_addr(b, &e->first_client);
	db_bind_int(b, e->first_client_port);
	bind_exporter(b, s, e->exporter);
	db_bind_text(b, listener_name(e->listener));
}

/* Changed: whether there was such a row. */
static int
run_exposure(struct store *s, enum statement which,
    const struct finding_exposure *e, const uint8_t sketch[SKETCH_OCTETS],
    bool *changed)
{
	struct db_binder b = db_bind(s->statements[which]);
	int err;

	bind_exposure(&b, s, e, sketch);
	err = db_run(&b);
	*changed = sqlite3_changes(s->db) != 0;
	return err;
}

/* What an update leaves as it is refers to addresses that are there. */
static int
write_exposure(struct store *s, const struct finding *f)
{
	const struct finding_exposure *e = &f->exposure;
	uint8_t sketch[SKETCH_OCTETS];
	bool changed;
	int err;

	sketch_put(&e->sketch, sketch);
	err = run_exposure(s, STATEMENT_EXPOSURE, e, sketch, &changed);
	if (err != ERR_OK || changed)
		return err;
	err = ensure_addresses(s, &e->host, &e->first_client);
	if (err == ERR_OK)
		err = run_exposure(s, STATEMENT_EXPOSURE_NEW, e, sketch,
		    &changed);
	if (err != ERR_OK || changed)
		return err;
	return run_exposure(s, STATEMENT_EXPOSURE_REFERENCES, e, sketch,
	    &changed);
}

/* Six values: the half of HALVES. */
static void
bind_half(struct db_binder *b, const struct store *s,
    const struct shown_half *h)
{
	if (h->shown == SHOWN_NOTHING) {
		for (int i = 0; i < 6; i++)
			db_bind_null(b);
		return;
	}
	db_bind_int(b, h->first_ms);
	db_bind_int(b, h->packets);
	db_bind_int(b, h->octets);
	if (h->shown == SHOWN_WITHOUT_FLAGS)
		db_bind_null(b);
	else
		db_bind_int(b, h->flags);
	db_bind_int(b, h->evidence);
	bind_exporter(b, s, h->exporter);
}

static int
write_witness(struct store *s, const struct finding *f)
{
	const struct finding_witness *e = &f->witness;
	const struct witness *w = &e->witness;
	bool gone = w->roles == 0;
	struct db_binder b = db_bind(
	    s->statements[gone ? STATEMENT_WITNESS_GONE : STATEMENT_WITNESS]);
	int err = gone ? ERR_OK : ensure_address(s, &w->client);

	if (err != ERR_OK)
		return err;
	db_bind_count(&b, e->exposure_id);
	db_bind_int(&b, e->index);
	if (gone)
		return db_run(&b);
	db_bind_int(&b, w->roles);
	db_bind_int(&b, w->counted_ms);
	db_bind_int(&b, w->last_ms);
	db_bind_octets(&b, w->client.octets, sizeof(w->client.octets));
	db_bind_int(&b, w->client_port);
	db_bind_int(&b, w->generation);
	db_bind_text(&b, outcome_name(w->outcome));
	db_bind_text(&b, rule_name(w->rule));
	db_bind_text(&b, confidence_name(w->confidence));
	bind_half(&b, s, &w->outer);
	bind_half(&b, s, &w->inner);
	return db_run(&b);
}

static void
bind_tiers(struct db_binder *b, const struct change *c)
{
	bool is_tier = c->kind == CHANGE_TIER || c->kind == CHANGE_OPENED;

	if (c->kind == CHANGE_TIER)
		db_bind_text(b, tier_name(c->tier_from));
	else
		db_bind_null(b);
	if (is_tier)
		db_bind_text(b, tier_name(c->tier_to));
	else
		db_bind_null(b);
}

static int
write_change(struct store *s, const struct finding *f)
{
	const struct finding_change *e = &f->change;
	const struct change *c = &e->change;
	bool gone = c->kind == CHANGE_NONE;
	struct db_binder b = db_bind(
	    s->statements[gone ? STATEMENT_CHANGE_GONE : STATEMENT_CHANGE]);
	int err = gone ? ERR_OK : ensure_address(s, &c->client);

	if (err != ERR_OK)
		return err;
	db_bind_count(&b, e->exposure_id);
	db_bind_int(&b, e->index);
	if (gone)
		return db_run(&b);
	db_bind_text(&b, change_name(c->kind));
	db_bind_int(&b, c->at_ms);
	bind_tiers(&b, c);
	db_bind_octets(&b, c->client.octets, sizeof(c->client.octets));
	db_bind_int(&b, c->client_port);
	db_bind_text(&b, rule_name(c->rule));
	db_bind_text(&b, confidence_name(c->confidence));
	return db_run(&b);
}

static int
write_trans_darkport(struct store *s, const struct finding *f)
{
	const struct finding_trans_darkport *t = &f->trans_darkport;
	struct db_binder b = db_bind(s->statements[STATEMENT_TRANS_DARKPORT]);
	int err = ensure_addresses(s, &t->host, &t->first_client);

	if (err != ERR_OK)
		return err;
	db_bind_count(&b, t->id);
	db_bind_count(&b, t->exposure_id);
	db_bind_octets(&b, t->host.octets, sizeof(t->host.octets));
	db_bind_int(&b, t->proto);
	db_bind_int(&b, t->port);
	db_bind_text(&b, alert_state_name(t->state));
	db_bind_int(&b, t->opened_ms);
	db_bind_time(&b, t->dark_since_ms);
	db_bind_addr(&b, &t->first_client);
	db_bind_int(&b, t->first_client_port);
	db_bind_int(&b, t->first_client_had_probed);
	bind_exporter(&b, s, t->exporter);
	return db_run(&b);
}

static void
bind_scan_event(struct db_binder *b, const struct store *s,
    const struct finding_scan_event *e, int64_t src_id, int64_t dst_id)
{
	db_bind_count(b, e->id);
	db_bind_int(b, e->ts_ms);
	db_bind_int(b, src_id);
	db_bind_int(b, dst_id);
	db_bind_int(b, e->proto);
	db_bind_int(b, e->port);
	db_bind_int(b, e->src_port);
	db_bind_text(b, technique_name(e->technique));
	db_bind_text(b, answer_name(e->answer));
	db_bind_text(b, place_name(e->place));
	db_bind_text(b, phase_name(e->phase));
	db_bind_text(b, rule_name(e->rule));
	db_bind_text(b, confidence_name(e->confidence));
	bind_exporter(b, s, e->exporter);
	db_bind_text(b, reason_name(e->reason));
	db_bind_int(b, e->last_ms);
	bind_half(b, s, &e->outer);
	bind_half(b, s, &e->inner);
}

static int
write_scan_event(struct store *s, const struct finding *f)
{
	const struct finding_scan_event *e = &f->scan_event;
	struct db_binder b = db_bind(s->statements[STATEMENT_SCAN_EVENT]);
	int64_t src = 0, dst = 0;
	int err = address_id(s, &e->src, &src);

	if (err == ERR_OK)
		err = address_id(s, &e->dst, &dst);
	if (err != ERR_OK)
		return err;
	bind_scan_event(&b, s, e, src, dst);
	err = db_run(&b);
	if (err != ERR_OK || sqlite3_changes(s->db) != 0)
		return err;
	b = db_bind(s->statements[STATEMENT_SCAN_EVENT_REPLACE]);
	bind_scan_event(&b, s, e, src, dst);
	return db_run(&b);
}

static int
write_outcome(struct store *s, const struct finding *f)
{
	const struct finding_outcome *o = &f->outcome;
	struct db_binder b = db_bind(s->statements[STATEMENT_OUTCOME]);

	db_bind_int(&b, o->hour_ms);
	db_bind_int(&b, exporter_row(s, o->exporter));
	db_bind_text(&b, outcome_name(o->outcome));
	db_bind_text(&b, rule_name(o->rule));
	db_bind_text(&b, reason_name(o->reason));
	db_bind_count(&b, o->attempts);
	return db_run(&b);
}

static int
write_counter(struct store *s, const struct finding *f)
{
	struct db_binder b = db_bind(s->statements[STATEMENT_COUNTER]);

	db_bind_text(&b, counter_name((enum counter)f->counter.which));
	db_bind_count(&b, f->counter.value);
	return db_run(&b);
}

static int
retract(struct store *s, enum statement which, const struct finding *f)
{
	struct db_binder b = db_bind(s->statements[which]);

	db_bind_count(&b, f->retracted_id);
	return db_run(&b);
}

static int
write_finding(struct store *s, const struct finding *f)
{
	assert(f->kind < FINDING_KIND_COUNT);
	switch (f->kind) {
	case FINDING_ENGINE:
		return write_engine(s, f);
	case FINDING_NETWORK:
		return write_network(s, f);
	case FINDING_EXPORTER:
		return write_exporter(s, f);
	case FINDING_EXPORTER_HOUR:
		return write_exporter_hour(s, f);
	case FINDING_TEMPLATE:
		return write_template(s, f);
	case FINDING_FEED:
		return write_feed(s, f);
	case FINDING_FEED_EVENT:
		return write_feed_event(s, f);
	case FINDING_HOST:
		return write_host(s, f);
	case FINDING_HOST_GUARD:
		return write_host_guard(s, f);
	case FINDING_EXPOSURE:
		return write_exposure(s, f);
	case FINDING_EXPOSURE_RETRACTED:
		return retract(s, STATEMENT_EXPOSURE_RETRACTED, f);
	case FINDING_WITNESS:
		return write_witness(s, f);
	case FINDING_CHANGE:
		return write_change(s, f);
	case FINDING_TRANS_DARKPORT:
		return write_trans_darkport(s, f);
	case FINDING_TRANS_DARKPORT_RETRACTED:
		return retract(s, STATEMENT_TRANS_DARKPORT_RETRACTED, f);
	case FINDING_SCAN_EVENT:
		return write_scan_event(s, f);
	case FINDING_SCAN_EVENT_RETRACTED:
		return retract(s, STATEMENT_SCAN_EVENT_RETRACTED, f);
	case FINDING_OUTCOME:
		return write_outcome(s, f);
	case FINDING_COUNTER:
		return write_counter(s, f);
	case FINDING_KIND_COUNT:
		break;
	}
	return ERR_FORMAT; /* asserted above */
}

/* --- the transaction ------------------------------------------------------ */

static int
write_all(struct store *s, const struct finding_batch *batch)
{
	int err = run(s, STATEMENT_BEGIN);

	for (uint32_t i = 0; i < batch->count && err == ERR_OK; i++)
		err = write_finding(s, &batch->findings[i]);
	if (err == ERR_OK)
		err = write_meta(s, "batch_sequence", batch->sequence);
	if (err == ERR_OK)
		err = run(s, STATEMENT_COMMIT);
	return err;
}

/* Forgets what the batch taught, row ids above all: they never were. */
static void
roll_back(struct store *s)
{
	if (sqlite3_get_autocommit(s->db) == 0)
		(void)!run(s, STATEMENT_ROLLBACK);
	memset(s->addresses, 0, ADDRESS_SLOTS * sizeof(*s->addresses));
	if (s->exporters_saved)
		s->exporters = s->exporters_before;
	s->networks_cleared = s->networks_cleared_before;
	s->templates = s->templates_before;
}

static uint64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

int
store_write(struct store *s, const struct finding_batch *batch,
    char message[STORE_MESSAGE_MAX])
{
	uint64_t start_us = now_us();
	uint64_t took_us;
	int err;

	s->exporters_saved = false;
	s->networks_cleared_before = s->networks_cleared;
	s->templates_before = s->templates;
	err = write_all(s, batch);
	if (err != ERR_OK) {
		snprintf(message, STORE_MESSAGE_MAX, "cannot write %s: %s",
		    s->path, sqlite3_errmsg(s->db));
		roll_back(s);
		counter_add(s->counters, COUNTER_STORE_ERRORS, 1);
		return err;
	}
	atomic_store(&s->sequence, batch->sequence);
	counter_add(s->counters, COUNTER_STORE_COMMITS, 1);
	counter_add(s->counters, COUNTER_STORE_ROWS, batch->count);
	took_us = now_us() - start_us;
	counter_add(s->counters, COUNTER_STORE_COMMIT_US, took_us);
	histogram_add(&s->counters->commits, took_us);
	return ERR_OK;
}
