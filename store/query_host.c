/* SPDX-License-Identifier: Apache-2.0 */
/* The questions about one address: its exposures, its darkports. */
#include "store/reader.h"

/*
 * No row: not internal. "at" is the address, "h" its row of hosts if it has
 * one, "nem_of" its map; the darkports of a protocol are what is left of
 * 65,536. "plain" is the address without its tag: networks have none.
 */
#define ABOUT_HOST                                                             \
	"WITH at(host) AS (SELECT @host),"                                     \
	" network AS (SELECT label FROM networks WHERE @plain BETWEEN low_ip"  \
	" AND high_ip ORDER BY length DESC LIMIT 1),"                          \
	" h AS MATERIALIZED (SELECT * FROM hosts WHERE host_ip = @ip),"        \
	" nem_of AS MATERIALIZED (SELECT * FROM nem WHERE host_ip = @ip"       \
	" ORDER BY proto_num, port, id)"

#define IS_POPULATED "(h.host_ip IS NOT NULL OR EXISTS (SELECT 1 FROM nem_of))"

static const char host_sql[] = ABOUT_HOST
    " SELECT json_object('host', at.host,"
    "'populated', json(iif(" IS_POPULATED ", 'true', 'false')),"
    "'label', coalesce(h.label, network.label),"
    "'first_seen', h.first_seen_iso, 'last_seen', h.last_seen_iso,"
    "'guarded_since', h.guarded_since_iso,"
    "'exposed', json((SELECT json_group_object(proto, json(ports)) FROM"
    " (SELECT proto, json_group_array(port) AS ports FROM"
    " (SELECT DISTINCT proto, proto_num, port FROM nem_of"
    " ORDER BY proto_num, port) GROUP BY proto_num))),"
    "'services', json((SELECT json_group_array(json_object('id', id,"
    "'proto', proto, 'port', port, 'state', state, 'tier', tier,"
    "'verdict', verdict, 'first_seen', first_seen_iso,"
    "'last_seen', last_seen_iso, 'accepted', accepted, 'clients', clients,"
    "'rule', rule, 'confidence', confidence, 'first_client', first_client,"
    "'first_client_port', first_client_port, 'exporter', exporter,"
    "'listener', listener,"
    "'trans_darkport', trans_darkport_id)) FROM nem_of)),"
    "'darkports', json(iif(" IS_POPULATED ", json_object("
    "'tcp', 65536 - (SELECT count(DISTINCT port) FROM nem_of"
    " WHERE proto_num = 6),"
    "'udp', 65536 - (SELECT count(DISTINCT port) FROM nem_of"
    " WHERE proto_num = 17)), '{}')))"
    " FROM at JOIN network LEFT JOIN h";

/* The gaps between the ports of the map, with -1 and 65536 at its ends. */
static const char darkports_sql[] = ABOUT_HOST
    ", edges(port) AS (SELECT -1 UNION SELECT 65536 UNION"
    " SELECT port FROM nem_of WHERE proto_num = @proto),"
    " gaps AS (SELECT port + 1 AS low,"
    " lead(port) OVER (ORDER BY port) - 1 AS high FROM edges),"
    " dark AS (SELECT low, high FROM gaps WHERE high >= low ORDER BY low)"
    " SELECT json_object('host', at.host,"
    "'proto', (SELECT coalesce((SELECT name FROM t_proto"
    " WHERE proto = @proto), CAST(@proto AS TEXT))),"
    "'populated', json(iif(" IS_POPULATED ", 'true', 'false')),"
    "'count', iif(" IS_POPULATED
    ", (SELECT coalesce(sum(high - low + 1), 0) FROM dark), 0),"
    "'ranges', json(iif(" IS_POPULATED
    ", (SELECT json_group_array(iif(low = high, CAST(low AS TEXT),"
    " format('%d-%d', low, high))) FROM dark), '[]')))"
    " FROM at JOIN network LEFT JOIN h";

static int
ask(struct query *q, const char *sql, const struct addr *host, int proto,
    query_row_fn fn, void *arg)
{
	char text[ADDR_TEXT_MAX];
	struct addr plain = addr_with_tag(host, 0);
	sqlite3_stmt *stmt;
	int err = reader_begin(q, sql, &stmt);

	if (err != ERR_OK)
		return err;
	reader_bind_addr(stmt, "@ip", host);
	reader_bind_addr(stmt, "@plain", &plain);
	reader_bind_text(stmt, "@host", addr_format(host, text));
	reader_bind_int(stmt, "@proto", proto);
	return reader_one(stmt, fn, arg);
}

int
query_host(struct query *q, const struct addr *host, query_row_fn fn, void *arg)
{
	return ask(q, host_sql, host, 0, fn, arg);
}

int
query_darkports(struct query *q, const struct addr *host, int proto,
    query_row_fn fn, void *arg)
{
	return ask(q, darkports_sql, host, proto, fn, arg);
}
