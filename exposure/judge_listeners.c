/* SPDX-License-Identifier: Apache-2.0 */
/* Why a port listens: what one conversation tells of another. */
#include "exposure/protocol.h"
#include "exposure/state.h"

/* Below are services; what is related to another conversation is above. */
#define PORT_USER 1024

/* A TFTP transfer follows its question so closely; clocks tick in between. */
#define TFTP_MS	  5000
#define BEFORE_MS 1000

static bool
is_passive_data(const struct pair_key *key)
{
	return key->proto == PROTOCOL_TCP && key->inner_port >= PORT_USER &&
	       key->outer_port >= PORT_USER;
}

/* The server is outside. */
static bool
is_active_data(const struct pair_key *key)
{
	return key->proto == PROTOCOL_TCP && key->inner_port >= PORT_USER &&
	       key->outer_port == FTP_DATA_PORT;
}

/* The server is inside. */
static bool
is_served_data(const struct pair_key *key)
{
	return key->proto == PROTOCOL_TCP && key->outer_port >= PORT_USER &&
	       key->inner_port == FTP_DATA_PORT;
}

bool
listener_is_data(const struct engine *e, const struct look *look)
{
	const struct pair_key *key = &look->key;

	return (is_active_data(key) || is_served_data(key)) &&
	       listeners_has_control(e->listeners, &key->outer, &key->inner,
		   is_active_data(key), pair_ts_ms(look->pair));
}

enum listener
listener_of(const struct engine *e, const struct look *look,
    const struct verdict *v)
{
	const struct pair_key *key = &look->key;
	int64_t ts_ms = pair_ts_ms(look->pair);

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
note_control(struct engine *e, const struct look *look, bool outbound)
{
	struct control c = { e, &look->key, outbound };

	if (!listeners_note_control(e->listeners, &c.key->outer, &c.key->inner,
		outbound, pair_ts_ms(look->pair), pair_last_ms(look->pair)))
		return;
	nem_each_opened_by(e->nem, &c.key->outer, &e->steps, review_data, &c);
	e->control_is_news = true;
}

void
listener_review_data(struct engine *e, const struct look *control)
{
	const struct source *source =
	    sources_find(e->sources, &control->key.outer);
	const struct attempt *attempt =
	    source == NULL ? NULL : sources_first_attempt(source, e->pairs);

	e->control_is_news = false;
	for (; attempt != NULL && e->steps != 0; e->steps--) {
		struct pair *pair = pairs_at(e->pairs, attempt->pair);
		struct look data = { .pair = pair,
			.key = pairs_key(e->pairs, pair) };

		attempt = sources_next_attempt(e->pairs, attempt);
		if (addr_equal(&data.key.inner, &control->key.inner) &&
		    listener_is_data(e, &data))
			judge_again(e, pair);
	}
}

/* --- TFTP ----------------------------------------------------------------- */

bool
listener_may_transfer(const struct pair_key *key)
{
	return key->proto == PROTOCOL_UDP && key->inner_port >= PORT_USER &&
	       key->outer_port >= PORT_USER;
}

/* The answer began while the question waited for one. */
static bool
answers(const struct pair *question, const struct pair *transfer)
{
	int64_t asked_ms = half_first_ms(&question->outer);
	int64_t answered_ms = half_first_ms(&transfer->inner);

	return question->outer.present && transfer->inner.present &&
	       answered_ms >= asked_ms - BEFORE_MS &&
	       answered_ms <= pair_last_ms(question) + TFTP_MS;
}

static struct pair *
question_of(const struct engine *e, const struct look *transfer)
{
	struct pair_key key = transfer->key;
	int64_t ts_ms = half_first_ms(&transfer->pair->inner);
	struct pair *question;
	struct pair *reuse;
	enum side prior;

	if (!transfer->pair->inner.present || !listener_may_transfer(&key))
		return NULL;
	key.inner_port = TFTP_PORT;
	question = pairs_find(e->pairs, &key, pairs_hash(e->pairs, &key), false,
	    ts_ms, ts_ms, &prior, &reuse);
	return question != NULL && answers(question, transfer->pair) ? question
								     : NULL;
}

static struct pair *
transfer_of(struct engine *e, const struct look *question)
{
	const struct attempt *attempt = pairs_attempt(e->pairs, question->pair);

	if (attempt == NULL || attempt->source == TABLE_NONE ||
	    question->pair->inner.present)
		return NULL;
	attempt = sources_first_attempt(sources_at(e->sources, attempt->source),
	    e->pairs);
	for (; attempt != NULL && e->steps != 0; e->steps--) {
		struct pair *pair = pairs_at(e->pairs, attempt->pair);
		struct pair_key key = pairs_key(e->pairs, pair);

		if (key.proto == PROTOCOL_UDP &&
		    key.outer_port == question->key.outer_port &&
		    key.inner_port >= PORT_USER &&
		    addr_equal(&key.inner, &question->key.inner) &&
		    answers(question->pair, pair))
			return pair;
		attempt = sources_next_attempt(e->pairs, attempt);
	}
	return NULL;
}

struct pair *
listener_transfer(struct engine *e, const struct look *look)
{
	if (look->key.inner_port != TFTP_PORT)
		return question_of(e, look);
	/* the question is looked into when its own answer stays away */
	return look->pair->settled ? transfer_of(e, look) : NULL;
}

void
listener_review_transfer(struct engine *e, const struct look *look)
{
	struct pair *other = listener_transfer(e, look);

	if (other != NULL && other->rule != RULE_W_69)
		judge_again(e, other);
}

/* --- P2P ------------------------------------------------------------------ */

static void
note_peer(struct engine *e, const struct look *look, bool accepted)
{
	const struct pair_key *key = &look->key;
	struct exposure *x = look->x;
	struct socket_key socket = { key->inner, key->inner_port, key->proto,
		0 };

	if (key->inner_port < PORT_USER || key->outer_port < PORT_USER)
		return;
	if (listeners_note_peer(e->listeners, &socket, &key->outer, accepted,
		pair_ts_ms(look->pair)) &&
	    x != NULL && x->finding.listener == LISTENER_ORDINARY)
		nem_set_listener(e->nem, x, LISTENER_P2P);
}

void
listener_accepted(struct engine *e, const struct look *look)
{
	const struct pair_key *key = &look->key;

	if (key->proto == PROTOCOL_TCP && key->inner_port == FTP_PORT)
		note_control(e, look, false);
	note_peer(e, look, true);
}

void
listener_opened(struct engine *e, const struct look *look)
{
	const struct pair_key *key = &look->key;

	if (key->proto == PROTOCOL_TCP && key->outer_port == FTP_PORT)
		note_control(e, look, true);
	note_peer(e, look, false);
}
