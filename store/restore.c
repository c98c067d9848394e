/* SPDX-License-Identifier: Apache-2.0 */
/* From rows back to findings, at the start of a daemon's life. */
#include <string.h>

#include "store/state.h"

/* What a list of rows is, and how one becomes a finding. */
struct restorer {
	const char *sql;
	enum finding_kind kind;
	void (*read)(struct store *s, struct db_row *r, struct finding *f);
};

/* From row ids back to indexes, by the map the exporters' rows filled. */
static uint32_t
read_exporter_index(const struct store *s, struct db_row *r)
{
	int64_t row = db_read_int(r);

	for (uint32_t i = 0;
	     row != 0 && i < EXPORTER_INDEX_MAX && s->exporters.rows[i] != 0;
	     i++)
		if (s->exporters.rows[i] == row)
			return i;
	return STORE_EXPORTER_NONE;
}

static void
read_exporter(struct store *s, struct db_row *r, struct finding *f)
{
	struct finding_exporter *e = &f->exporter;
	int64_t row = db_read_int(r);

	e->index = (uint32_t)db_read_unsigned(r, EXPORTER_INDEX_MAX - 1);
	e->address = db_read_addr(r);
	e->domain = (uint32_t)db_read_unsigned(r, UINT32_MAX);
	e->protocol = (uint8_t)db_read_unsigned(r, UINT8_MAX);
	e->first_seen_ms = db_read_int(r);
	e->last_seen_ms = db_read_int(r);
	e->datagrams = db_read_unsigned(r, INT64_MAX);
	e->records = db_read_unsigned(r, INT64_MAX);
	e->lost = db_read_unsigned(r, INT64_MAX);
	e->templates = (uint32_t)db_read_unsigned(r, UINT32_MAX);
	db_read_text(r, e->name, sizeof(e->name));
	e->unknown_template_sets = db_read_unsigned(r, INT64_MAX);
	e->templates_changed = db_read_unsigned(r, INT64_MAX);
	e->sampling = (uint32_t)db_read_unsigned(r, UINT32_MAX);
	e->clock_offset_ms = db_read_int(r);
	e->active_timeout_s = (uint32_t)db_read_unsigned(r, UINT32_MAX);
	e->idle_timeout_s = (uint32_t)db_read_unsigned(r, UINT32_MAX);
	e->restarts = db_read_unsigned(r, INT64_MAX);
	e->duplicates = db_read_unsigned(r, INT64_MAX);
	e->reordered = db_read_unsigned(r, INT64_MAX);
	e->shared_address = db_read_unsigned(r, 1) == 1;
	e->refused = db_read_unsigned(r, INT64_MAX);
	s->exporters.rows[e->index] = row;
}

static void
read_exporter_hour(struct store *s, struct db_row *r, struct finding *f)
{
	struct finding_exporter_hour *h = &f->exporter_hour;

	h->exporter = read_exporter_index(s, r);
	h->hour_ms = db_read_int(r);
	h->datagrams = db_read_unsigned(r, INT64_MAX);
	h->records = db_read_unsigned(r, INT64_MAX);
	h->lost = db_read_unsigned(r, INT64_MAX);
}

static void
read_template(struct store *s, struct db_row *r, struct finding *f)
{
	struct finding_template *t = &f->template_part;
	const void *octets;
	int length;

	t->exporter = read_exporter_index(s, r);
	t->source_port = (uint16_t)db_read_unsigned(r, UINT16_MAX);
	t->kind = (uint8_t)db_read_unsigned(r, UINT8_MAX);
	t->id = (uint16_t)db_read_unsigned(r, UINT16_MAX);
	t->part = (uint16_t)db_read_unsigned(r, UINT16_MAX);
	t->parts = (uint16_t)db_read_unsigned(r, UINT16_MAX);
	t->learned_ms = db_read_int(r);
	octets = sqlite3_column_blob(r->stmt, r->index);
	length = sqlite3_column_bytes(r->stmt, r->index++);
	if (octets == NULL || length > TEMPLATE_PART_OCTETS) {
		r->failed = length != 0;
		return;
	}
	memcpy(t->octets, octets, (size_t)length);
	t->length = (uint8_t)length;
}

