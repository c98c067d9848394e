/* SPDX-License-Identifier: Apache-2.0 */
/* Why: the witnesses and changes of an exposure, the halves of an event. */
#include "store/reader.h"

/* What one end had shown: an object, or null. Its time is its start's. */
#define HALF(end)                                                              \
	"json(iif(" end "_packets IS NULL, 'null', json_object('start', " end  \
	"_start_iso, 'packets', " end "_packets, 'octets', " end               \
	"_octets, 'flags', " end "_flags, 'flags_text', " end                  \
	"_flags_text, 'evidence', " end "_evidence, 'exporter', " end          \
	"_exporter)))"

static const char exposure_sql[] =
    "SELECT json_object('id', id, 'host', host, 'proto', proto,"
    "'port', port, 'state', state, 'tier', tier, 'verdict', verdict,"
    "'rule', rule, 'confidence', confidence, 'why', rule_why(rule),"
    "'first_seen', first_seen_iso, 'last_seen', last_seen_iso,"
    "'closed_at', closed_at_iso, 'witnesses', json((SELECT"
    " json_group_array(json(w)) FROM (SELECT json_object("
    "'roles', json('[\"' || replace(roles, '+', '\",\"') || '\"]'),"
    "'client', client, 'client_port', client_port,"
    "'counted_at', counted_at_iso, 'end', end_iso, 'outcome', outcome,"
    "'rule', rule, 'confidence', confidence, 'why', rule_why(rule),"
    "'outer', " HALF("outer") ", 'inner', " HALF(
	"inner") ") AS w"
		 " FROM exposure_evidence WHERE exposure_id = @id"
		 " ORDER BY counted_at_iso, place))),"
		 "'changes', json((SELECT json_group_array(json(c)) FROM"
		 " (SELECT json_object('change', change, 'at', at_iso,"
		 "'tier_from', tier_from, 'tier_to', tier_to, 'client', client,"
		 "'client_port', client_port, 'rule', rule,"
		 "'confidence', confidence, 'why', rule_why(rule)) AS c"
		 " FROM exposure_changes WHERE exposure_id = @id ORDER BY "
		 "place))))"
		 " FROM exposures WHERE id = @id";

static const char scan_event_sql[] =
    "SELECT json_object('id', scan_event_id, 'ts', ts_iso, 'end', end_iso,"
    "'src', src, 'src_port', src_port, 'dst', dst, 'proto', proto,"
    "'port', port, 'technique', technique, 'answer', answer,"
    "'place', place, 'rule', rule, 'confidence', confidence,"
    "'why', rule_why(rule),"
    "'outer', " HALF("outer") ", 'inner', " HALF(
	"inner") ")"
		 " FROM scan_event_evidence WHERE scan_event_id = @id";

static int
ask(struct query *q, const char *sql, uint64_t id, query_row_fn fn, void *arg)
{
	sqlite3_stmt *stmt;
	int err = reader_begin(q, sql, &stmt);

	if (err != ERR_OK)
		return err;
	reader_bind_int(stmt, "@id", (int64_t)id);
	return reader_one(stmt, fn, arg);
}

int
query_exposure_evidence(struct query *q, uint64_t id, query_row_fn fn,
    void *arg)
{
	return ask(q, exposure_sql, id, fn, arg);
}

int
query_scan_event_evidence(struct query *q, uint64_t id, query_row_fn fn,
    void *arg)
{
	return ask(q, scan_event_sql, id, fn, arg);
}
