/* SPDX-License-Identifier: Apache-2.0 */
/* The exposure table, tiers, trans-darkports, closing and ageing. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/table.h"
#include "exposure/clients.h"
#include "exposure/guards.h"
#include "exposure/hosts.h"
#include "exposure/nem.h"
#include "exposure/protocol.h"

/* C11: refusals so far apart are no overload of one moment. */
#define CLOSE_REFUSALS	 2
#define CLOSE_REFUSED_MS 60000

/* Ephemeral listeners: one peer, a high port, young. Gone after as long. */
#define TRANSIENT_PORT 32768
#define TRANSIENT_MS   3600000
#define RELATED_MS     7200000 /* of a control connection: listeners.h */

/* Tier: how many independent weak signs make a strong one. */
#define CONFIRM_D5	     2	  /* independent errors: .1 * .1 = 1 % */
#define CONFIRM_D8_CLIENTS   2	  /* system port, distinct addresses */
#define SYSTEM_PORT	     1024 /* the first that is none */
#define CONFIRM_WEAK_CLIENTS 5

#define AGE_EVERY_MS 60000

/*
 * What is no more in the table, but not collected yet: intervals that were
 * reopened at once, exposures and alerts taken back. Rare; a place each.
 */
#define ENDED_MAX 1024

/* finding_exposure.evidence; the number of D5 acceptances above them. */
enum exposure_evidence {
	SEEN_HIGH = 0x01,
	SEEN_MED = 0x02,
	SEEN_ONE_SIDED = 0x04,
	SEEN_D8_SYSTEM = 0x08,
	SEEN_WEAK = 0x10,  /* D7, or D8 between 1024 and 32767 */
	SEEN_GUESS = 0x20, /* med, by D6 to D8 */
	SEEN_D5_ONE = 0x100,
	SEEN_D5_MAX = 0xff00,
};

struct exposure_key {
	struct addr host;
	uint16_t port;
	uint8_t proto;
	uint8_t zero;
};

_Static_assert(sizeof(struct exposure_key) == 20, "the key has no padding");

struct nem {
	struct hosts *hosts;
	struct guards *guards;
	struct table *table;
	struct hash_key key;
	struct counters *counters;
	int64_t operation_from_ms;
	bool baseline; /* training is over, and authorised what it found */
	int64_t stale_ms;
	int64_t aged_ms;
	uint64_t next_exposure_id;
	uint64_t next_alert_id;
	struct chain open;   /* open and stale ones, oldest entry first */
	struct chain closed; /* the one closed first comes first */
	struct chain dirty;
	uint32_t open_count;
	nem_exposure_fn aged;
	void *aged_arg;
	uint32_t ended_count;
	bool news; /* an interval, tier, alert or listener, not collected */
	struct finding ended[ENDED_MAX];
};

size_t
nem_bytes(const struct engine_config *config)
{
	return sizeof(struct nem) + hosts_bytes(config->max_hosts) +
	       guards_bytes(config->max_hosts) +
	       table_bytes(config->max_exposures, sizeof(struct exposure_key),
		   sizeof(struct exposure));
}

struct nem *
nem_new(const struct engine_config *config, struct counters *counters)
{
	struct nem *n = calloc(1, sizeof(*n));

	if (n == NULL)
		return NULL;
	n->hosts = hosts_new(config, counters);
	n->table = table_new(config->max_exposures, sizeof(struct exposure_key),
	    sizeof(struct exposure), &config->key);
	n->guards = guards_new(config->max_hosts, &config->key);
	if (n->hosts == NULL || n->table == NULL || n->guards == NULL) {
		nem_free(n);
		return NULL;
	}
	n->key = config->key;
	n->counters = counters;
	n->operation_from_ms = INT64_MAX;
	n->stale_ms = config->stale_ms;
	n->next_exposure_id = n->next_alert_id = 1;
	n->open = chain_empty(offsetof(struct exposure, in_list));
	n->closed = chain_empty(offsetof(struct exposure, in_list));
	n->dirty = chain_empty(offsetof(struct exposure, in_dirty));
	return n;
}

void
nem_free(struct nem *n)
{
	if (n == NULL)
		return;
	hosts_free(n->hosts);
	guards_free(n->guards);
	table_free(n->table);
	free(n);
}

struct exposure *
nem_at(const struct nem *n, uint32_t slot)
{
	return table_at(n->table, slot);
}

uint32_t
nem_slot(const struct nem *n, const struct exposure *x)
{
	return table_slot(n->table, x);
}

struct exposure *
nem_find(const struct nem *n, const struct addr *host, uint8_t proto,
    uint16_t port)
{
	return nem_find_hashed(n, host, proto, port,
	    nem_hash(n, host, proto, port));
}

