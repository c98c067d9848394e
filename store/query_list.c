/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lists, a page at a time. A list is a row of a table here: what its
 * rows look like, which conditions it knows, its order. The statement is put
 * together of these constant texts, and the values are bound to it.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "store/cursor.h"
#include "store/reader.h"

#define SQL_MAX	      4096
#define NET_V4_LENGTH 96 /* of 0.0.0.0/0, as a mapped prefix */

/* The addresses with tags, and a few of ::/64 that nobody has. */
static const struct addr tagged_low = { { [9] = 1 } };
static const struct addr tagged_high = {
	{ [8] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }
};

struct list {
	const char *select; /* JSON, then the sort keys: ip, three numbers */
	const char *view;
	const char *after; /* the rows behind a cursor */
	const char *order;
	bool by_address; /* the order's first key is the column of net */
	/* conditions; NULL: the list does not know this filter */
	const char *net; /* the column */
	const char *host;
	const char *src;
	const char *dst;
	const char *from;
	const char *to;
	const char *port; /* the column */
	const char *proto;
	const char *state;
	const char *domain;
};

/* The column is %s. */
#define IN_NET " AND %s BETWEEN @net_low AND @net_high"

/*
 * Of an IPv4 net, which is meant in every routing domain: by the last four
 * octets, up to where addresses with tags end. Where there are none, that is
 * the end of the net.
 */
#define IN_NET_V4                                                              \
	" AND %s BETWEEN @net_low AND coalesce((SELECT max(ip) FROM t_addr"    \
	" WHERE ip BETWEEN @tagged_low AND @tagged_high), @net_high)"          \
	" AND substr(%s, 11, 2) = x'ffff' AND substr(%s, 13) BETWEEN"          \
	" substr(@net_first, 13) AND substr(@net_high, 13)"

