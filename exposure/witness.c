/* SPDX-License-Identifier: Apache-2.0 */
/* Witnesses and changes, a place for each slot of the exposure table. */
#include <stdlib.h>
#include <string.h>

#include "exposure/protocol.h"
#include "exposure/state.h"

/* A new latest witness so often: one write a minute of a busy service. */
#define LATEST_MS 60000

/* What belongs to intervals that were followed by others before they were
 * collected. Rare live; a replay collects seldom. */
#define ENDED_MAX 2048

#define NOT_DIRTY UINT32_MAX
#define END	  (UINT32_MAX - 1)

struct explained {
	uint64_t exposure_id; /* the interval; 0: none yet */
	struct witness witnesses[WITNESSES_MAX];
	struct change changes[CHANGES_COUNT];
	uint32_t next_dirty;	 /* slot, END or NOT_DIRTY */
	uint8_t dirty_witnesses; /* bits of those to collect */
	uint8_t dirty_changes;
};

struct witnesses {
	struct counters *counters;
	uint32_t max;
	uint32_t first_dirty; /* slot or END */
	uint32_t ended_first;
	uint32_t ended_count;
	struct finding ended[ENDED_MAX];
	struct explained slots[];
};

size_t
witnesses_bytes(uint32_t max_exposures)
{
	return sizeof(struct witnesses) +
	       (size_t)max_exposures * sizeof(struct explained);
}

struct witnesses *
witnesses_new(uint32_t max_exposures, struct counters *counters)
{
	struct witnesses *w = calloc(1, witnesses_bytes(max_exposures));

	if (w == NULL)
		return NULL;
	w->counters = counters;
	w->max = max_exposures;
	w->first_dirty = END;
	return w;
}

void
witnesses_free(struct witnesses *w)
{
	free(w);
}

/* --- findings ------------------------------------------------------------- */

static void
describe_witness(const struct explained *at, unsigned index,
    struct finding *out)
{
	out->kind = FINDING_WITNESS;
	out->witness = (struct finding_witness){
		.exposure_id = at->exposure_id,
		.index = (uint8_t)index,
		.witness = at->witnesses[index],
	};
}

static void
describe_change(const struct explained *at, unsigned index, struct finding *out)
{
	out->kind = FINDING_CHANGE;
	out->change = (struct finding_change){
		.exposure_id = at->exposure_id,
		.index = (uint8_t)index,
		.change = at->changes[index],
	};
}

/* Gives the next dirty one, which is clean then; false: there is none. */
static bool
take_dirty(struct explained *at, struct finding *out)
{
	for (unsigned i = 0; i < WITNESSES_MAX; i++) {
		if ((at->dirty_witnesses & 1U << i) == 0)
			continue;
		at->dirty_witnesses &= (uint8_t) ~(1U << i);
		describe_witness(at, i, out);
		return true;
	}
	for (unsigned i = 0; i < CHANGES_COUNT; i++) {
		if ((at->dirty_changes & 1U << i) == 0)
			continue;
		at->dirty_changes &= (uint8_t) ~(1U << i);
		describe_change(at, i, out);
		return true;
	}
	return false;
}

/* Keeps what is not collected of an interval that is followed by another. */
static void
end(struct witnesses *w, struct explained *at)
{
	struct finding f = { .kind = FINDING_WITNESS };

	while (take_dirty(at, &f)) {
		if (w->ended_count == ENDED_MAX) {
			counter_add(w->counters, COUNTER_SHED_EVENTS, 1);
			continue;
		}
		w->ended[(w->ended_first + w->ended_count++) % ENDED_MAX] = f;
	}
}

/* The place of x, emptied when it was of an earlier interval. */
static struct explained *
place_of(struct engine *e, const struct exposure *x, uint32_t *slot)
{
	struct witnesses *w = e->witnesses;
	struct explained *at;
	uint32_t next;

	*slot = nem_slot(e->nem, x);
	at = &w->slots[*slot];
	if (at->exposure_id == x->finding.id)
		return at;
	next = at->exposure_id == 0 ? NOT_DIRTY : at->next_dirty;
	end(w, at);
	memset(at, 0, sizeof(*at));
	at->exposure_id = x->finding.id;
	at->next_dirty = next; /* in the list or not, as it was */
	return at;
}

