/* SPDX-License-Identifier: Apache-2.0 */
/* What the daemon's memory is made of. */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "collector/exporter.h"
#include "collector/template.h"
#include "common/log.h"
#include "daemon/ingest.h"
#include "daemon/memory.h"
#include "daemon/pipeline.h"
#include "store/store.h"

#define MODULE "memory"

/*
 * The program, its libraries and their heap; measured: 6 MiB of files and
 * 5 MiB, most of them libfixbuf's list of elements.
 */
#define BASE_OCTETS (12ULL << 20)

#define CACHE_SHARE   8 /* the store's cache, of the limit */
#define CACHE_MAX     (64ULL << 20)
#define CACHE_DEFAULT (32ULL << 20)

/* Parts of 16; engine_config_default() has them times 65536. */
#define PART_PAIRS     8
#define PART_SOURCES   4
#define PART_EVENTS    2
#define PART_HOSTS     1
#define PART_EXPOSURES 1

/* More than this times what was expected is not ours. */
#define EXPECTED_TIMES 2

uint64_t
memory_cache_octets(const struct config *c)
{
	uint64_t octets = c->memory_limit / CACHE_SHARE;

	if (c->memory_limit == 0)
		return CACHE_DEFAULT;
	return octets > CACHE_MAX ? CACHE_MAX : octets;
}

/* As the decoder counts them. */
static uint64_t
templates(const struct decoder_config *d)
{
	uint64_t most = (uint64_t)exporter_table_max(d) * d->max_templates;

	return most > TEMPLATES_MAX ? TEMPLATES_MAX : most;
}

uint32_t
memory_parts(const struct config *c, struct memory_part out[MEMORY_PARTS_MAX])
{
	struct engine_table tables[ENGINE_TABLES_MAX];
	uint32_t tables_count = engine_tables(&c->engine, tables);
	uint32_t count = 0;
	uint64_t engine = engine_bytes(&c->engine);
	uint64_t threads = c->ingest_threads; /* each decodes for itself */
	uint64_t exporters = threads * exporter_table_bytes(&c->decoder);
	uint64_t decoders = decoders_bytes(&c->decoder, c->ingest_threads);
	const struct memory_part others[] = {
		{ "exporters", exporters,
		    threads * exporter_table_max(&c->decoder) },
		{ "templates", decoders - exporters,
		    threads * templates(&c->decoder) },
		{ "batches", pipeline_bytes(c->ingest_threads), 0 },
		{ "sockets", ingest_bytes(c->ingest_threads, c->listen_count),
		    threads * c->listen_count },
		{ "store", store_bytes() + memory_cache_octets(c), 0 },
		{ "program", BASE_OCTETS, 0 },
	};

	for (uint32_t i = 0; i < tables_count; i++) {
		if (tables[i].octets == 0)
			continue; /* not configured: not there */
		out[count++] = (struct memory_part){ tables[i].name,
			tables[i].octets, tables[i].entries };
		engine -= tables[i].octets;
	}
	out[count++] = (struct memory_part){ "engine", engine, 0 };
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		out[count++] = others[i];
	return count;
}

uint64_t
memory_octets(const struct config *c)
{
	struct memory_part parts[MEMORY_PARTS_MAX];
	uint32_t count = memory_parts(c, parts);
	uint64_t sum = 0;

	for (uint32_t i = 0; i < count; i++)
		sum += parts[i].octets;
	return sum;
}

void
memory_log(const struct config *c)
{
	struct memory_part parts[MEMORY_PARTS_MAX];
	uint32_t count = memory_parts(c, parts);

	for (uint32_t i = 0; i < count; i++)
		if (parts[i].entries != 0)
			log_info(MODULE,
			    "%s: %" PRIu64 " octets, %" PRIu64 " entries",
			    parts[i].name, parts[i].octets, parts[i].entries);
		else
			log_info(MODULE, "%s: %" PRIu64 " octets",
			    parts[i].name, parts[i].octets);
	log_info(MODULE, "in all: %" PRIu64 " octets", memory_octets(c));
}

/* --- one table ------------------------------------------------------------ */

/* What all tables take that have this keyword's maximum. */
static uint64_t
table_octets(struct engine_config *c, const struct config_keyword *k,
    uint32_t entries)
{
	struct engine_table tables[ENGINE_TABLES_MAX];
	size_t at = k->offset - offsetof(struct config, engine);
	uint64_t sum = 0;
	uint32_t count;

	memcpy((char *)c + at, &entries, sizeof(entries));
	count = engine_tables(c, tables);
	for (uint32_t i = 0; i < count; i++)
		if (tables[i].max_at == at)
			sum += tables[i].octets;
	return sum;
}