/* What is hashed of an IPv4 endpoint: no padding. */
struct endpoint_v4 {
	uint8_t host[4];
	uint16_t port;
	uint8_t proto;
	uint8_t zero;
};

_Static_assert(sizeof(struct endpoint_v4) == 8, "the key has no padding");

uint64_t
nem_hash(const struct nem *n, const struct addr *host, uint8_t proto,
    uint16_t port)
{
	struct exposure_key key = { *host, port, proto, 0 };

	if (addr_is_v4(host)) {
		struct endpoint_v4 v4 = { .port = port, .proto = proto };

		memcpy(v4.host, host->octets + 12, sizeof(v4.host));
		return hash_for_table(&n->key, &v4, sizeof(v4));
	}
	return hash_for_table(&n->key, &key, sizeof(key));
}

static uint64_t
hash_of(const struct nem *n, const struct exposure *x)
{
	return nem_hash(n, &x->finding.host, x->finding.proto, x->finding.port);
}

void
nem_prefetch(const struct nem *n, uint64_t hash)
{
	table_prefetch(n->table, hash);
}

void
nem_prefetch_entry(const struct nem *n, uint64_t hash)
{
	table_prefetch_entry(n->table, hash);
}

struct exposure *
nem_find_hashed(const struct nem *n, const struct addr *host, uint8_t proto,
    uint16_t port, uint64_t hash)
{
	struct exposure_key key = { *host, port, proto, 0 };

	return table_find_hashed(n->table, &key, hash);
}

static struct exposure *
insert(struct nem *n, const struct addr *host, uint8_t proto, uint16_t port)
{
	struct exposure_key key = { *host, port, proto, 0 };

	return table_insert_hashed(n->table, &key,
	    nem_hash(n, host, proto, port));
}

const struct hosts *
nem_hosts(const struct nem *n)
{
	return n->hosts;
}

void
nem_host_seen(struct nem *n, const struct addr *host, uint64_t hash,
    int64_t start_ms, int64_t end_ms)
{
	hosts_seen(n->hosts, host, hash, start_ms, end_ms);
}

bool
nem_is_populated(const struct nem *n, const struct addr *host)
{
	return hosts_has(n->hosts, host);
}

/* --- lists ---------------------------------------------------------------- */

static void
mark_dirty(struct nem *n, struct exposure *x)
{
	if (x->dirty)
		return;
	x->dirty = true;
	chain_append(&n->dirty, n->table, x);
}

/* It joins the HEM of its host, or leaves it. */
static void
enter_map(struct nem *n, struct exposure *x)
{
	chain_append(&n->open, n->table, x);
	n->open_count++;
	guards_port_entered(n->guards, &x->finding.host);
}

static void
leave_map(struct nem *n, struct exposure *x)
{
	chain_remove(&n->open, n->table, x);
	n->open_count--;
	guards_port_left(n->guards, &x->finding.host);
}

/* Takes it out of the table. */
static void
forget(struct nem *n, struct exposure *x)
{
	if (x->dirty)
		chain_remove(&n->dirty, n->table, x);
	if (x->finding.state == EXPOSURE_CLOSED)
		chain_remove(&n->closed, n->table, x);
	else
		leave_map(n, x);
	table_remove_hashed(n->table, x, hash_of(n, x));
}

/* Keeps a finding of what leaves the table. NULL: no place, counted. */
static struct finding *
end(struct nem *n, enum finding_kind kind)
{
	struct finding *f;

	if (n->ended_count == ENDED_MAX) {
		counter_add(n->counters, COUNTER_SHED_EVENTS, 1);
		return NULL;
	}
	n->news = true;
	f = &n->ended[n->ended_count++];
	memset(f, 0, sizeof(*f));
	f->kind = kind;
	return f;
}

static void
retract(struct nem *n, enum finding_kind kind, uint64_t id)
{
	struct finding *f = end(n, kind);

	if (f != NULL)
		f->retracted_id = id;
}

/* It leaves its place, and cannot tell of its lost alert itself. */
static void
retract_lost(struct nem *n, struct exposure *x)
{
	if (x->lost_alert_id != 0)
		retract(n, FINDING_TRANS_DARKPORT_RETRACTED, x->lost_alert_id);
	x->lost_alert_id = 0;
}

/* Makes room: the exposure closed first, when the store has it already. */
static bool
evict_closed(struct nem *n)
{
	struct exposure *x = chain_first(&n->closed, n->table);

	if (x == NULL || x->dirty)
		return false;
	forget(n, x);
	return true;
}

/* --- what an exposure is worth -------------------------------------------- */

