/* SPDX-License-Identifier: Apache-2.0 */
/* The keywords: their values read, completed and printed. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/timefmt.h"
#include "daemon/config.h"
#include "daemon/memory.h"

#define PORT_NETFLOW   2055 /* what most exporters default to */
#define PORT_IPFIX     4739 /* IANA: ipfix */
#define PORT_HTTP      8080
#define DEFAULT_STORE  "/var/lib/darkportd/darkport.db"
#define DEFAULT_RCVBUF (32U << 20)
#define NOT_AN_INTERFACE                                                       \
	"write EXPORTER:INTERFACE: its address, IPv6 in brackets, and a "      \
	"number"
#define LISTEN_SCHEME	  "udp://"
#define OCTETS_SHIFT_STEP 10 /* K, M, G: 2^10, 2^20, 2^30 */

const struct config_keyword config_keywords[CONFIG_ROW_COUNT] = {
#define CONFIG_ROW(name, kind, member, least, most, help)                      \
	{ #name, kind, offsetof(struct config, member), least, most, help },
	CONFIG_LIST(CONFIG_ROW)
#undef CONFIG_ROW
};

static const struct {
	const char *word;
	bool value;
} bool_words[] = {
	{ "true", true }, { "false", false }, /* as printed */
	{ "yes", true }, { "no", false },     /* as libconfuse reads them */
	{ "on", true }, { "off", false },     /* likewise */
};

const struct config_keyword *
config_find(const char *name)
{
	for (size_t i = 0; i < CONFIG_ROW_COUNT; i++)
		if (strcmp(config_keywords[i].name, name) == 0)
			return &config_keywords[i];
	return NULL;
}

void
config_init(struct config *c)
{
	static const uint8_t loopback[4] = { 127, 0, 0, 1 };

	memset(c, 0, sizeof(*c));
	c->engine = engine_config_default();
	c->decoder = decoder_config_default();
	c->http.address = addr_from_v4(loopback);
	c->http.port = PORT_HTTP;
	c->http_on = true;
	c->rcvbuf_octets = DEFAULT_RCVBUF;
	c->ingest_threads = 1;
	snprintf(c->store, sizeof(c->store), "%s", DEFAULT_STORE);
}

/* --- values --------------------------------------------------------------- */

/* The message, and the code to return with it. */
__attribute__((format(printf, 3, 4))) static int
refuse(char message[CONFIG_MESSAGE_MAX], int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(message, CONFIG_MESSAGE_MAX, format, args);
	va_end(args);
	return err;
}

/* Digits only: no sign, no space. */
static int
parse_number(const char *text, uint64_t *out, const char **end)
{
	uint64_t value = 0;
	const char *at = text;

	for (; *at >= '0' && *at <= '9'; at++) {
		uint64_t digit = (uint64_t)(*at - '0');

		if (value > (UINT64_MAX - digit) / 10)
			return ERR_RANGE;
		value = value * 10 + digit;
	}
	if (at == text)
		return ERR_FORMAT;
	*out = value;
	*end = at;
	return ERR_OK;
}

int
endpoint_parse(const char *text, struct endpoint *out)
{
	const char *colon = strrchr(text, ':');
	char host[ADDR_TEXT_MAX + 2];
	struct endpoint e;
	const char *end;
	uint64_t port;
	size_t length;

	if (colon == NULL)
		return ERR_FORMAT;
	length = (size_t)(colon - text);
	if (length == 0 || length >= sizeof(host))
		return ERR_FORMAT;
	memcpy(host, text, length);
	host[length] = '\0';
	/* an IPv6 address stands in brackets, or its end is a guess */
	if (strchr(host, ':') != NULL && host[0] != '[')
		return ERR_FORMAT;
	if (addr_parse(host, &e.address) != ERR_OK ||
	    addr_tag(&e.address) != 0 ||
	    parse_number(colon + 1, &port, &end) != ERR_OK || *end != '\0')
		return ERR_FORMAT;
	if (port > UINT16_MAX)
		return ERR_RANGE;
	e.port = (uint16_t)port;
	*out = e;
	return ERR_OK;
}

char *
endpoint_format(const struct endpoint *e, char text[ENDPOINT_TEXT_MAX])
{
	char address[ADDR_TEXT_MAX];
	bool v4 = addr_is_v4(&e->address);

	addr_format(&e->address, address);
	snprintf(text, ENDPOINT_TEXT_MAX, "%s%s%s:%u", v4 ? "" : "[", address,
	    v4 ? "" : "]", e->port);
	return text;
}

bool
endpoint_is_loopback(const struct endpoint *e)
{
	static const uint8_t v6_loopback[16] = { [15] = 1 };
	struct addr one = addr_from_v6(v6_loopback);

	if (addr_is_v4(&e->address))
		return e->address.octets[12] == 127;
	return addr_equal(&e->address, &one);
}

static int
set_network(struct prefix_set *set, const char *value, char *message)
{
	struct network n;
	int err = network_parse(value, &n);

	if (err == ERR_FORMAT)
		return refuse(message, err,
		    "no prefix, or one with a tag: write ADDRESS/LENGTH or "
		    "ADDRESS/LENGTH=LABEL");
	if (err != ERR_OK)
		return refuse(message, err,
		    "bits are set behind the prefix, or the length or the "
		    "label is too long");
	err = prefix_set_add(set, &n);
	if (err == ERR_FULL)
		return refuse(message, err, "more than %d networks",
		    PREFIX_SET_MAX);
	if (err != ERR_OK)
		return refuse(message, err, "this network is there already");
	return ERR_OK;
}

static int
set_listen(struct config *c, const char *value, char *message)
{
	size_t scheme = strlen(LISTEN_SCHEME);
	struct endpoint e;

	if (strncmp(value, LISTEN_SCHEME, scheme) != 0 ||
	    endpoint_parse(value + scheme, &e) != ERR_OK)
		return refuse(message, ERR_FORMAT,
		    "write udp://ADDRESS:PORT, an IPv6 address in brackets");
	if (c->listen_count == CONFIG_LISTEN_MAX)
		return refuse(message, ERR_FULL, "more than %d of them",
		    CONFIG_LISTEN_MAX);
	c->listen[c->listen_count++] = e;
	c->listen_given = true;
	return ERR_OK;
}

static int
set_interface(struct border_list *list, const char *value, char *message)
{
	struct border b = { .interface = 0 };
	const char *colon = strrchr(value, ':');
	char host[ADDR_TEXT_MAX + 2];
	const char *end = "";
	uint64_t number = 0;
	size_t length = colon == NULL ? 0 : (size_t)(colon - value);
	int err;

	if (length == 0 || length >= sizeof(host))
		return refuse(message, ERR_FORMAT, NOT_AN_INTERFACE);
	memcpy(host, value, length);
	host[length] = '\0';
	if ((strchr(host, ':') != NULL && host[0] != '[') ||
	    addr_parse(host, &b.exporter) != ERR_OK ||
	    addr_tag(&b.exporter) != 0 ||
	    parse_number(colon + 1, &number, &end) == ERR_FORMAT ||
	    *end != '\0')
		return refuse(message, ERR_FORMAT, NOT_AN_INTERFACE);
	if (number == 0 || number > UINT32_MAX)
		return refuse(message, ERR_RANGE,
		    "an interface is 1 to %" PRIu32, UINT32_MAX);
	b.interface = (uint32_t)number;
	err = border_list_add(list, &b);
	if (err == ERR_FULL)
		return refuse(message, err, "more than %d interfaces",
		    BORDERS_MAX);
	if (err != ERR_OK)
		return refuse(message, err, "this interface is there already");
	return ERR_OK;
}

static int
set_feed(struct feed_list *list, const char *value, char *message)
{
	char why[RULE_MESSAGE_MAX];
	int err = feed_list_add(list, value, why);

	return err == ERR_OK ? err : refuse(message, err, "%s", why);
}

static int
set_routing_domain(struct routing_domain_list *list, const char *value,
    char *message)
{
	char why[RULE_MESSAGE_MAX];
	int err = routing_domains_add(list, value, why);

	return err == ERR_OK ? err : refuse(message, err, "%s", why);
}

static int
set_path(char path[CONFIG_PATH_MAX], const char *value, char *message)
{
	size_t length = strlen(value);

	if (length == 0)
		return refuse(message, ERR_FORMAT, "an empty file name");
	if (length >= CONFIG_PATH_MAX)
		return refuse(message, ERR_RANGE,
		    "a file name longer than %d octets", CONFIG_PATH_MAX - 1);
	memcpy(path, value, length + 1);
	return ERR_OK;
}

static int
set_read(struct config *c, const char *value, char *message)
{
	int err;

	if (c->read_count == CONFIG_READ_MAX)
		return refuse(message, ERR_FULL, "more than %d captures",
		    CONFIG_READ_MAX);
	err = set_path(c->read[c->read_count], value, message);
	if (err == ERR_OK)
		c->read_count++;
	return err;
}

static int
set_http(struct config *c, const char *value, char *message)
{
	if (strcmp(value, "none") == 0) {
		c->http_on = false;
		return ERR_OK;
	}
	if (endpoint_parse(value, &c->http) != ERR_OK)
		return refuse(message, ERR_FORMAT,
		    "write ADDRESS:PORT, an IPv6 address in brackets, or none");
	c->http_on = true;
	return ERR_OK;
}

static int
set_duration(void *member, const struct config_keyword *k, const char *value,
    char *message)
{
	char least[DURATION_TEXT_MAX];
	char most[DURATION_TEXT_MAX];
	int64_t duration_ms;
	int err = duration_parse(value, &duration_ms);

	if (err == ERR_FORMAT)
		return refuse(message, err,
		    "no duration: write 90s, 15m, 24h, 7d or 0");
	if (err != ERR_OK || duration_ms < k->least || duration_ms > k->most)
		return refuse(message, ERR_RANGE, "must be %s to %s",
		    duration_format(k->least, least),
		    duration_format(k->most, most));
	memcpy(member, &duration_ms, sizeof(duration_ms));
	return ERR_OK;
}

/* A number; with `scaled`, one of K, M, G may follow. */
static int
read_number(const struct config_keyword *k, const char *value, bool scaled,
    uint64_t *out, char *message)
{
	static const char suffixes[] = "KMG";
	const char *end;
	uint64_t number;
	int err = parse_number(value, &number, &end);

	if (err == ERR_OK && scaled && *end != '\0') {
		const char *suffix = strchr(suffixes, *end);

		if (suffix == NULL || number > UINT32_MAX)
			err = suffix == NULL ? ERR_FORMAT : ERR_RANGE;
		else
			number <<= OCTETS_SHIFT_STEP * (suffix - suffixes + 1);
		end++;
	}
	if (err == ERR_FORMAT || (err == ERR_OK && *end != '\0'))
		return refuse(message, ERR_FORMAT, "no number%s",
		    scaled ? ": write 4096, 64K, 32M or 1G" : "");
	if (err != ERR_OK || number < (uint64_t)k->least ||
	    number > (uint64_t)k->most)
		return refuse(message, ERR_RANGE,
		    "must be %" PRId64 " to %" PRId64, k->least, k->most);
	*out = number;
	return ERR_OK;
}

/* Into a member of 32 bits. */
static int
set_number(void *member, const struct config_keyword *k, const char *value,
    bool scaled, char *message)
{
	uint64_t number = 0;
	uint32_t fits;
	int err = read_number(k, value, scaled, &number, message);

	if (err != ERR_OK)
		return err;
	fits = (uint32_t)number;
	memcpy(member, &fits, sizeof(fits));
	return ERR_OK;
}

/* The maximum of a table: entries, or octets where K, M or G follows. */
static int
set_table(void *member, const struct config_keyword *k, const char *value,
    char *message)
{
	struct config_keyword any = *k;
	size_t length = strlen(value);
	uint64_t number = 0;
	uint32_t entries;
	int err;

	if (length == 0 || strchr("KMG", value[length - 1]) == NULL) {
		err = set_number(member, k, value, false, message);
		return err != ERR_FORMAT
			   ? err
			   : refuse(message, err,
				 "no number: write 65536, or 64M for as many "
				 "as fit into so many octets");
	}
	any.least = 0;
	any.most = 1LL << 40;
	err = read_number(&any, value, true, &number, message);
	if (err != ERR_OK)
		return err;
	if (memory_entries(k, &number, &entries) != ERR_OK)
		return refuse(message, ERR_RANGE,
		    "must be at least %" PRIu64 "K: %" PRId64 " entries",
		    (number + 1023) / 1024, k->least);
	memcpy(member, &entries, sizeof(entries));
	return ERR_OK;
}

static int
set_bool(void *member, const char *value, char *message)
{
	for (size_t i = 0; i < sizeof(bool_words) / sizeof(bool_words[0]); i++)
		if (strcasecmp(value, bool_words[i].word) == 0) {
			memcpy(member, &bool_words[i].value, sizeof(bool));
			return ERR_OK;
		}
	return refuse(message, ERR_FORMAT, "write true or false");
}

/* The row's bit in given. */
static uint64_t
bit_of(const struct config_keyword *k)
{
	static_assert(CONFIG_ROW_COUNT <= 64, "a bit a row");
	return UINT64_C(1) << (k - config_keywords);
}

bool
config_is_given(const struct config *c, const struct config_keyword *k)
{
	return (c->given & bit_of(k)) != 0;
}

static int
set_value(struct config *c, const struct config_keyword *k, const char *value,
    char message[CONFIG_MESSAGE_MAX])
{
	void *member = (char *)c + k->offset;

	switch (k->kind) {
	case CONFIG_NETWORKS:
		return set_network(member, value, message);
	case CONFIG_LISTENS:
		return set_listen(c, value, message);
	case CONFIG_INTERFACES:
		return set_interface(member, value, message);
	case CONFIG_FEEDS:
		return set_feed(member, value, message);
	case CONFIG_ROUTING_DOMAINS:
		return set_routing_domain(member, value, message);
	case CONFIG_PATHS:
		return set_read(c, value, message);
	case CONFIG_PATH:
		return set_path(member, value, message);
	case CONFIG_HTTP:
		return set_http(c, value, message);
	case CONFIG_DURATION:
		return set_duration(member, k, value, message);
	case CONFIG_COUNT:
		return set_number(member, k, value, false, message);
	case CONFIG_TABLE:
		return set_table(member, k, value, message);
	case CONFIG_OCTETS:
		return set_number(member, k, value, true, message);
	case CONFIG_MEMORY:
		return read_number(k, value, true, &c->memory_limit, message);
	case CONFIG_BOOL:
		return set_bool(member, value, message);
	case CONFIG_KIND_COUNT:
		break;
	}
	assert(false && "a kind without a reader");
	return ERR_FORMAT;
}

int
config_set(struct config *c, const struct config_keyword *k, const char *value,
    char message[CONFIG_MESSAGE_MAX])
{
	int err = set_value(c, k, value, message);

	if (err == ERR_OK)
		c->given |= bit_of(k);
	return err;
}

void
config_clear(struct config *c, const struct config_keyword *k)
{
	if (k->kind == CONFIG_NETWORKS) {
		struct prefix_set *set = (void *)((char *)c + k->offset);

		set->count = 0;
	} else if (k->kind == CONFIG_INTERFACES) {
		struct border_list *list = (void *)((char *)c + k->offset);

		list->count = 0;
	} else if (k->kind == CONFIG_FEEDS) {
		c->feeds.count = 0;
	} else if (k->kind == CONFIG_ROUTING_DOMAINS) {
		c->routing_domains.count = 0;
	} else if (k->kind == CONFIG_LISTENS) {
		c->listen_count = 0;
		c->listen_given = true;
	} else if (k->kind == CONFIG_PATHS) {
		c->read_count = 0;
	}
}

/* --- the whole ------------------------------------------------------------ */

static void
listen_by_default(struct config *c)
{
	static const uint16_t ports[] = { PORT_NETFLOW, PORT_IPFIX };
	static const uint8_t any_v4[4];
	static const uint8_t any_v6[16];

	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		c->listen[c->listen_count++] =
		    (struct endpoint){ addr_from_v4(any_v4), ports[i] };
		c->listen[c->listen_count++] =
		    (struct endpoint){ addr_from_v6(any_v6), ports[i] };
	}
}