int
memory_entries(const struct config_keyword *k, uint64_t *octets,
    uint32_t *entries)
{
	static struct engine_config c; /* large; only its maxima are used */
	uint32_t low = (uint32_t)k->least;
	uint32_t high = (uint32_t)k->most + 1;
	uint64_t least;

	c = engine_config_default();
	least = table_octets(&c, k, low);
	if (least > *octets) {
		*octets = least;
		return ERR_RANGE;
	}
	while (low + 1 < high) { /* low fits */
		uint32_t middle = low + (high - low) / 2;

		if (table_octets(&c, k, middle) <= *octets)
			low = middle;
		else
			high = middle;
	}
	*entries = low;
	return ERR_OK;
}

/* --- all of them ---------------------------------------------------------- */

/* One table at `parts` of 16 times size; as given, when it was. */
static void
size_table(struct config *c, enum config_row row, uint64_t size, unsigned parts)
{
	const struct config_keyword *k = &config_keywords[row];
	uint64_t entries = size * parts;
	uint32_t fits;

	if (config_is_given(c, k))
		return;
	if (entries < (uint64_t)k->least)
		entries = (uint64_t)k->least;
	if (entries > (uint64_t)k->most)
		entries = (uint64_t)k->most;
	fits = (uint32_t)entries;
	memcpy((char *)c + k->offset, &fits, sizeof(fits));
}

/* Sizes all; returns what the whole is then. */
static uint64_t
size_tables(struct config *c, uint64_t size)
{
	size_table(c, CONFIG_ROW_max_pairs, size, PART_PAIRS);
	size_table(c, CONFIG_ROW_max_sources, size, PART_SOURCES);
	size_table(c, CONFIG_ROW_max_events, size, PART_EVENTS);
	size_table(c, CONFIG_ROW_max_hosts, size, PART_HOSTS);
	size_table(c, CONFIG_ROW_max_exposures, size, PART_EXPOSURES);
	return memory_octets(c);
}

/* The limit below which the tables do not fit beside its own cache. */
static uint64_t
least_limit(const struct config *c)
{
	uint64_t rest = memory_octets(c) - memory_cache_octets(c);
	uint64_t share = rest / (CACHE_SHARE - 1) + CACHE_SHARE;

	return rest + (share > CACHE_MAX ? CACHE_MAX : share);
}

int
memory_share(struct config *c, uint64_t *least)
{
	uint64_t low = 0;
	uint64_t high = CONFIG_TABLE_MAX;

	if (c->memory_limit == 0)
		return ERR_OK;
	if (size_tables(c, 0) > c->memory_limit) {
		*least = least_limit(c);
		return ERR_RANGE;
	}
	while (low + 1 < high) { /* low fits */
		uint64_t middle = (low + high) / 2;

		if (size_tables(c, middle) <= c->memory_limit)
			low = middle;
		else
			high = middle;
	}
	(void)size_tables(c, low);
	return ERR_OK;
}

/* --- taking it ------------------------------------------------------------ */

struct area {
	uintptr_t from;
	size_t octets;
};

/*
 * The next area of /proc/self/maps that is ours to write and of no file: the
 * heap and what malloc() maps. False: there is no more.
 */
static bool
next_area(FILE *maps, struct area *out)
{
	char line[512];

	while (fgets(line, sizeof(line), maps) != NULL) {
		char *at;
		uintptr_t from = (uintptr_t)strtoumax(line, &at, 16);
		uintptr_t to;

		if (*at != '-')
			continue;
		to = (uintptr_t)strtoumax(at + 1, &at, 16);
		if (strncmp(at, " rw-p ", 6) != 0 ||
		    strstr(line, "[stack]") != NULL)
			continue;
		/* offset, device, inode */
		at = strchr(at + 6, ' ');
		if (at != NULL)
			at = strchr(at + 1, ' ');
		if (at == NULL || strtoumax(at + 1, NULL, 10) != 0)
			continue;
		*out = (struct area){ from, to - from };
		return true;
	}
	return false;
}

void
memory_take(uint64_t expected)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	struct area area;
	uint64_t sum = 0;

	if (maps == NULL)
		return;
	while (next_area(maps, &area))
		sum += area.octets;
	rewind(maps);
	while (sum <= EXPECTED_TIMES * expected && next_area(maps, &area))
		/* before Linux 5.14: it comes as it is used */
		(void)madvise((void *)area.from, area.octets,
		    MADV_POPULATE_WRITE);
	fclose(maps);
	log_debug(MODULE, "%" PRIu64 " octets taken", sum);
}