static void
mark(struct witnesses *w, struct explained *at, uint32_t slot)
{
	if (at->next_dirty != NOT_DIRTY)
		return;
	at->next_dirty = w->first_dirty;
	w->first_dirty = slot;
}

static void
mark_witness(struct witnesses *w, struct explained *at, uint32_t slot,
    unsigned index)
{
	at->dirty_witnesses |= (uint8_t)(1U << index);
	mark(w, at, slot);
}

static void
put_change(struct witnesses *w, struct explained *at, uint32_t slot,
    unsigned index, const struct change *change)
{
	at->changes[index] = *change;
	at->dirty_changes |= (uint8_t)(1U << index);
	mark(w, at, slot);
}

/* --- acceptance ----------------------------------------------------------- */

struct witness_before
witness_before(const struct exposure *x)
{
	if (x == NULL)
		return (struct witness_before){ .present = false };
	return (struct witness_before){ .present = true,
		.tier = x->finding.tier,
		.rule = x->finding.rule,
		.confidence = x->finding.confidence,
		.refused = x->finding.refused };
}

struct shown_half
shown_half_of(const struct half *h, uint8_t proto)
{
	if (!h->present)
		return (struct shown_half){ .shown = SHOWN_NOTHING };
	return (struct shown_half){
		.first_ms = half_first_ms(h),
		.packets = h->packets,
		.octets = h->octets,
		.exporter = h->exporter,
		.evidence = h->evidence,
		.flags = h->flags,
		.shown = h->no_flags || proto != PROTOCOL_TCP
			     ? SHOWN_WITHOUT_FLAGS
			     : SHOWN_HALF,
	};
}

static bool
shows_the_same(const struct shown_half *a, const struct shown_half *b)
{
	return a->shown == b->shown && a->evidence == b->evidence &&
	       a->flags == b->flags;
}

static bool
is_of(const struct witness *w, const struct pair_key *key)
{
	return w->roles != 0 && w->client_port == key->outer_port &&
	       w->generation == key->generation &&
	       addr_equal(&w->client, &key->outer);
}

static unsigned
find(const struct explained *at, const struct pair_key *key)
{
	unsigned i = 0;

	while (i < WITNESSES_MAX && !is_of(&at->witnesses[i], key))
		i++;
	return i;
}

/* A free place; or that of the earliest that only changed a tier. */
static unsigned
make_room(const struct explained *at)
{
	unsigned victim = 0;
	bool found = false;

	for (unsigned i = 0; i < WITNESSES_MAX; i++) {
		const struct witness *w = &at->witnesses[i];

		if (w->roles == 0)
			return i;
		if (w->roles == WITNESS_UPGRADED &&
		    (!found ||
			w->counted_ms < at->witnesses[victim].counted_ms)) {
			victim = i;
			found = true;
		}
	}
	return victim;
}

/* These roles have one holder: it loses them, and its place with the last. */
static void
take_roles(struct witnesses *w, struct explained *at, uint32_t slot,
    uint8_t roles)
{
	for (unsigned i = 0; i < WITNESSES_MAX; i++) {
		struct witness *other = &at->witnesses[i];

		if ((other->roles & roles) == 0)
			continue;
		other->roles &= (uint8_t)~roles;
		mark_witness(w, at, slot, i);
	}
}

static const struct witness *
latest_of(const struct explained *at)
{
	for (unsigned i = 0; i < WITNESSES_MAX; i++)
		if ((at->witnesses[i].roles & WITNESS_LATEST) != 0)
			return &at->witnesses[i];
	return NULL;
}

static bool
is_new_best(const struct exposure *x, const struct verdict *v,
    const struct witness_before *before)
{
	return x->finding.rule == v->rule &&
	       x->finding.confidence == v->confidence &&
	       (!before->present || before->rule != v->rule ||
		   before->confidence != v->confidence);
}