/* The rule names exporters, and the keyword exporter gives no such name. */
static bool
is_unknown(const struct config *c, const struct rule_exporters *r)
{
	const struct prefix_set *known = &c->decoder.allow;

	for (uint32_t i = 0; i < known->count; i++)
		if (strcmp(known->networks[i].label, r->name) == 0)
			return false;
	return r->name[0] != '\0';
}

static int
check_names(const struct config *c, char message[CONFIG_MESSAGE_MAX])
{
	const struct feed_list *feeds = &c->feeds;
	const struct routing_domain_list *domains = &c->routing_domains;

	for (uint32_t i = 0; i < feeds->count; i++)
		if (is_unknown(c, &feeds->rules[i].exporters))
			return refuse(message, ERR_FORMAT,
			    "feed: no address, and no exporter's name: '%s'",
			    feeds->rules[i].exporters.name);
	for (uint32_t i = 0; i < domains->count; i++)
		if (is_unknown(c, &domains->rules[i].exporters))
			return refuse(message, ERR_FORMAT,
			    "routing_domain: no address, and no exporter's "
			    "name: '%s'",
			    domains->rules[i].exporters.name);
	return ERR_OK;
}

int
config_complete(struct config *c, char message[CONFIG_MESSAGE_MAX])
{
	uint64_t least;

	if (c->engine.internal.count == 0)
		return refuse(message, ERR_FORMAT,
		    "no internal network: say which networks are yours with "
		    "--internal 192.0.2.0/24, or internal = "
		    "{\"192.0.2.0/24\"} in the configuration file");
	if (!c->listen_given && c->read_count == 0)
		listen_by_default(c);
	if (c->listen_count == 0 && c->read_count == 0)
		return refuse(message, ERR_FORMAT,
		    "nothing to do: listen is empty and there is no capture "
		    "to read");
	/* a run that only reads is over before anybody could ask */
	if (c->listen_count == 0)
		c->http_on = false;
	if (c->engine.revoke_ms != 0 && c->engine.revoke_ms < c->engine.wait_ms)
		return refuse(message, ERR_FORMAT,
		    "revoke must not be shorter than wait");
	if (check_names(c, message) != ERR_OK)
		return ERR_FORMAT;
	routing_domains_rules(&c->routing_domains, &c->engine.routing);
	if (memory_share(c, &least) != ERR_OK)
		return refuse(message, ERR_FORMAT,
		    "memory_limit is too small: with the max_ keywords that "
		    "are given it must be %" PRIu64 "M at least",
		    (least + (1U << 20) - 1) >> 20);
	return ERR_OK;
}