bool
exposure_holds(const struct exposure *x, int64_t ts_ms)
{
	if (x == NULL || x->finding.tier == TIER_HINT ||
	    x->finding.first_ms > ts_ms)
		return false;
	return x->finding.closed_ms == 0 || ts_ms < x->finding.closed_ms;
}

/* Acceptances by D5. */
static uint32_t
timed_of(const struct finding_exposure *f)
{
	return (f->evidence & SEEN_D5_MAX) / SEEN_D5_ONE;
}

static uint8_t
tier_by_evidence(const struct finding_exposure *f)
{
	if ((f->evidence & (SEEN_HIGH | SEEN_ONE_SIDED)) != 0 ||
	    timed_of(f) >= CONFIRM_D5)
		return TIER_CONFIRMED;
	if ((f->evidence & SEEN_D8_SYSTEM) != 0 &&
	    f->clients >= CONFIRM_D8_CLIENTS)
		return TIER_CONFIRMED;
	if ((f->evidence & SEEN_WEAK) != 0 &&
	    f->clients >= CONFIRM_WEAK_CLIENTS)
		return TIER_CONFIRMED;
	return (f->evidence & (SEEN_MED | SEEN_GUESS)) != 0 ? TIER_PROBABLE
							    : TIER_HINT;
}

bool
exposure_is_guess(const struct exposure *x)
{
	return (x->finding.evidence &
		   (SEEN_HIGH | SEEN_MED | SEEN_ONE_SIDED)) == 0 &&
	       timed_of(&x->finding) == 0;
}

bool
exposure_is_confirmed(const struct exposure *x, bool but_one_timed)
{
	const struct finding_exposure *f = &x->finding;
	uint32_t needed = CONFIRM_D5 + (but_one_timed ? 1 : 0);

	return f->state != EXPOSURE_CLOSED && f->tier != TIER_HINT &&
	       f->tier != TIER_PROBABLE &&
	       ((f->evidence & (SEEN_HIGH | SEEN_ONE_SIDED | SEEN_D8_SYSTEM)) !=
		       0 ||
		   timed_of(f) >= needed);
}

/* One client, and why it listens is known: a part of another conversation. */
static bool
is_related(const struct finding_exposure *f)
{
	return (f->listener == LISTENER_FTP ||
		   f->listener == LISTENER_FTP_ACTIVE ||
		   f->listener == LISTENER_TFTP) &&
	       f->clients <= 1 && f->last_ms - f->first_ms < RELATED_MS;
}

static uint8_t
tier_of(const struct finding_exposure *f)
{
	uint8_t tier = tier_by_evidence(f);

	if (f->listener == LISTENER_TARPIT)
		return TIER_HINT;
	if (is_related(f))
		return TIER_TRANSIENT;
	/* it does answer strangers, but is no service of the host's */
	if (f->listener == LISTENER_P2P && tier == TIER_CONFIRMED)
		return TIER_PROBABLE;
	if (protocol_has_ports(f->proto) && f->port >= TRANSIENT_PORT &&
	    f->clients <= 1 && f->last_ms - f->first_ms < TRANSIENT_MS)
		return TIER_TRANSIENT;
	return tier;
}

static void
describe_alert(const struct exposure *x, struct finding_trans_darkport *out)
{
	const struct finding_exposure *f = &x->finding;

	out->id = f->alert_id;
	out->exposure_id = f->id;
	out->host = f->host;
	out->first_client = f->first_client;
	out->opened_ms = f->first_ms;
	out->dark_since_ms =
	    x->dark_since_ms < f->first_ms ? x->dark_since_ms : f->first_ms;
	out->exporter = f->exporter;
	out->port = f->port;
	out->first_client_port = f->first_client_port;
	out->proto = f->proto;
	out->state = x->alert_state;
	out->first_client_had_probed = x->first_client_had_probed;
}

/* What was found of it later leaves no change of the network to tell of. */
static bool
is_explained_away(const struct finding_exposure *f)
{
	return f->listener == LISTENER_TARPIT || is_related(f);
}