static void
read_feed(struct store *s, struct db_row *r, struct finding *f)
{
	struct finding_feed *d = &f->feed;
	char network[PREFIX_TEXT_MAX];

	d->exporter = read_exporter_index(s, r);
	d->property = db_read_word(r, feed_property_name, FEED_PROPERTY_COUNT);
	db_read_text(r, network, sizeof(network));
	d->has_network = network[0] != '\0';
	if (d->has_network && prefix_parse(network, &d->network) != ERR_OK)
		r->failed = true;
	d->value = db_read_int(r);
	d->source = db_read_word(r, feed_source_name, FEED_SOURCE_COUNT);
	d->samples = db_read_unsigned(r, INT64_MAX);
	d->agreeing = db_read_unsigned(r, INT64_MAX);
	d->state = db_read_unsigned(r, INT64_MAX);
	d->changed_ms = db_read_int(r);
	d->event_id = db_read_unsigned(r, INT64_MAX);
}

static void
read_engine(struct store *s, struct db_row *r, struct finding *f)
{
	struct finding_engine *e = &f->engine;

	(void)s;
	e->clock_ms = db_read_int(r);
	e->training_from_ms = db_read_int(r);
	e->training_length_ms = db_read_int(r);
	e->next_exposure_id = db_read_unsigned(r, INT64_MAX);
	e->next_alert_id = db_read_unsigned(r, INT64_MAX);
	e->next_event_id = db_read_unsigned(r, INT64_MAX);
}

static void
read_host(struct store *s, struct db_row *r, struct finding *f)
{
	struct finding_host *h = &f->host;

	(void)s;
	h->address = db_read_addr(r);
	db_read_text(r, h->label, sizeof(h->label));
	h->first_seen_ms = db_read_int(r);
	h->last_seen_ms = db_read_int(r);
}

static void
read_sketch(struct db_row *r, struct client_sketch *sketch)
{
	const uint8_t *octets = sqlite3_column_blob(r->stmt, r->index);
	int length = sqlite3_column_bytes(r->stmt, r->index++);

	if (octets != NULL && length == SKETCH_OCTETS)
		sketch_get(octets, sketch);
	else
		r->failed = true;
}

static void
read_exposure(struct store *s, struct db_row *r, struct finding *f)
{
	struct finding_exposure *e = &f->exposure;

	e->id = db_read_unsigned(r, INT64_MAX);
	e->host = db_read_addr(r);
	e->proto = (uint8_t)db_read_unsigned(r, UINT8_MAX);
	e->port = (uint16_t)db_read_unsigned(r, UINT16_MAX);
	e->state = db_read_word(r, exposure_state_name, EXPOSURE_STATE_COUNT);
	e->tier = db_read_word(r, tier_name, TIER_COUNT);
	e->vetting = db_read_word(r, vetting_name, VETTING_COUNT);
	e->rule = db_read_word(r, rule_name, RULE_COUNT);
	e->confidence = db_read_word(r, confidence_name, CONFIDENCE_COUNT);
	e->first_ms = db_read_int(r);
	e->last_ms = db_read_int(r);
	e->closed_ms = db_read_int(r);
	e->refused_ms = db_read_int(r);
	e->accepted = db_read_unsigned(r, INT64_MAX);
	e->refused = db_read_unsigned(r, INT64_MAX);
	e->clients = (uint32_t)db_read_unsigned(r, UINT32_MAX);
	read_sketch(r, &e->sketch);
	e->evidence = (uint32_t)db_read_unsigned(r, UINT32_MAX);
	e->alert_id = db_read_unsigned(r, INT64_MAX);
	e->event_id = db_read_unsigned(r, INT64_MAX);
	e->first_client = db_read_addr(r);
	e->first_client_port = (uint16_t)db_read_unsigned(r, UINT16_MAX);
	e->exporter = read_exporter_index(s, r);
	e->listener = db_read_word(r, listener_name, LISTENER_COUNT);
}

