/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes what strangers write into a request: a line "TARGET" or
 * "TARGET LF HOST" goes through the path decoder and router, every set of
 * parameters, and the Host check. Looks for crashes, and that what was
 * accepted keeps its promises.
 */
#include <stdlib.h>
#include <string.h>

#include "api/hostname.h"
#include "api/params.h"
#include "api/router.h"
#include "api/service.h"

#define NOW_S 1790000000

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void
check(bool promise)
{
	if (!promise)
		abort();
}

static void
check_params(const struct params *p, uint32_t allowed)
{
	const struct query_filter *f = &p->filter;

	check((p->given & ~allowed) == 0);
	check(f->limit >= 1 && f->limit <= QUERY_LIMIT_MAX);
	check(f->port_count <= QUERY_PORTS_MAX);
	for (uint32_t i = 0; i < f->port_count; i++)
		check(f->ports[i].low <= f->ports[i].high);
	check(f->proto >= QUERY_PROTO_ANY && f->proto <= 255);
	check(memchr(f->state, '\0', sizeof(f->state)) != NULL);
	check(memchr(f->cursor, '\0', sizeof(f->cursor)) != NULL);
	if (f->has_net)
		check(addr_compare(&f->net.low, &f->net.high) <= 0);
	if (f->has_from && f->has_to)
		check(f->from_s < f->to_s);
}

/* Problems carry printable ASCII only; an empty detail is the kind's own. */
static void
check_problem(const struct problem *why)
{
	const char *texts[] = { why->detail, why->parameter, why->value };

	check(why->kind < PROBLEM_COUNT);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		for (const char *c = texts[i]; *c != '\0'; c++)
			check(*c >= 0x20 && *c < 0x7f);
}

static void
try_query(const char *query, uint32_t allowed)
{
	static const struct prefix_set networks = { .count = 1,
		.networks = { { .label = "dmz" } } };
	const struct params_context context = { .now_s = NOW_S,
		.networks = &networks };
	struct params params;
	struct problem why;

	if (params_parse(query, allowed, &context, &params, &why) == ERR_OK)
		check_params(&params, allowed);
	else
		check_problem(&why);
}

static void
try_path(const char *path)
{
	size_t count;
	const struct route *routes = service_routes(&count);
	struct router_match match;

	if (router_find(routes, count, METHOD_GET, path, &match) !=
	    ROUTER_FOUND)
		return;
	check(match.capture_count <= ROUTER_CAPTURES_MAX);
	for (uint32_t i = 0; i < match.capture_count; i++)
		check(match.captures[i][0] != '\0');
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static const char *const names[] = { "darkport.example", NULL };
	char *target = malloc(size + 1);
	size_t count;
	const struct route *routes = service_routes(&count);
	struct addr local;
	char *host, *query;

	if (target == NULL)
		abort();
	if (size > 0)
		memcpy(target, data, size);
	target[size] = '\0';
	host = strchr(target, '\n');
	if (host != NULL)
		*host++ = '\0';
	query = strchr(target, '?');
	if (query != NULL)
		*query++ = '\0';
	try_path(target);
	for (size_t i = 0; i < count; i++)
		try_query(query, routes[i].params);
	if (addr_parse("192.0.2.1", &local) != ERR_OK)
		abort();
	if (host != NULL)
		hostname_allowed(host, &local, names);
	free(target);
	return 0;
}