/* Only what is confirmed alerts, once an interval (C16). */
static void
judge(struct nem *n, struct exposure *x)
{
	struct finding_exposure *f = &x->finding;
	bool after_training = f->first_ms >= n->operation_from_ms;
	uint64_t alert_id = f->alert_id;
	uint8_t tier = f->tier;

	f->tier = tier_of(f);
	if (n->baseline && !after_training && f->vetting == VETTING_UNVETTED)
		f->vetting = VETTING_AUTHORISED; /* its record came late */
	if (f->alert_id == 0 && after_training && f->tier == TIER_CONFIRMED) {
		f->alert_id = n->next_alert_id++;
		x->alert_state = ALERT_NEW;
		counter_add(n->counters, COUNTER_TRANS_DARKPORTS, 1);
	} else if (f->alert_id != 0 &&
		   (!after_training || is_explained_away(f) ||
		       tier_by_evidence(f) != TIER_CONFIRMED)) {
		/* it was active in training already, or is no service, or
		 * what confirmed it was taken back */
		if (x->stored && x->lost_alert_id == 0)
			x->lost_alert_id = f->alert_id;
		f->alert_id = 0;
	}
	x->alert_dirty = f->alert_id != 0;
	if (!x->stored || f->tier != tier || f->alert_id != alert_id)
		n->news = true;
	mark_dirty(n, x);
}

/* --- acceptance ----------------------------------------------------------- */

/* The port, who met there, or what that had made of it. TCP's. */
static bool
is_guess(unsigned rule)
{
	return rule == RULE_A1_D6 || rule == RULE_A1_D7 || rule == RULE_A1_D8 ||
	       rule == RULE_A4_D6 || rule == RULE_A4_D7 || rule == RULE_A4_D8;
}

static uint32_t
evidence_of(const struct acceptance *a)
{
	uint32_t evidence = 0;

	if (a->confidence == CONFIDENCE_HIGH)
		evidence |= SEEN_HIGH;
	if (a->confidence >= CONFIDENCE_MED)
		evidence |= is_guess(a->rule) ? SEEN_GUESS : SEEN_MED;
	if (a->one_sided)
		evidence |= SEEN_ONE_SIDED;
	if ((a->rule == RULE_A1_D8 || a->rule == RULE_W_D8) &&
	    a->confidence >= CONFIDENCE_MED && a->port < SYSTEM_PORT)
		evidence |= SEEN_D8_SYSTEM;
	if (a->rule == RULE_A1_D7 || a->rule == RULE_W_D7 ||
	    a->rule == RULE_P_D5 ||
	    ((a->rule == RULE_A1_D8 || a->rule == RULE_W_D8) &&
		a->confidence == CONFIDENCE_LOW))
		evidence |= SEEN_WEAK;
	return evidence;
}

bool
rule_is_timed(unsigned rule)
{
	return rule == RULE_A1_D5 || rule == RULE_W_D5;
}

/* One acceptance by D5 more, or less; so many that they are not counted any
 * more stay. */
static void
count_timed(struct finding_exposure *f, bool before, bool after)
{
	if (before == after || (f->evidence & SEEN_D5_MAX) == SEEN_D5_MAX)
		return;
	if (after)
		f->evidence += SEEN_D5_ONE;
	else if (timed_of(f) != 0)
		f->evidence -= SEEN_D5_ONE;
}

/* The better evidence; of equals the rule that comes first. */
static bool
is_better(const struct acceptance *a, uint8_t rule, uint8_t confidence)
{
	return rule == RULE_NONE || a->confidence > confidence ||
	       (a->confidence == confidence && a->rule < rule);
}

static void
add_evidence(struct finding_exposure *f, const struct acceptance *a)
{
	f->evidence |= evidence_of(a);
	count_timed(f, a->timed, rule_is_timed(a->rule));
	if (is_better(a, f->rule, f->confidence)) {
		f->rule = a->rule;
		f->confidence = a->confidence;
	}
}

static void
set_opener(struct exposure *x, const struct acceptance *a)
{
	x->finding.first_ms = a->ts_ms;
	x->finding.first_client = a->client;
	x->finding.first_client_port = a->client_port;
	x->finding.exporter = a->exporter;
	/* what was known of another attempt is not known of this one */
	x->finding.event_id = 0;
	x->first_client_had_probed = false;
	x->opener = a->pair;
}

/* A new interval in x, zeroed and in no list. */
static void
open_interval(struct nem *n, struct exposure *x, const struct acceptance *a)
{
	x->finding.id = n->next_exposure_id++;
	x->finding.host = a->host;
	x->finding.port = a->port;
	x->finding.proto = a->proto;
	x->finding.state = EXPOSURE_OPEN;
	x->finding.vetting = VETTING_UNVETTED;
	x->finding.last_ms = a->last_ms;
	x->bare = a->is_bare;
	set_opener(x, a);
	enter_map(n, x);
}

static struct exposure *
new_entry(struct nem *n, const struct acceptance *a)
{
	struct exposure *x = insert(n, &a->host, a->proto, a->port);

	if (x == NULL && evict_closed(n))
		x = insert(n, &a->host, a->proto, a->port);
	if (x == NULL) {
		counter_add(n->counters, COUNTER_SHED_EXPOSURES, 1);
		return NULL;
	}
	x->dark_since_ms = hosts_first_seen(n->hosts, &a->host);
	return x;
}