static const struct list lists[QUERY_LIST_COUNT] = {
	[QUERY_EXPOSURES] = {
	    .select = "json_object('id', id, 'host', host, 'proto', proto,"
		"'port', port, 'state', state, 'tier', tier,"
		"'verdict', verdict, 'first_seen', first_seen_iso,"
		"'last_seen', last_seen_iso, 'closed_at', closed_at_iso,"
		"'accepted', accepted, 'clients', clients, 'rule', rule,"
		"'confidence', confidence, 'first_client', first_client,"
		"'first_client_port', first_client_port,"
		"'exporter', exporter, 'listener', listener), host_ip,"
		" proto_num, port, id",
	    .view = "exposures",
	    .after = "(host_ip, proto_num, port, id) > (@ip, @n0, @n1, @n2)",
	    .order = "host_ip, proto_num, port, id",
	    .by_address = true,
	    .net = "host_ip",
	    .host = "host_ip = @host",
	    .port = "port",
	    .proto = "proto_num = @proto",
	    .state = "state = @state",
	},
	[QUERY_HOSTS] = {
	    .select = "json_object('host', host, 'label', label,"
		"'first_seen', first_seen_iso, 'last_seen', last_seen_iso,"
		"'exposed', exposed, 'guarded_since', guarded_since_iso),"
		" host_ip, 0, 0, 0",
	    .view = "hosts",
	    .after = "host_ip > @ip",
	    .order = "host_ip",
	    .by_address = true,
	    .net = "host_ip",
	    .host = "host_ip = @host",
	},
	[QUERY_TRANS_DARKPORTS] = {
	    .select = "json_object('id', id, 'host', host, 'proto', proto,"
		"'port', port, 'opened_at', opened_at_iso,"
		"'dark_since', dark_since_iso,"
		"'first_client', first_client,"
		"'first_client_port', first_client_port,"
		"'first_client_had_probed',"
		" json(iif(first_client_had_probed, 'true', 'false')),"
		"'state', state, 'exporter', exporter,"
		"'exposure_id', exposure_id), NULL, opened_at, id, 0",
	    .view = "trans_darkports",
	    .after = "opened_at <= @n0 AND (opened_at, id) < (@n0, @n1)",
	    .order = "opened_at DESC, id DESC",
	    .net = "host_ip",
	    .host = "host_ip = @host",
	    .from = "opened_at >= @from",
	    .to = "opened_at < @to",
	    .port = "port",
	    .proto = "proto_num = @proto",
	    .state = "state = @state",
	},
	[QUERY_SCAN_EVENTS] = {
	    .select = "json_object('id', id, 'ts', ts_iso, 'src', src,"
		"'src_port', src_port, 'dst', dst, 'proto', proto,"
		"'port', port, 'technique', technique, 'answer', answer,"
		"'place', place, 'phase', phase, 'rule', rule,"
		"'confidence', confidence, 'reason', reason,"
		"'exporter', exporter),"
		" NULL, ts, id, 0",
	    .view = "scan_events",
	    .after = "ts <= @n0 AND (ts, id) < (@n0, @n1)",
	    .order = "ts DESC, id DESC",
	    /* the +: the walk goes by time, whatever the net */
	    .net = "+dst_ip",
	    .src = "src_ip = @src",
	    .dst = "dst_ip = @dst",
	    .from = "ts >= @from",
	    .to = "ts < @to",
	    .port = "port",
	    .proto = "proto_num = @proto",
	},
	[QUERY_EXPORTERS] = {
	    .select = "json_object('address', address, 'domain', domain,"
		"'protocol', protocol, 'name', nullif(name, ''),"
		"'first_seen', first_seen_iso, 'last_seen', last_seen_iso,"
		"'datagrams', datagrams, 'records', records, 'lost', lost,"
		"'share_lost', share_lost, 'reordered', reordered,"
		"'duplicates', duplicates, 'restarts', restarts,"
		"'refused', refused,"
		"'unknown_template_sets', unknown_template_sets,"
		"'templates', templates,"
		"'templates_changed', templates_changed,"
		"'sampling', sampling, 'clock_offset_ms', clock_offset_ms,"
		"'active_timeout', active_timeout,"
		"'idle_timeout', idle_timeout, 'shared_address',"
		" json(iif(shared_address, 'true', 'false')),"
		"'feed', (SELECT json_group_array(json_object("
		"'property', p.property, 'network', p.network,"
		"'value', p.value, 'source', p.source, 'samples', p.samples,"
		"'agreeing', p.agreeing, 'changed_at', p.changed_at_iso))"
		" FROM exporter_properties p"
		" WHERE p.exporter_id = exporters.exporter_id)),"
		" address_ip, domain, version, 0",
	    .view = "exporters",
	    .after = "(address_ip, domain, version) > (@ip, @n0, @n1)",
	    .order = "address_ip, domain, version",
	    .host = "address_ip = @host",
	    .domain = "domain = @domain",
	},
	[QUERY_EXPORTER_EVENTS] = {
	    .select = "json_object('id', id, 'ts', ts_iso,"
		"'exporter', address, 'domain', domain,"
		"'protocol', protocol, 'property', property,"
		"'network', network, 'from', value_from, 'to', value_to,"
		"'source', source, 'samples', samples), NULL, ts, id, 0",
	    .view = "exporter_events",
	    .after = "ts <= @n0 AND (ts, id) < (@n0, @n1)",
	    .order = "ts DESC, id DESC",
	    .host = "address_ip = @host",
	    .from = "ts >= @from",
	    .to = "ts < @to",
	    .domain = "domain = @domain",
	},
	[QUERY_COMPLETENESS] = {
	    .select = "json_object('hour', hour_iso, 'exporter', exporter,"
		"'domain', domain, 'protocol', protocol,"
		"'decided', decided, 'unresolved', unresolved,"
		"'share', share, 'reasons', json_object("
		"'one_sided', unresolved_one_sided,"
		"'sampled', unresolved_sampled,"
		"'partly', unresolved_partly, 'loss', unresolved_loss,"
		"'shed', unresolved_shed, 'window', unresolved_window,"
		"'evidence', unresolved_evidence),"
		"'unknown_direction', unknown_direction),"
		" NULL, hour, exporter_id, 0",
	    .view = "completeness",
	    .after = "(hour < @n0 OR (hour = @n0 AND exporter_id > @n1))",
	    .order = "hour DESC, exporter_id",
	    .host = "address_ip = @host",
	    .from = "hour >= @from",
	    .to = "hour < @to",
	    .domain = "domain = @domain",
	},
	[QUERY_EXPORTER_HOURS] = {
	    .select = "json_object('hour', hour_iso, 'exporter', address,"
		"'domain', domain, 'protocol', protocol,"
		"'datagrams', datagrams, 'records', records, 'lost', lost,"
		"'share_lost', share_lost), address_ip, hour, domain, version",
	    .view = "exporter_hours",
	    .after = "hour <= @n0 AND (hour < @n0 OR"
		" (address_ip, domain, version) > (@ip, @n1, @n2))",
	    .order = "hour DESC, address_ip, domain, version",
	    .host = "address_ip = @host",
	    .from = "hour >= @from",
	    .to = "hour < @to",
	    .domain = "domain = @domain",
	},
	[QUERY_HOST_GUARDS] = {
	    .select = "json_object('host', host, 'since', since_iso,"
		"'until', until_iso, 'turned_away', turned_away,"
		"'state', iif(until IS NULL, 'active', 'ended')),"
		" host_ip, since, 0, 0",
	    .view = "host_guards",
	    .after = "since <= @n0 AND (since < @n0 OR host_ip > @ip)",
	    .order = "since DESC, host_ip",
	    .net = "host_ip",
	    .host = "host_ip = @host",
	    .from = "since >= @from",
	    .to = "since < @to",
	    .state = "iif(until IS NULL, 'active', 'ended') = @state",
	},
};