static void
read_host_guard(struct store *s, struct db_row *r, struct finding *f)
{
	struct finding_host_guard *g = &f->host_guard;

	(void)s;
	g->host = db_read_addr(r);
	g->since_ms = db_read_int(r);
	g->turned_away = db_read_unsigned(r, INT64_MAX);
}

static void
read_half(struct store *s, struct db_row *r, struct shown_half *h)
{
	bool seen = !db_read_is_null(r); /* first_ms */

	h->first_ms = db_read_int(r);
	h->packets = (uint32_t)db_read_unsigned(r, UINT32_MAX);
	h->octets = (uint32_t)db_read_unsigned(r, UINT32_MAX);
	if (seen)
		h->shown =
		    db_read_is_null(r) ? SHOWN_WITHOUT_FLAGS : SHOWN_HALF;
	h->flags = (uint8_t)db_read_unsigned(r, UINT8_MAX);
	h->evidence = (uint16_t)db_read_unsigned(r, UINT16_MAX);
	h->exporter = read_exporter_index(s, r);
}

static void
read_witness(struct store *s, struct db_row *r, struct finding *f)
{
	struct finding_witness *e = &f->witness;
	struct witness *w = &e->witness;

	e->host = db_read_addr(r);
	e->proto = (uint8_t)db_read_unsigned(r, UINT8_MAX);
	e->port = (uint16_t)db_read_unsigned(r, UINT16_MAX);
	e->exposure_id = db_read_unsigned(r, INT64_MAX);
	e->index = (uint8_t)db_read_unsigned(r, WITNESSES_MAX - 1);
	w->roles = (uint8_t)db_read_unsigned(r, UINT8_MAX);
	w->counted_ms = db_read_int(r);
	w->last_ms = db_read_int(r);
	w->client = db_read_addr(r);
	w->client_port = (uint16_t)db_read_unsigned(r, UINT16_MAX);
	w->generation = (uint8_t)db_read_unsigned(r, UINT8_MAX);
	w->outcome = db_read_word(r, outcome_name, OUTCOME_COUNT);
	w->rule = db_read_word(r, rule_name, RULE_COUNT);
	w->confidence = db_read_word(r, confidence_name, CONFIDENCE_COUNT);
	read_half(s, r, &w->outer);
	read_half(s, r, &w->inner);
}

/* NULL, as of a change that is none of tier, reads as the first tier. */
static uint8_t
read_tier(struct db_row *r)
{
	if (db_read_is_null(r)) {
		r->index++;
		return 0;
	}
	return db_read_word(r, tier_name, TIER_COUNT);
}

static void
read_change(struct store *s, struct db_row *r, struct finding *f)
{
	struct finding_change *e = &f->change;
	struct change *c = &e->change;

	(void)s;
	e->host = db_read_addr(r);
	e->proto = (uint8_t)db_read_unsigned(r, UINT8_MAX);
	e->port = (uint16_t)db_read_unsigned(r, UINT16_MAX);
	e->exposure_id = db_read_unsigned(r, INT64_MAX);
	e->index = (uint8_t)db_read_unsigned(r, CHANGES_COUNT - 1);
	c->kind = db_read_word(r, change_name, CHANGE_COUNT);
	c->at_ms = db_read_int(r);
	c->tier_from = read_tier(r);
	c->tier_to = read_tier(r);
	c->client = db_read_addr(r);
	c->client_port = (uint16_t)db_read_unsigned(r, UINT16_MAX);
	c->rule = db_read_word(r, rule_name, RULE_COUNT);
	c->confidence = db_read_word(r, confidence_name, CONFIDENCE_COUNT);
}

