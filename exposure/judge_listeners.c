/* SPDX-License-Identifier: Apache-2.0 */
/* Why a port listens: what one conversation tells of another. */
#include "exposure/protocol.h"
#include "exposure/state.h"

/* Below are services; what is related to another conversation is above. */
#define PORT_USER 1024

/* A TFTP transfer follows its question so closely; clocks tick in between. */
#define TFTP_MS	  5000
#define BEFORE_MS 1000

static int64_t
end_ms(const struct pair *pair)
{
	int64_t outer_ms = pair->outer.present ? pair->outer.last_ms : 0;
	int64_t inner_ms = pair->inner.present ? pair->inner.last_ms : 0;

	return outer_ms > inner_ms ? outer_ms : inner_ms;
}

static bool
is_passive_data(const struct pair_key *key)
{
	return key->proto == PROTOCOL_TCP && key->inner_port >= PORT_USER &&
	       key->outer_port >= PORT_USER;
}

static bool
is_active_data(const struct pair_key *key)
{
	return key->proto == PROTOCOL_TCP && key->inner_port >= PORT_USER &&
	       key->outer_port == FTP_DATA_PORT;
}

enum listener
listener_of(const struct engine *e, const struct pair *pair,
    const struct verdict *v)
{
	const struct pair_key *key = pairs_key(e->pairs, pair);
	int64_t ts_ms = pair_ts_ms(pair);

	if (v->rule == RULE_W_69 && key->inner_port != TFTP_PORT)
		return LISTENER_TFTP;
	if (is_passive_data(key) && listeners_has_control(e->listeners,
					&key->outer, &key->inner, false, ts_ms))
		return LISTENER_FTP;
	if (is_active_data(key) && listeners_has_control(e->listeners,
				       &key->outer, &key->inner, true, ts_ms))
		return LISTENER_FTP_ACTIVE;
	return LISTENER_ORDINARY;
}

/* --- FTP ------------------------------------------------------------------ */

struct control {
	struct engine *e;
	const struct pair_key *key;
	bool outbound;
};

/* An exposure its client opened, maybe before its control was known. */
static void
review_data(struct exposure *x, void *arg)
{
	const struct control *c = arg;
	const struct finding_exposure *f = &x->finding;
	struct pair_key data = { .inner_port = f->port,
		.outer_port = f->first_client_port,
		.proto = f->proto };

	if (f->listener != LISTENER_ORDINARY ||
	    !addr_equal(&f->host, &c->key->inner) ||
	    !(c->outbound ? is_active_data(&data) : is_passive_data(&data)) ||
	    !listeners_has_control(c->e->listeners, &c->key->outer,
		&c->key->inner, c->outbound, f->first_ms))
		return;
	nem_set_listener(c->e->nem, x,
	    c->outbound ? LISTENER_FTP_ACTIVE : LISTENER_FTP);
}

static void
note_control(struct engine *e, const struct pair *pair, bool outbound)
{
	struct control c = { e, pairs_key(e->pairs, pair), outbound };

	if (listeners_note_control(e->listeners, &c.key->outer, &c.key->inner,
		outbound, pair_ts_ms(pair), end_ms(pair)))
		nem_each_opened_by(e->nem, &c.key->outer, &e->steps,
		    review_data, &c);
}

/* --- TFTP ----------------------------------------------------------------- */

/* The answer began while the question waited for one. */
static bool
answers(const struct pair *question, const struct pair *transfer)
{
	return question->outer.present && transfer->inner.present &&
	       transfer->inner.first_ms >=
		   question->outer.first_ms - BEFORE_MS &&
	       transfer->inner.first_ms <= question->outer.last_ms + TFTP_MS;
}

static struct pair *
question_of(const struct engine *e, const struct pair *transfer)
{
	struct pair_key key = *pairs_key(e->pairs, transfer);
	int64_t ts_ms = transfer->inner.first_ms;
	struct pair *question;
	struct pair *reuse;
	enum side prior;

	if (!transfer->inner.present || key.inner_port < PORT_USER ||
	    key.outer_port < PORT_USER)
		return NULL;
	key.inner_port = TFTP_PORT;
	question =
	    pairs_find(e->pairs, &key, false, ts_ms, ts_ms, &prior, &reuse);
	return question != NULL && answers(question, transfer) ? question
							       : NULL;
}

static struct pair *
transfer_of(struct engine *e, const struct pair *question)
{
	const struct pair_key *asked = pairs_key(e->pairs, question);
	struct pair *pair;

	if (question->source == TABLE_NONE || question->inner.present)
		return NULL;
	pair = sources_first_pair(sources_at(e->sources, question->source),
	    e->pairs);
	for (; pair != NULL && e->steps != 0; e->steps--) {
		const struct pair_key *key = pairs_key(e->pairs, pair);

		if (key->proto == PROTOCOL_UDP &&
		    key->outer_port == asked->outer_port &&
		    key->inner_port >= PORT_USER &&
		    addr_equal(&key->inner, &asked->inner) &&
		    answers(question, pair))
			return pair;
		pair =
		    sources_next_pair(sources_at(e->sources, question->source),
			e->pairs, pair);
	}
	return NULL;
}

struct pair *
listener_transfer(struct engine *e, const struct pair *pair)
{
	if (pairs_key(e->pairs, pair)->inner_port != TFTP_PORT)
		return question_of(e, pair);
	/* the question is looked into when its own answer stays away */
	return pair->settled ? transfer_of(e, pair) : NULL;
}

void
listener_review_transfer(struct engine *e, const struct pair *pair)
{
	struct pair *other = listener_transfer(e, pair);

	if (other != NULL && other->verdict.rule != RULE_W_69)
		judge_pair(e, other, other->settled);
}

/* --- P2P ------------------------------------------------------------------ */

static void
note_peer(struct engine *e, const struct pair *pair, struct exposure *x,
    bool accepted)
{
	const struct pair_key *key = pairs_key(e->pairs, pair);
	struct socket_key socket = { key->inner, key->inner_port, key->proto,
		0 };

	if (key->inner_port < PORT_USER || key->outer_port < PORT_USER)
		return;
	if (listeners_note_peer(e->listeners, &socket, &key->outer, accepted,
		pair_ts_ms(pair)) &&
	    x != NULL && x->finding.listener == LISTENER_ORDINARY)
		nem_set_listener(e->nem, x, LISTENER_P2P);
}

void
listener_accepted(struct engine *e, const struct pair *pair, struct exposure *x)
{
	const struct pair_key *key = pairs_key(e->pairs, pair);

	if (key->proto == PROTOCOL_TCP && key->inner_port == FTP_PORT)
		note_control(e, pair, false);
	note_peer(e, pair, x, true);
}

void
listener_opened(struct engine *e, const struct pair *pair, struct exposure *x)
{
	const struct pair_key *key = pairs_key(e->pairs, pair);

	if (key->proto == PROTOCOL_TCP && key->outer_port == FTP_PORT)
		note_control(e, pair, true);
	note_peer(e, pair, x, false);
}