/* Text of a statement under construction; SQL_MAX holds the longest. */
struct text {
	char octets[SQL_MAX];
	size_t length;
};

__attribute__((format(printf, 2, 3))) static void
append(struct text *t, const char *format, ...)
{
	va_list args;
	int used;

	va_start(args, format);
	used = vsnprintf(t->octets + t->length, sizeof(t->octets) - t->length,
	    format, args);
	va_end(args);
	assert(used >= 0 && (size_t)used < sizeof(t->octets) - t->length);
	t->length += (size_t)used;
}

static void
append_if(struct text *t, bool wanted, const char *condition)
{
	if (wanted && condition != NULL)
		append(t, " AND %s", condition);
}

static void
append_ports(struct text *t, const char *column, uint32_t count)
{
	if (column == NULL || count == 0)
		return;
	append(t, " AND (");
	for (uint32_t i = 0; i < count; i++)
		append(t, "%s%s BETWEEN @low%u AND @high%u",
		    i == 0 ? "" : " OR ", column, i, i);
	append(t, ")");
}

static void
append_net(struct text *t, const char *column, const struct prefix *net)
{
	if (addr_is_v4(&net->low) && net->length >= NET_V4_LENGTH)
		append(t, IN_NET_V4, column, column, column);
	else
		append(t, IN_NET, column);
}

static void
compose(const struct list *l, const struct query_filter *f, struct text *t)
{
	t->length = 0;
	append(t, "SELECT %s FROM %s WHERE true", l->select, l->view);
	if (f->has_net && l->net != NULL)
		append_net(t, l->net, &f->net);
	append_if(t, f->has_host, l->host);
	append_if(t, f->has_src, l->src);
	append_if(t, f->has_dst, l->dst);
	append_if(t, f->has_from, l->from);
	append_if(t, f->has_to, l->to);
	append_ports(t, l->port, f->port_count);
	append_if(t, f->proto > 0, l->proto);
	append_if(t, f->state[0] != '\0', l->state);
	append_if(t, f->has_domain, l->domain);
	append_if(t, f->cursor[0] != '\0', l->after);
	append(t, " ORDER BY %s LIMIT @limit", l->order);
}