static void
read_trans_darkport(struct store *s, struct db_row *r, struct finding *f)
{
	struct finding_trans_darkport *t = &f->trans_darkport;

	t->id = db_read_unsigned(r, INT64_MAX);
	t->exposure_id = db_read_unsigned(r, INT64_MAX);
	t->host = db_read_addr(r);
	t->proto = (uint8_t)db_read_unsigned(r, UINT8_MAX);
	t->port = (uint16_t)db_read_unsigned(r, UINT16_MAX);
	t->state = db_read_word(r, alert_state_name, ALERT_STATE_COUNT);
	t->opened_ms = db_read_int(r);
	t->dark_since_ms = db_read_int(r);
	t->first_client = db_read_addr(r);
	t->first_client_port = (uint16_t)db_read_unsigned(r, UINT16_MAX);
	t->first_client_had_probed = db_read_unsigned(r, 1) == 1;
	t->exporter = read_exporter_index(s, r);
}

static void
read_outcome(struct store *s, struct db_row *r, struct finding *f)
{
	struct finding_outcome *o = &f->outcome;

	o->hour_ms = db_read_int(r);
	o->exporter = read_exporter_index(s, r);
	o->outcome = db_read_word(r, outcome_name, OUTCOME_COUNT);
	o->rule = db_read_word(r, rule_name, RULE_COUNT);
	o->reason = db_read_word(r, reason_name, REASON_COUNT);
	o->attempts = db_read_unsigned(r, INT64_MAX);
}