void
nem_estimate_clients(struct exposure *x)
{
	if (x->clients_rose)
		x->finding.clients = clients_estimate(&x->finding.sketch);
	x->clients_rose = false;
}

/* A closed exposure accepts again: the next interval, in the same place. */
static void
reopen(struct nem *n, struct exposure *x)
{
	struct exposure fresh = {
		.dark_since_ms = x->finding.closed_ms,
		.before_ms = x->finding.closed_ms,
	};

	retract_lost(n, x);
	nem_estimate_clients(x);
	if (x->dirty) {
		struct finding *f = end(n, FINDING_EXPOSURE);

		if (f != NULL)
			f->exposure = x->finding;
		f = x->alert_dirty ? end(n, FINDING_TRANS_DARKPORT) : NULL;
		if (f != NULL)
			describe_alert(x, &f->trans_darkport);
		chain_remove(&n->dirty, n->table, x);
	}
	chain_remove(&n->closed, n->table, x);
	*x = fresh;
}

static bool
is_earlier(const struct acceptance *a, const struct finding_exposure *f)
{
	int order;

	if (a->ts_ms != f->first_ms)
		return a->ts_ms < f->first_ms;
	order = addr_compare(&a->client, &f->first_client);
	return order != 0 ? order < 0 : a->client_port < f->first_client_port;
}

/* It would begin an interval, and its host's map takes none. */
static bool
is_turned_away(struct nem *n, const struct acceptance *a,
    const struct exposure *x)
{
	bool begins = x == NULL || (x->finding.state == EXPOSURE_CLOSED &&
				       a->ts_ms >= x->finding.closed_ms);

	if (!begins || guards_admit(n->guards, &a->host, a->is_bare, a->ts_ms))
		return false;
	counter_add(n->counters, COUNTER_PORTS_TURNED_AWAY, 1);
	return true;
}

/* Everything answers on the host: the bare ports since then are its doing. */
static void
freeze_map(struct nem *n, const struct addr *host, int64_t from_ms)
{
	counter_add(n->counters, COUNTER_HOSTS_FROZEN, 1);
	for (struct exposure *x = chain_first(&n->open, n->table); x != NULL;
	     x = chain_next(&n->open, n->table, x))
		if (x->bare && x->finding.first_ms >= from_ms &&
		    addr_equal(&x->finding.host, host))
			nem_set_listener(n, x, LISTENER_TARPIT);
}

/* What an acceptance shows of why the port listens, and if it is used. */
static void
note_use(struct nem *n, struct exposure *x, const struct acceptance *a,
    enum acceptance_effect effect)
{
	struct finding_exposure *f = &x->finding;
	int64_t from_ms;

	if (f->listener == LISTENER_ORDINARY)
		f->listener = a->listener;
	if (effect == ACCEPTANCE_OPENED && a->is_bare &&
	    guards_port_bare(n->guards, &f->host, f->first_ms, &from_ms))
		freeze_map(n, &f->host, from_ms);
	if (!x->bare || a->is_bare)
		return;
	x->bare = false;
	guards_port_used(n->guards, &f->host, f->first_ms);
	if (f->listener == LISTENER_TARPIT)
		f->listener = LISTENER_ORDINARY;
}

/* The rules ask for no more than the sketch has exactly; beyond, the number
 * is estimated when somebody wants to know it. */
static void
count_clients(struct exposure *x)
{
	struct finding_exposure *f = &x->finding;

	if (f->sketch.count > CLIENT_EXACT)
		x->clients_rose = true;
	if (f->clients < f->sketch.count)
		f->clients = f->sketch.count;
}

enum acceptance_effect
nem_accept(struct nem *n, const struct acceptance *a, struct exposure **out)
{
	struct exposure *x = *out;
	enum acceptance_effect effect = ACCEPTANCE_COUNTED;
	struct finding_exposure *f;

	if (is_turned_away(n, a, x)) {
		*out = NULL;
		return ACCEPTANCE_FROZEN;
	}
	if (x == NULL) {
		x = new_entry(n, a);
		*out = x;
		if (x == NULL)
			return ACCEPTANCE_SHED;
		open_interval(n, x, a);
		effect = ACCEPTANCE_OPENED;
	} else if (x->finding.state == EXPOSURE_CLOSED &&
		   a->ts_ms >= x->finding.closed_ms) {
		reopen(n, x);
		open_interval(n, x, a);
		effect = ACCEPTANCE_OPENED;
	} else if (a->ts_ms < x->before_ms && x->opener != a->pair) {
		*out = NULL;
		return ACCEPTANCE_LATE;
	} else if (x->opener == a->pair) {
		if (a->ts_ms < x->finding.first_ms)
			x->finding.first_ms = a->ts_ms;
	} else if (is_earlier(a, &x->finding)) {
		effect = ACCEPTANCE_DISPLACED;
	}
	f = &x->finding;
	*out = x;
	if (effect == ACCEPTANCE_DISPLACED)
		set_opener(x, a);
	if (!a->again || effect == ACCEPTANCE_OPENED)
		f->accepted++;
	if (a->is_client && clients_add(&f->sketch, &a->client))
		count_clients(x);
	if (a->last_ms > f->last_ms)
		f->last_ms = a->last_ms;
	if (a->ts_ms >= f->refused_ms)
		f->refused = 0;
	if (f->state == EXPOSURE_STALE)
		f->state = EXPOSURE_OPEN;
	add_evidence(f, a);
	note_use(n, x, a, effect);
	judge(n, x);
	return effect;
}