static void
bind(sqlite3_stmt *stmt, const struct list *l, const struct query_filter *f,
    const struct cursor *c)
{
	static const char *const numbers[] = { "@n0", "@n1", "@n2" };
	const struct addr *low = &f->net.low;
	char name[16];

	/* it goes on where the page before ended */
	if (l->by_address && addr_compare(&c->ip, low) > 0)
		low = &c->ip;
	reader_bind_addr(stmt, "@net_low", low);
	reader_bind_addr(stmt, "@net_first", &f->net.low);
	reader_bind_addr(stmt, "@net_high", &f->net.high);
	reader_bind_addr(stmt, "@tagged_low", &tagged_low);
	reader_bind_addr(stmt, "@tagged_high", &tagged_high);
	reader_bind_addr(stmt, "@host", &f->host);
	reader_bind_addr(stmt, "@src", &f->src);
	reader_bind_addr(stmt, "@dst", &f->dst);
	reader_bind_int(stmt, "@from", f->from_s);
	reader_bind_int(stmt, "@to", f->to_s);
	for (uint32_t i = 0; i < f->port_count; i++) {
		snprintf(name, sizeof(name), "@low%u", i);
		reader_bind_int(stmt, name, f->ports[i].low);
		snprintf(name, sizeof(name), "@high%u", i);
		reader_bind_int(stmt, name, f->ports[i].high);
	}
	reader_bind_int(stmt, "@proto", f->proto);
	reader_bind_text(stmt, "@state", f->state);
	reader_bind_int(stmt, "@domain", f->domain);
	reader_bind_addr(stmt, "@ip", &c->ip);
	for (int i = 0; i < 3; i++)
		reader_bind_int(stmt, numbers[i], c->numbers[i]);
	/* one more than asked for tells whether there is a next page */
	reader_bind_int(stmt, "@limit", (int64_t)f->limit + 1);
}

static void
read_keys(sqlite3_stmt *stmt, struct cursor *c)
{
	struct db_row r = db_row(stmt);

	r.index = 1;
	c->ip = db_read_addr(&r);
	for (int i = 0; i < 3; i++)
		c->numbers[i] = db_read_int(&r);
}

/* True in *more: a row behind the page. *c: where the page ended. */
static int
give_rows(sqlite3_stmt *stmt, uint32_t limit, query_row_fn fn, void *arg,
    struct cursor *c, bool *more)
{
	int rc = SQLITE_DONE;
	int err = ERR_OK;

	*more = false;
	for (uint32_t i = 0; err == ERR_OK; i++) {
		rc = sqlite3_step(stmt);
		if (rc != SQLITE_ROW)
			return db_err(rc);
		if (i == limit) {
			*more = true;
			return ERR_OK;
		}
		read_keys(stmt, c);
		err = fn((const char *)sqlite3_column_text(stmt, 0), arg);
	}
	return err;
}

int
query_list(struct query *q, enum query_list list,
    const struct query_filter *filter, query_row_fn fn, void *arg,
    char next[QUERY_CURSOR_MAX])
{
	struct cursor start = { 0 }; /* borrowed by the statement */
	struct cursor end = { 0 };
	struct text sql;
	sqlite3_stmt *stmt;
	bool more;
	int err;

	assert(list < QUERY_LIST_COUNT);
	assert(filter->limit >= 1 && filter->limit <= QUERY_LIMIT_MAX);
	assert(filter->port_count <= QUERY_PORTS_MAX);
	if (filter->cursor[0] != '\0') {
		err = cursor_parse(list, filter, &start);
		if (err != ERR_OK)
			return err;
	}
	compose(&lists[list], filter, &sql);
	err = reader_begin(q, sql.octets, &stmt);
	if (err != ERR_OK)
		return err;
	bind(stmt, &lists[list], filter, &start);
	err = give_rows(stmt, filter->limit, fn, arg, &end, &more);
	sqlite3_finalize(stmt);
	if (err != ERR_OK)
		return err;
	if (more)
		cursor_format(list, filter, &end, next);
	else
		next[0] = '\0';
	return ERR_OK;
}