/* --- printing ------------------------------------------------------------- */

/* Text that grows to the right and is cut at the end. */
struct text {
	char *at;
	size_t left;
};

__attribute__((format(printf, 2, 3))) static void
append(struct text *t, const char *format, ...)
{
	va_list args;
	int used;

	va_start(args, format);
	used = vsnprintf(t->at, t->left, format, args);
	va_end(args);
	if (used < 0)
		return;
	if ((size_t)used >= t->left)
		used = (int)t->left - 1;
	t->at += used;
	t->left -= (size_t)used;
}

/* A string as libconfuse reads it back: quotes, and escapes inside. */
static void
append_quoted(struct text *t, const char *value)
{
	append(t, "\"");
	for (; *value != '\0'; value++) {
		unsigned char octet = (unsigned char)*value;

		if (octet == '"' || octet == '\\' || octet == '$')
			append(t, "\\%c", octet);
		else if (octet < 0x20)
			append(t, "\\x%02x", octet);
		else
			append(t, "%c", octet);
	}
	append(t, "\"");
}

static void
append_networks(struct text *t, const struct prefix_set *set)
{
	char prefix[PREFIX_TEXT_MAX + 1 + LABEL_MAX];

	append(t, "{");
	for (uint32_t i = 0; i < set->count; i++) {
		const struct network *n = &set->networks[i];

		append(t, "%s", i == 0 ? "" : ", ");
		prefix_format(&n->prefix, prefix);
		if (n->label[0] != '\0')
			snprintf(prefix + strlen(prefix), LABEL_MAX + 1, "=%s",
			    n->label);
		append_quoted(t, prefix);
	}
	append(t, "}");
}