/* Exporters first: the others' rows name them. */
static const struct restorer restorers[] = {
	{ "SELECT id, row_number() OVER (ORDER BY id) - 1, address_ip, domain,"
	  " version, first_ms, last_ms, datagrams, records, lost, templates,"
	  " name, unknown_template_sets, templates_changed, sampling,"
	  " clock_offset_ms, active_timeout_s, idle_timeout_s, restarts,"
	  " duplicates, reordered, shared_address, refused"
	  " FROM t_exporter ORDER BY id LIMIT 65536",
	    FINDING_EXPORTER, read_exporter },
	{ "SELECT exporter_id, hour_ms, datagrams, records, lost"
	  " FROM t_exporter_hour"
	  " WHERE hour_ms = (SELECT max(hour_ms) FROM t_exporter_hour)"
	  " ORDER BY exporter_id",
	    FINDING_EXPORTER_HOUR, read_exporter_hour },
	/* who sent last comes first: there may be room for these only */
	{ "SELECT t.exporter_id, t.source_port, t.kind, t.template_id, t.part,"
	  " t.parts, t.learned_ms, t.octets"
	  " FROM t_template t JOIN t_exporter e ON e.id = t.exporter_id"
	  " ORDER BY e.last_ms DESC, e.id, t.source_port, t.kind,"
	  " t.template_id, t.part",
	    FINDING_TEMPLATE, read_template },
	{ "SELECT exporter_id, property, network, value, source, samples,"
	  " agreeing, state, changed_ms, event_id"
	  " FROM t_feed ORDER BY exporter_id, property, network",
	    FINDING_FEED, read_feed },
	{ "SELECT clock_ms, training_from_ms, training_length_ms,"
	  " next_exposure_id, next_alert_id, next_event_id FROM t_engine",
	    FINDING_ENGINE, read_engine },
	{ "SELECT ip, label, first_ms, last_ms FROM t_host ORDER BY ip",
	    FINDING_HOST, read_host },
	{ "SELECT id, host_ip, proto, port, state, tier, vetting, rule,"
	  " confidence, first_ms, last_ms, closed_ms, refused_ms, accepted,"
	  " refused, clients, sketch, evidence, alert_id, event_id,"
	  " first_client_ip, first_client_port, exporter_id, listener"
	  " FROM t_exposure WHERE state <> 'closed' ORDER BY id",
	    FINDING_EXPOSURE, read_exposure },
	/* the latest interval of a port that is dark now, as far as one can be
	 * remembered: since when it is dark */
	{ "SELECT * FROM (SELECT id, host_ip, proto, port, state, tier,"
	  " vetting, rule, confidence, first_ms, last_ms, max(closed_ms) AS"
	  " dark_ms, refused_ms, accepted, refused, clients, sketch, evidence,"
	  " alert_id, event_id, first_client_ip, first_client_port, "
	  "exporter_id,"
	  " listener FROM t_exposure e WHERE state = 'closed' AND NOT EXISTS"
	  " (SELECT 1 FROM t_exposure o WHERE o.host_ip = e.host_ip"
	  " AND o.proto = e.proto AND o.port = e.port AND o.state <> 'closed')"
	  " GROUP BY host_ip, proto, port ORDER BY dark_ms DESC LIMIT 65536)"
	  " ORDER BY dark_ms, id",
	    FINDING_EXPOSURE, read_exposure },
	{ "SELECT host_ip, since_ms, turned_away FROM t_host_guard"
	  " WHERE until_ms IS NULL ORDER BY host_ip",
	    FINDING_HOST_GUARD, read_host_guard },
	{ "SELECT e.host_ip, e.proto, e.port, w.exposure_id, w.place, w.roles,"
	  " w.counted_ms, w.last_ms, w.client_ip, w.client_port,"
	  " w.generation, w.outcome, w.rule, w.confidence, w.outer_first_ms,"
	  " w.outer_packets, w.outer_octets, w.outer_flags,"
	  " w.outer_evidence, w.outer_exporter_id, w.inner_first_ms,"
	  " w.inner_packets, w.inner_octets, w.inner_flags,"
	  " w.inner_evidence, w.inner_exporter_id"
	  " FROM t_witness w JOIN t_exposure e ON e.id = w.exposure_id"
	  " WHERE e.state <> 'closed' ORDER BY w.exposure_id, w.place",
	    FINDING_WITNESS, read_witness },
	{ "SELECT e.host_ip, e.proto, e.port, c.exposure_id, c.place, c.kind,"
	  " c.at_ms, c.tier_from, c.tier_to, c.client_ip, c.client_port,"
	  " c.rule, c.confidence"
	  " FROM t_change c JOIN t_exposure e ON e.id = c.exposure_id"
	  " WHERE e.state <> 'closed' ORDER BY c.exposure_id, c.place",
	    FINDING_CHANGE, read_change },
	{ "SELECT t.id, t.exposure_id, t.host_ip, t.proto, t.port, t.state,"
	  " t.opened_ms, t.dark_since_ms, t.first_client_ip,"
	  " t.first_client_port, t.first_client_had_probed, t.exporter_id"
	  " FROM t_trans_darkport t JOIN t_exposure e ON e.id = t.exposure_id"
	  " WHERE e.state <> 'closed' ORDER BY t.id",
	    FINDING_TRANS_DARKPORT, read_trans_darkport },
	{ "SELECT hour_ms, exporter_id, outcome, rule, reason, attempts"
	  " FROM t_outcome"
	  " WHERE hour_ms > coalesce((SELECT clock_ms FROM t_engine),"
	  " (SELECT max(hour_ms) FROM t_outcome)) - 2 * 3600000"
	  " ORDER BY hour_ms, exporter_id, outcome, rule, reason",
	    FINDING_OUTCOME, read_outcome },
};

static int
restore_list(struct store *s, const struct restorer *list, store_restore_fn fn,
    void *arg)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(s->db, list->sql, -1, &stmt, NULL);
	int err = ERR_OK;

	if (rc != SQLITE_OK)
		return db_err(rc);
	while (err == ERR_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct db_row r = db_row(stmt);
		struct finding f;

		memset(&f, 0, sizeof(f));
		f.kind = list->kind;
		list->read(s, &r, &f);
		err = r.failed ? ERR_FORMAT : fn(&f, arg);
		if (err == ERR_NOTFOUND && f.kind == FINDING_TEMPLATE)
			err = commit_forget(s, &f.template_part);
	}
	sqlite3_finalize(stmt);
	if (err == ERR_OK && rc != SQLITE_DONE)
		err = db_err(rc);
	return err;
}

int
store_restore(struct store *s, store_restore_fn fn, void *arg)
{
	int err = ERR_OK;

	memset(&s->exporters, 0, sizeof(s->exporters));
	for (size_t i = 0;
	     i < sizeof(restorers) / sizeof(restorers[0]) && err == ERR_OK; i++)
		err = restore_list(s, &restorers[i], fn, arg);
	return err;
}