void
nem_accept_again(struct nem *n, struct exposure *x, int64_t ts_ms,
    int64_t last_ms)
{
	struct finding_exposure *f = &x->finding;

	if (last_ms > f->last_ms)
		f->last_ms = last_ms;
	if (ts_ms >= f->refused_ms)
		f->refused = 0;
	judge(n, x);
}

void
nem_unaccept(struct nem *n, struct exposure *x, bool timed)
{
	if (x->finding.accepted > 1) {
		x->finding.accepted--;
		count_timed(&x->finding, timed, false);
		judge(n, x);
		return;
	}
	counter_add(n->counters, COUNTER_RETRACTED_EXPOSURES, 1);
	if (x->stored && x->finding.alert_id != 0)
		retract(n, FINDING_TRANS_DARKPORT_RETRACTED,
		    x->finding.alert_id);
	retract_lost(n, x);
	if (x->stored)
		retract(n, FINDING_EXPOSURE_RETRACTED, x->finding.id);
	forget(n, x);
}

void
nem_reopen_by(struct nem *n, struct exposure *x, const struct acceptance *a)
{
	set_opener(x, a);
	judge(n, x);
}

bool
nem_add_up(struct finding_exposure *sum, const struct acceptance *a)
{
	bool first = sum->accepted == 0 || is_earlier(a, sum);

	if (first) {
		sum->first_ms = a->ts_ms;
		sum->first_client = a->client;
		sum->first_client_port = a->client_port;
	}
	if (sum->accepted == 0 || a->last_ms > sum->last_ms)
		sum->last_ms = a->last_ms;
	sum->accepted++;
	if (a->is_client)
		clients_add(&sum->sketch, &a->client);
	add_evidence(sum, a);
	return first;
}

void
nem_rest_on(struct nem *n, struct exposure *x,
    const struct finding_exposure *sum)
{
	struct finding_exposure *f = &x->finding;

	f->first_ms = sum->first_ms;
	f->evidence = sum->evidence;
	f->rule = sum->rule;
	f->confidence = sum->confidence;
	f->sketch = sum->sketch;
	f->clients = clients_estimate(&sum->sketch);
	x->clients_rose = false;
	judge(n, x);
}

bool
nem_shows_as_much(const struct acceptance *a, const struct acceptance *before)
{
	return (evidence_of(before) & ~evidence_of(a)) == 0 &&
	       !is_better(before, a->rule, a->confidence);
}

static void
close_interval(struct nem *n, struct exposure *x, int64_t closed_ms)
{
	x->finding.state = EXPOSURE_CLOSED;
	x->finding.closed_ms = closed_ms;
	n->news = true;
	leave_map(n, x);
	chain_append(&n->closed, n->table, x);
	mark_dirty(n, x);
}

void
nem_refuse(struct nem *n, struct exposure *x, int64_t ts_ms)
{
	struct finding_exposure *f = &x->finding;

	if (f->state == EXPOSURE_CLOSED || ts_ms <= f->last_ms)
		return;
	if (f->refused == 0)
		f->refused_ms = x->refused_until_ms = ts_ms;
	if (ts_ms < f->refused_ms)
		f->refused_ms = ts_ms;
	if (ts_ms > x->refused_until_ms)
		x->refused_until_ms = ts_ms;
	f->refused++;
	if (f->refused >= CLOSE_REFUSALS &&
	    x->refused_until_ms - f->refused_ms >= CLOSE_REFUSED_MS) {
		close_interval(n, x, f->refused_ms);
		return;
	}
	mark_dirty(n, x);
}

void
nem_refresh(struct nem *n, struct exposure *x, int64_t ts_ms)
{
	if (x->finding.state == EXPOSURE_CLOSED || ts_ms <= x->finding.last_ms)
		return;
	x->finding.last_ms = ts_ms;
	x->finding.state = EXPOSURE_OPEN;
	judge(n, x);
}