static void
append_interfaces(struct text *t, const struct border_list *list)
{
	char element[ENDPOINT_TEXT_MAX];

	append(t, "{");
	for (uint32_t i = 0; i < list->count; i++) {
		const struct border *b = &list->list[i];
		bool v4 = addr_is_v4(&b->exporter);
		char address[ADDR_TEXT_MAX];

		append(t, "%s", i == 0 ? "" : ", ");
		snprintf(element, sizeof(element), "%s%s%s:%" PRIu32,
		    v4 ? "" : "[", addr_format(&b->exporter, address),
		    v4 ? "" : "]", b->interface);
		append_quoted(t, element);
	}
	append(t, "}");
}

static void
append_feeds(struct text *t, const struct feed_list *list)
{
	char element[RULE_TEXT_MAX];

	append(t, "{");
	for (uint32_t i = 0; i < list->count; i++) {
		append(t, "%s", i == 0 ? "" : ", ");
		append_quoted(t, feed_rule_format(&list->rules[i], element));
	}
	append(t, "}");
}

static void
append_routing_domains(struct text *t, const struct routing_domain_list *list)
{
	char element[RULE_TEXT_MAX];

	append(t, "{");
	for (uint32_t i = 0; i < list->count; i++) {
		append(t, "%s", i == 0 ? "" : ", ");
		append_quoted(t,
		    routing_domain_format(&list->rules[i], element));
	}
	append(t, "}");
}