/* What an acceptance makes of its conversation. */
static uint8_t
roles_of(const struct explained *at, const struct exposure *x,
    const struct verdict *v, const struct witness_before *before,
    enum acceptance_effect effect, int64_t now_ms)
{
	const struct witness *latest = latest_of(at);
	uint8_t roles = 0;

	if (effect == ACCEPTANCE_OPENED || effect == ACCEPTANCE_DISPLACED)
		roles |= WITNESS_OPENER;
	if (is_new_best(x, v, before))
		roles |= WITNESS_BEST;
	if (before->present && before->tier != x->finding.tier)
		roles |= WITNESS_UPGRADED;
	if (latest == NULL || now_ms - latest->counted_ms >= LATEST_MS)
		roles |= WITNESS_LATEST;
	return roles;
}

static struct change
change_by(const struct look *look, const struct verdict *v,
    enum change_kind kind)
{
	const struct pair_key *key = &look->key;

	return (struct change){ .client = key->outer,
		.at_ms = pair_ts_ms(look->pair),
		.client_port = key->outer_port,
		.kind = (uint8_t)kind,
		.rule = v->rule,
		.confidence = v->confidence };
}

static void
note_tier(struct witnesses *w, struct explained *at, uint32_t slot,
    const struct exposure *x, struct change change,
    const struct witness_before *before)
{
	unsigned index = 0;

	while (
	    index < CHANGES_MAX - 1 && at->changes[index].kind != CHANGE_NONE)
		index++;
	if (change.kind == CHANGE_OPENED)
		index = 0;
	change.tier_from = before->tier;
	change.tier_to = x->finding.tier;
	if (change.kind == CHANGE_OPENED)
		change.tier_from = change.tier_to;
	put_change(w, at, slot, index, &change);
}

/* Refusals count since the last acceptance: this one ended them. */
static void
forget_refusals(struct witnesses *w, struct explained *at, uint32_t slot)
{
	static const struct change none;

	for (unsigned i = CHANGES_REFUSED; i < CHANGES_COUNT; i++)
		if (at->changes[i].kind != CHANGE_NONE)
			put_change(w, at, slot, i, &none);
}

static void
put_witness(struct engine *e, struct explained *at, uint32_t slot,
    const struct look *look, const struct verdict *v, uint8_t roles)
{
	const struct pair_key *key = &look->key;
	const struct pair *pair = look->pair;
	struct shown_half outer = shown_half_of(&pair->outer, key->proto);
	struct shown_half inner = shown_half_of(&pair->inner, key->proto);
	unsigned index = find(at, key);
	struct witness *w;

	if (index == WITNESSES_MAX) {
		take_roles(e->witnesses, at, slot,
		    roles & (uint8_t)~WITNESS_UPGRADED);
		index = make_room(at);
		at->witnesses[index] = (struct witness){ .client = key->outer,
			.client_port = key->outer_port,
			.generation = key->generation,
			.counted_ms = e->clock_ms };
	}
	w = &at->witnesses[index];
	if ((w->roles | roles) == w->roles && w->rule == v->rule &&
	    w->confidence == v->confidence && w->outcome == v->outcome &&
	    shows_the_same(&w->outer, &outer) &&
	    shows_the_same(&w->inner, &inner))
		return;
	roles |= w->roles;
	take_roles(e->witnesses, at, slot, roles & (uint8_t)~WITNESS_UPGRADED);
	w->roles = roles;
	w->last_ms = pair_last_ms(pair);
	w->outer = outer;
	w->inner = inner;
	w->outcome = v->outcome;
	w->rule = v->rule;
	w->confidence = v->confidence;
	mark_witness(e->witnesses, at, slot, index);
}

void
witness_accepted(struct engine *e, const struct look *look,
    const struct verdict *v, const struct witness_before *before,
    enum acceptance_effect effect)
{
	const struct exposure *x = look->x;
	bool opened = effect == ACCEPTANCE_OPENED;
	bool changed = before->present && before->tier != x->finding.tier;
	uint32_t slot;
	struct explained *at = place_of(e, x, &slot);
	struct witness_before none = { .present = false };
	uint8_t roles =
	    roles_of(at, x, v, opened ? &none : before, effect, e->clock_ms);