void
nem_set_listener(struct nem *n, struct exposure *x, enum listener listener)
{
	if (x->finding.listener == listener)
		return;
	x->finding.listener = (uint8_t)listener;
	n->news = true;
	judge(n, x);
}

void
nem_doubt(struct nem *n, struct exposure *x)
{
	uint32_t guesses = SEEN_GUESS | SEEN_D8_SYSTEM | SEEN_WEAK;

	if ((x->finding.evidence & guesses) == 0)
		return;
	x->finding.evidence &= ~guesses;
	judge(n, x);
}

void
nem_set_event(struct nem *n, struct exposure *x, uint64_t event_id)
{
	if (x->finding.event_id == event_id)
		return;
	x->finding.event_id = event_id;
	mark_dirty(n, x);
}

void
nem_set_had_probed(struct nem *n, struct exposure *x, bool had_probed)
{
	if (x->first_client_had_probed == had_probed)
		return;
	x->first_client_had_probed = had_probed;
	x->alert_dirty = x->finding.alert_id != 0;
	mark_dirty(n, x);
}

void
nem_each_opened_by(struct nem *n, const struct addr *client, uint32_t *steps,
    nem_exposure_fn fn, void *arg)
{
	for (struct exposure *x = chain_first(&n->open, n->table);
	     x != NULL && *steps != 0;
	     x = chain_next(&n->open, n->table, x), (*steps)--)
		if (addr_equal(&x->finding.first_client, client))
			fn(x, arg);
}

/* --- time ----------------------------------------------------------------- */

void
nem_set_operation_from(struct nem *n, int64_t from_ms)
{
	n->operation_from_ms = from_ms;
}

void
nem_vet_baseline(struct nem *n)
{
	n->baseline = true;
	for (struct exposure *x = chain_first(&n->open, n->table); x != NULL;
	     x = chain_next(&n->open, n->table, x)) {
		if (x->finding.vetting != VETTING_UNVETTED ||
		    x->finding.first_ms >= n->operation_from_ms)
			continue;
		x->finding.vetting = VETTING_AUTHORISED;
		mark_dirty(n, x);
	}
}

/* Nobody was accepted for long, and nobody refused. */
static bool
is_stale(const struct nem *n, const struct exposure *x, int64_t now_ms)
{
	return now_ms - x->finding.last_ms >= n->stale_ms &&
	       (x->finding.refused == 0 ||
		   now_ms - x->refused_until_ms >= n->stale_ms);
}

void
nem_watch_ageing(struct nem *n, nem_exposure_fn fn, void *arg)
{
	n->aged = fn;
	n->aged_arg = arg;
}

static void
tell_aged(const struct nem *n, struct exposure *x)
{
	if (n->aged != NULL)
		n->aged(x, n->aged_arg);
}

void
nem_age(struct nem *n, int64_t now_ms)
{
	struct exposure *next;

	/* sooner after a clock that was set back */
	if (now_ms >= n->aged_ms && now_ms - n->aged_ms < AGE_EVERY_MS)
		return;
	n->aged_ms = now_ms;
	for (struct exposure *x = chain_first(&n->open, n->table); x != NULL;
	     x = next) {
		int64_t unseen = now_ms - x->finding.last_ms;

		next = chain_next(&n->open, n->table, x);
		if (x->finding.tier == TIER_TRANSIENT &&
		    unseen >= TRANSIENT_MS) {
			close_interval(n, x, x->finding.last_ms);
			tell_aged(n, x);
		} else if (x->finding.state == EXPOSURE_OPEN &&
			   is_stale(n, x, now_ms)) {
			x->finding.state = EXPOSURE_STALE;
			mark_dirty(n, x);
			tell_aged(n, x);
		}
	}
	hosts_age(n->hosts, now_ms);
	guards_age(n->guards, now_ms);
}

/* --- findings ------------------------------------------------------------- */

/* In the order in which they ended; what does not fit stays. */
static bool
collect_ended(struct nem *n, struct finding_batch *batch)
{
	uint32_t done = 0;

	while (done < n->ended_count) {
		struct finding *f =
		    finding_batch_add(batch, n->ended[done].kind);

		if (f == NULL)
			break;
		*f = n->ended[done++];
	}
	n->ended_count -= done;
	memmove(n->ended, n->ended + done,
	    n->ended_count * sizeof(n->ended[0]));
	return n->ended_count != 0;
}

