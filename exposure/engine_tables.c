/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine allocates: one list, for its sum and for who asks. */
#include <assert.h>
#include <stddef.h>

#include "exposure/guards.h"
#include "exposure/state.h"

#define MAXIMUM(member) offsetof(struct engine_config, member)

uint32_t
engine_tables(const struct engine_config *c,
    struct engine_table out[ENGINE_TABLES_MAX])
{
	uint64_t hosts = hosts_bytes(c->max_hosts);
	uint64_t guards = guards_bytes(c->max_hosts);
	const struct engine_table all[] = {
		{ "pairs", pairs_bytes(c->max_pairs), c->max_pairs,
		    MAXIMUM(max_pairs) },
		{ "sources", sources_bytes(c->max_sources), c->max_sources,
		    MAXIMUM(max_sources) },
		{ "hosts", hosts, c->max_hosts, MAXIMUM(max_hosts) },
		{ "guards", guards, c->max_hosts, MAXIMUM(max_hosts) },
		{ "exposures", nem_bytes(c) - hosts - guards, c->max_exposures,
		    MAXIMUM(max_exposures) },
		{ "witnesses", witnesses_bytes(c->max_exposures),
		    c->max_exposures, MAXIMUM(max_exposures) },
		{ "events", events_bytes(c->max_events), c->max_events,
		    MAXIMUM(max_events) },
		{ "outcomes", outcomes_bytes(), OUTCOMES_MAX, 0 },
		{ "pinholes", 2 * pinholes_bytes(), 2 * PINHOLES_MAX, 0 },
		{ "icmp_errors",
		    ICMP_ERRORS_MAX * sizeof(struct icmp_error_record),
		    ICMP_ERRORS_MAX, 0 },
		{ "feeds", profiles_bytes(), FEEDS_MAX, 0 },
		{ "fan_ins", fan_ins_bytes(), FAN_INS_MAX, 0 },
		{ "routing", routing_bytes(&c->routing), 0, 0 },
		{ "borders", borders_bytes(), BORDERS_EXPORTERS_MAX, 0 },
		{ "listeners", listeners_bytes(),
		    LISTENER_CONTROLS_MAX + LISTENER_SOCKETS_MAX, 0 },
	};
	uint32_t count = sizeof(all) / sizeof(all[0]);

	static_assert(sizeof(all) / sizeof(all[0]) <= ENGINE_TABLES_MAX,
	    "room for each");
	for (uint32_t i = 0; i < count; i++)
		out[i] = all[i];
	return count;
}

uint64_t
engine_bytes(const struct engine_config *config)
{
	struct engine_table tables[ENGINE_TABLES_MAX];
	uint32_t count = engine_tables(config, tables);
	uint64_t sum = sizeof(struct engine);

	for (uint32_t i = 0; i < count; i++)
		sum += tables[i].octets;
	return sum;
}