static void
append_list(struct text *t, const struct config *c, enum config_kind kind)
{
	char element[ENDPOINT_TEXT_MAX + sizeof(LISTEN_SCHEME)];
	uint32_t count =
	    kind == CONFIG_LISTENS ? c->listen_count : c->read_count;

	append(t, "{");
	for (uint32_t i = 0; i < count; i++) {
		append(t, "%s", i == 0 ? "" : ", ");
		if (kind == CONFIG_LISTENS) {
			memcpy(element, LISTEN_SCHEME, sizeof(LISTEN_SCHEME));
			endpoint_format(&c->listen[i],
			    element + strlen(LISTEN_SCHEME));
			append_quoted(t, element);
		} else {
			append_quoted(t, c->read[i]);
		}
	}
	append(t, "}");
}

static void
append_octets(struct text *t, uint64_t octets)
{
	const char *suffix = "";

	if (octets != 0 && octets % (1U << 20) == 0) {
		octets >>= 20;
		suffix = "M";
	}
	append(t, "%" PRIu64 "%s", octets, suffix);
}

char *
config_format(const struct config *c, const struct config_keyword *k,
    char text[CONFIG_VALUE_MAX])
{
	const char *member = (const char *)c + k->offset;
	char words[DURATION_TEXT_MAX + ENDPOINT_TEXT_MAX];
	struct text t = { text, CONFIG_VALUE_MAX };
	int64_t duration_ms;
	uint32_t number;
	bool yes;

	text[0] = '\0';
	switch (k->kind) {
	case CONFIG_NETWORKS:
		append_networks(&t, (const void *)member);
		break;
	case CONFIG_INTERFACES:
		append_interfaces(&t, (const void *)member);
		break;
	case CONFIG_FEEDS:
		append_feeds(&t, &c->feeds);
		break;
	case CONFIG_ROUTING_DOMAINS:
		append_routing_domains(&t, &c->routing_domains);
		break;
	case CONFIG_LISTENS:
	case CONFIG_PATHS:
		append_list(&t, c, k->kind);
		break;
	case CONFIG_PATH:
		append_quoted(&t, member);
		break;
	case CONFIG_HTTP:
		append_quoted(&t,
		    c->http_on ? endpoint_format(&c->http, words) : "none");
		break;
	case CONFIG_DURATION:
		memcpy(&duration_ms, member, sizeof(duration_ms));
		append(&t, "%s", duration_format(duration_ms, words));
		break;
	case CONFIG_COUNT:
	case CONFIG_TABLE:
		memcpy(&number, member, sizeof(number));
		append(&t, "%" PRIu32, number);
		break;
	case CONFIG_OCTETS:
		memcpy(&number, member, sizeof(number));
		append_octets(&t, number);
		break;
	case CONFIG_MEMORY:
		append_octets(&t, c->memory_limit);
		break;
	case CONFIG_BOOL:
		memcpy(&yes, member, sizeof(yes));
		append(&t, "%s", yes ? "true" : "false");
		break;
	case CONFIG_KIND_COUNT:
		break;
	}
	return text;
}

void
config_print(const struct config *c, FILE *out)
{
	static char value[CONFIG_VALUE_MAX];
	struct memory_part parts[MEMORY_PARTS_MAX];
	uint32_t count = memory_parts(c, parts);
	uint64_t octets = memory_octets(c);

	fprintf(out,
	    "# darkportd will take %" PRIu64 " octets (%" PRIu64 " MiB).\n",
	    octets, (octets + (1U << 20) - 1) >> 20);
	for (uint32_t i = 0; i < count; i++)
		if (parts[i].entries != 0)
			fprintf(out,
			    "#   %-12s %11" PRIu64 " octets, %" PRIu64
			    " entries\n",
			    parts[i].name, parts[i].octets, parts[i].entries);
		else
			fprintf(out, "#   %-12s %11" PRIu64 " octets\n",
			    parts[i].name, parts[i].octets);
	for (size_t i = 0; i < CONFIG_ROW_COUNT; i++) {
		const struct config_keyword *k = &config_keywords[i];

		fprintf(out, "\n# %s\n%s = %s\n", k->help, k->name,
		    config_format(c, k, value));
	}
}