bool
nem_collect(struct nem *n, struct finding_batch *batch)
{
	struct exposure *x;

	if (hosts_collect(n->hosts, batch) ||
	    guards_collect(n->guards, batch) || collect_ended(n, batch))
		return true;
	while ((x = chain_first(&n->dirty, n->table)) != NULL) {
		if (finding_batch_room(batch) < 3)
			return true;
		if (x->lost_alert_id != 0)
			finding_batch_add(batch,
			    FINDING_TRANS_DARKPORT_RETRACTED)
			    ->retracted_id = x->lost_alert_id;
		nem_estimate_clients(x);
		finding_batch_add(batch, FINDING_EXPOSURE)->exposure =
		    x->finding;
		if (x->alert_dirty)
			describe_alert(x,
			    &finding_batch_add(batch, FINDING_TRANS_DARKPORT)
				 ->trans_darkport);
		x->lost_alert_id = 0;
		x->dirty = x->alert_dirty = false;
		x->stored = true;
		chain_remove(&n->dirty, n->table, x);
	}
	n->news = false;
	return false;
}

bool
nem_has_news(const struct nem *n)
{
	return n->news;
}

int
nem_restore_host(struct nem *n, const struct finding_host *f)
{
	return hosts_restore(n->hosts, f);
}

static bool
can_be(const struct finding_exposure *f)
{
	return f->state < EXPOSURE_STATE_COUNT && f->tier < TIER_COUNT &&
	       f->vetting < VETTING_COUNT && f->rule < RULE_COUNT &&
	       f->confidence < CONFIDENCE_COUNT &&
	       f->listener < LISTENER_COUNT && f->id != 0 &&
	       f->id <= FINDING_ID_MAX && f->alert_id <= FINDING_ID_MAX &&
	       finding_ms_is_valid(f->first_ms) &&
	       finding_ms_is_valid(f->last_ms) &&
	       finding_ms_is_valid(f->closed_ms) &&
	       finding_ms_is_valid(f->refused_ms) &&
	       (f->state == EXPOSURE_CLOSED) == (f->closed_ms != 0) &&
	       clients_is_valid(&f->sketch);
}

int
nem_restore_exposure(struct nem *n, const struct finding_exposure *f)
{
	struct exposure *x;

	if (!can_be(f) || nem_find(n, &f->host, f->proto, f->port) != NULL)
		return ERR_RANGE;
	x = insert(n, &f->host, f->proto, f->port);
	if (x == NULL && f->state == EXPOSURE_CLOSED)
		return ERR_OK; /* a place for it, not a right to one */
	if (x == NULL) {
		counter_add(n->counters, COUNTER_SHED_EXPOSURES, 1);
		return ERR_FULL;
	}
	x->finding = *f;
	x->dark_since_ms = f->first_ms;
	x->refused_until_ms = f->refused_ms;
	x->opener = TABLE_NONE;
	x->stored = true;
	if (f->state == EXPOSURE_CLOSED) {
		chain_append(&n->closed, n->table, x);
	} else {
		enter_map(n, x);
	}
	if (f->id >= n->next_exposure_id)
		n->next_exposure_id = f->id + 1;
	if (f->alert_id >= n->next_alert_id)
		n->next_alert_id = f->alert_id + 1;
	return ERR_OK;
}

int
nem_restore_guard(struct nem *n, const struct finding_host_guard *f)
{
	return guards_restore(n->guards, f);
}

int
nem_restore_alert(struct nem *n, const struct finding_trans_darkport *f)
{
	struct exposure *x = nem_find(n, &f->host, f->proto, f->port);

	if (f->id > FINDING_ID_MAX || f->state >= ALERT_STATE_COUNT ||
	    !finding_ms_is_valid(f->dark_since_ms))
		return ERR_RANGE;
	if (f->id >= n->next_alert_id)
		n->next_alert_id = f->id + 1;
	if (x == NULL || x->finding.alert_id != f->id)
		return ERR_OK;
	x->alert_state = f->state;
	x->dark_since_ms = f->dark_since_ms;
	x->first_client_had_probed = f->first_client_had_probed;
	return ERR_OK;
}

void
nem_ids(const struct nem *n, struct finding_engine *out)
{
	out->next_exposure_id = n->next_exposure_id;
	out->next_alert_id = n->next_alert_id;
}

void
nem_set_ids(struct nem *n, const struct finding_engine *in)
{
	if (in->next_exposure_id > n->next_exposure_id)
		n->next_exposure_id = in->next_exposure_id;
	if (in->next_alert_id > n->next_alert_id)
		n->next_alert_id = in->next_alert_id;
}

uint32_t
nem_host_count(const struct nem *n)
{
	return hosts_count(n->hosts);
}

uint32_t
nem_open_count(const struct nem *n)
{
	return n->open_count;
}