	if (x->finding.refused == 0)
		forget_refusals(e->witnesses, at, slot);
	if (opened || changed)
		note_tier(e->witnesses, at, slot, x,
		    change_by(look, v, opened ? CHANGE_OPENED : CHANGE_TIER),
		    before);
	if (roles != 0 || find(at, &look->key) != WITNESSES_MAX)
		put_witness(e, at, slot, look, v, roles);
}

void
witness_refused(struct engine *e, const struct look *look,
    const struct verdict *v, const struct witness_before *before)
{
	const struct finding_exposure *x = &look->x->finding;
	bool closed = x->state == EXPOSURE_CLOSED;
	struct change change;
	struct explained *at;
	uint32_t slot;

	if (x->refused == before->refused)
		return;
	at = place_of(e, look->x, &slot);
	change = change_by(look, v, closed ? CHANGE_CLOSED : CHANGE_REFUSED);
	put_change(e->witnesses, at, slot,
	    x->refused == 1 ? CHANGES_REFUSED : CHANGES_CLOSED, &change);
}

void
witness_taken_back(struct engine *e, const struct look *look)
{
	uint32_t slot;
	struct explained *at = place_of(e, look->x, &slot);
	unsigned index;

	if (look->x->finding.accepted <= 1) {
		/* it goes, and with it all that was said of it */
		at->dirty_witnesses = at->dirty_changes = 0;
		memset(at->witnesses, 0, sizeof(at->witnesses));
		memset(at->changes, 0, sizeof(at->changes));
		return;
	}
	index = find(at, &look->key);
	if (index == WITNESSES_MAX)
		return;
	memset(&at->witnesses[index], 0, sizeof(at->witnesses[index]));
	mark_witness(e->witnesses, at, slot, index);
}

/* --- to the store, and back ----------------------------------------------- */

static bool
collect_ended(struct witnesses *w, struct finding_batch *batch)
{
	while (w->ended_count != 0) {
		const struct finding *from = &w->ended[w->ended_first];
		struct finding *f = finding_batch_add(batch, from->kind);

		if (f == NULL)
			return true;
		*f = *from;
		w->ended_first = (w->ended_first + 1) % ENDED_MAX;
		w->ended_count--;
	}
	return false;
}

bool
witnesses_collect(struct engine *e, struct finding_batch *batch)
{
	struct witnesses *w = e->witnesses;

	if (collect_ended(w, batch))
		return true;
	while (w->first_dirty != END) {
		struct explained *at = &w->slots[w->first_dirty];
		struct finding f = { .kind = FINDING_WITNESS };

		if (finding_batch_room(batch) < WITNESSES_MAX + CHANGES_COUNT)
			return true;
		while (take_dirty(at, &f))
			*finding_batch_add(batch, f.kind) = f;
		w->first_dirty = at->next_dirty;
		at->next_dirty = NOT_DIRTY;
	}
	return false;
}

static bool
can_be(const struct finding *f)
{
	const struct witness *w = &f->witness.witness;
	const struct change *c = &f->change.change;

	if (f->kind == FINDING_WITNESS)
		return f->witness.index < WITNESSES_MAX &&
		       finding_ms_is_valid(w->counted_ms);
	return f->change.index < CHANGES_COUNT && finding_ms_is_valid(c->at_ms);
}

int
witnesses_restore(struct engine *e, const struct finding *f)
{
	const struct finding_witness *w = &f->witness;
	const struct finding_change *c = &f->change;
	bool is_witness = f->kind == FINDING_WITNESS;
	const struct addr *host = is_witness ? &w->host : &c->host;
	uint64_t id = is_witness ? w->exposure_id : c->exposure_id;
	const struct exposure *x;
	struct explained *at;
	uint32_t slot;

	if (!can_be(f))
		return ERR_RANGE;
	x = nem_find(e->nem, host, is_witness ? w->proto : c->proto,
	    is_witness ? w->port : c->port);
	if (x == NULL || x->finding.id != id)
		return ERR_OK; /* closed since, or there was no room */
	at = place_of(e, x, &slot);
	if (is_witness)
		at->witnesses[w->index] = w->witness;
	else
		at->changes[c->index] = c->change;
	return ERR_OK;
}
