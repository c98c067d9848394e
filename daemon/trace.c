/* SPDX-License-Identifier: Apache-2.0 */
/* The trace as text: one function for each kind of step. */
#include <inttypes.h>
#include <string.h>

#include "daemon/trace.h"
#include "daemon/trace_text.h"
#include "daemon/trace_why.h"

/* --- records -------------------------------------------------------------- */

static void
print_sent(const struct trace_printer *p, const struct flow_record *f)
{
	const struct finding_exporter *e =
	    p->exporter == NULL ? NULL
				: p->exporter(p->exporter_arg, f->exporter);
	char a[TRACE_TEXT_MAX];

	trace_begin_line(p->out, "sent");
	if (f->protocol == 6 && (f->has & FLOW_HAS_TCP_FLAGS) != 0)
		fprintf(p->out, "flags %s, ", trace_flags(f->tcp_flags, a));
	else if (f->protocol == 6)
		fputs("no flags, ", p->out);
	if ((f->has & FLOW_HAS_PACKETS) != 0)
		fprintf(p->out, "packets %" PRIu64 " octets %" PRIu64,
		    f->packets, f->octets);
	else
		fprintf(p->out, "packets not told, octets %" PRIu64, f->octets);
	if ((f->has & FLOW_HAS_TIMES) != 0)
		fprintf(p->out, ", start %s duration %" PRId64 " ms",
		    trace_time(f->start_ms, a), f->end_ms - f->start_ms);
	trace_print_extras(f, p->out);
	fprintf(p->out, ", exporter %" PRIu32, f->exporter);
	if (e != NULL)
		fprintf(p->out, " (%s domain %" PRIu32 " version %u)",
		    addr_format(&e->address, a), e->domain,
		    (unsigned)e->protocol);
	fputc('\n', p->out);
}

static const char *
why_skipped(enum trace_fate fate)
{
	switch (fate) {
	case TRACE_ICMP_ERROR:
		return "an ICMP error, kept for the attempts it may answer";
	case TRACE_TRANSIT:
		return "neither end is internal";
	case TRACE_INTERNAL:
		return "both ends are internal, and internal_scope is off";
	case TRACE_UNUSABLE:
		return "no ports, or a protocol that is not judged";
	case TRACE_SPOOFED:
		return "from inside, it says, but it came in from outside";
	case TRACE_EMPTY:
		return "0 packets: the half of a biflow that did not come";
	case TRACE_JOINED:
	case TRACE_BEGAN:
		break;
	}
	return "";
}

static void
print_halves(const struct trace_record *r, FILE *out)
{
	const char *side = trace_side(r->side);
	const char *other =
	    trace_side(r->side == SIDE_OUTER ? SIDE_INNER : SIDE_OUTER);

	if (r->before->present) {
		trace_begin_line(out, "before");
		fprintf(out, "%s: ", side);
		trace_print_half(r->before, out);
		fputc('\n', out);
	}
	trace_begin_line(out, side);
	trace_print_half(r->after, out);
	fputs(r->told_new ? "\n" : "; it told nothing new\n", out);
	trace_begin_line(out, other);
	trace_print_half(r->other, out);
	fputc('\n', out);
}

static void
print_record(struct trace_printer *p, const struct engine_trace *t)
{
	const struct trace_record *r = &t->record;
	const struct flow_record *f = r->flow;
	char time[TRACE_TEXT_MAX];
	char src[TRACE_TEXT_MAX];
	char dst[TRACE_TEXT_MAX];
	char proto[TRACE_TEXT_MAX];

	fprintf(p->out, "record %" PRIu64 " %s %s > %s %s\n", p->records,
	    trace_time(f->received_ms, time),
	    trace_endpoint(&f->src, f->src_port, f->protocol, src),
	    trace_endpoint(&f->dst, f->dst_port, f->protocol, dst),
	    trace_proto(f->protocol, proto));
	print_sent(p, f);
	if (r->time_replaced) {
		trace_begin_line(p->out, "time");
		fputs("it cannot be; the time received stands for it\n",
		    p->out);
	}
	if (r->fate != TRACE_JOINED && r->fate != TRACE_BEGAN) {
		trace_begin_line(p->out,
		    r->fate == TRACE_ICMP_ERROR ? "icmp" : "ignored");
		fprintf(p->out, "%s\n", why_skipped(r->fate));
		return;
	}
	trace_begin_line(p->out, r->fate == TRACE_JOINED ? "joins" : "begins");
	fprintf(p->out, "generation %u, as its %s half\n",
	    (unsigned)t->generation, trace_side(r->side));
	trace_begin_line(p->out, "shows");
	fprintf(p->out, "%s\n", trace_evidence(r->evidence, proto));
	print_halves(r, p->out);
}

/* --- the verdict ---------------------------------------------------------- */

/* The two starts that D5 compares, for who wonders why it did or did not. */
static void
print_starts(const struct verdict_input *in, FILE *out)
{
	const struct half *o = in->outer;
	const struct half *i = in->inner;

	if (!o->has_syn_time || !i->has_syn_time)
		return;
	trace_begin_line(out, "starts");
	if (o->syn_exporter != i->syn_exporter)
		fputs("told by two exporters: not compared\n", out);
	else if (o->has_syn_uptime && i->has_syn_uptime)
		fprintf(out, "inner minus outer: %" PRId32 " ms of uptime\n",
		    (int32_t)(i->syn_uptime_ms - o->syn_uptime_ms));
	else if (o->syn_after_ms == HALF_SYN_FAR ||
		 i->syn_after_ms == HALF_SYN_FAR)
		fputs("far behind the first record: not compared\n", out);
	else
		fprintf(out, "inner minus outer: %" PRId64 " ms\n",
		    half_syn_ms(i) - half_syn_ms(o));
}

static void
print_judged(const struct trace_judged *j, FILE *out)
{
	bool stands = trace_is_same(&j->before, &j->now);

	trace_begin_line(out, "judged");
	trace_print_verdict(&j->now, out);
	fprintf(out, "%s\n",
	    stands && j->now.outcome != OUTCOME_NONE ? ", as before" : "");
	trace_begin_line(out, "why");
	fprintf(out, "%s\n", rule_why(j->now.rule));
	trace_print_given(j->input, out);
	if (!stands)
		print_starts(j->input, out);
	if (!stands || j->now.outcome == OUTCOME_NONE)
		trace_print_else(j->input, j->in_the_end, &j->now, out);
}

static void
print_verdict(const struct engine_trace *t, FILE *out)
{
	struct verdict v = { t->outcome, t->rule, t->confidence, t->initiator,
		t->technique, t->reason };

	trace_begin_line(out, "verdict");
	trace_print_verdict(&v, out);
	fputc('\n', out);
}

/* --- the maps ------------------------------------------------------------- */

static void
print_exposure(const struct finding_exposure *x, FILE *out)
{
	fprintf(out,
	    "tier %s, best %s %s, accepted %" PRIu64 ", clients %" PRIu32,
	    tier_name(x->tier), rule_name(x->rule),
	    confidence_name(x->confidence), x->accepted, x->clients);
}

static void
print_closing(const struct finding_exposure *b,
    const struct finding_exposure *x, FILE *out)
{
	char text[TRACE_TEXT_MAX];

	if (x->refused > b->refused)
		fprintf(out, ", refusal %" PRIu64 " since the last acceptance",
		    x->refused);
	if (x->state == b->state)
		return;
	fprintf(out, ", now %s", exposure_state_name(x->state));
	if (x->closed_ms != 0)
		fprintf(out, " since %s", trace_time(x->closed_ms, text));
}

/* What the conversation changed in an exposure that was there. */
static void
print_change(const struct trace_map *m, FILE *out)
{
	const struct finding_exposure *b = m->before;
	const struct finding_exposure *x = m->after;
	/* as octets: copies of one another, padding and all */
	const uint8_t *before = (const void *)b;
	const uint8_t *after = (const void *)x;
	char text[TRACE_TEXT_MAX];
	bool moved = b->first_client_port != x->first_client_port ||
		     !addr_equal(&b->first_client, &x->first_client);

	fprintf(out, "exposure %" PRIu64, x->id);
	if (memcmp(before, after, sizeof(*x)) == 0) {
		fprintf(out, " unchanged%s\n",
		    m->counted ? ": it has counted this one" : "");
		return;
	}
	if (x->accepted > b->accepted)
		fputs(", acceptance counted", out);
	if (x->accepted < b->accepted)
		fputs(", acceptance taken back", out);
	if (moved)
		fprintf(out, ", opener now %s",
		    trace_endpoint(&x->first_client, x->first_client_port,
			x->proto, text));
	if (x->tier != b->tier)
		fprintf(out, ", tier %s to %s", tier_name(b->tier),
		    tier_name(x->tier));
	print_closing(b, x, out);
	fputs("; ", out);
	print_exposure(x, out);
	fputc('\n', out);
}

static void
print_alert(const struct trace_map *m, FILE *out)
{
	uint64_t before = m->before == NULL ? 0 : m->before->alert_id;
	uint64_t after = m->after == NULL ? 0 : m->after->alert_id;

	if (before == after || m->aged)
		return;
	trace_begin_line(out, "alert");
	if (after != 0)
		fprintf(out, "trans-darkport %" PRIu64 " raised\n", after);
	else
		fprintf(out, "trans-darkport %" PRIu64 " taken back\n", before);
}

static void
print_map(const struct trace_map *m, FILE *out)
{
	const struct finding_exposure *b = m->before;
	const struct finding_exposure *x = m->after;

	trace_begin_line(out, "map");
	if (m->aged) {
		fprintf(out, "exposure %" PRIu64 " is %s by age; ", x->id,
		    exposure_state_name(x->state));
		print_exposure(x, out);
		fputc('\n', out);
	} else if (b == NULL && x == NULL) {
		fputs("not kept: no room, or the map of its host is frozen\n",
		    out);
	} else if (x == NULL) {
		fprintf(out,
		    "exposure %" PRIu64 " taken back: it was its only "
		    "acceptance\n",
		    b->id);
	} else if (b == NULL || b->id != x->id) {
		fprintf(out, "exposure %" PRIu64 " opened", x->id);
		if (b != NULL)
			fprintf(out, " behind %" PRIu64 ", which was closed",
			    b->id);
		fputs("; ", out);
		print_exposure(x, out);
		fputc('\n', out);
	} else {
		print_change(m, out);
	}
	print_alert(m, out);
}

/* --- what follows --------------------------------------------------------- */

static void
print_event(const struct trace_event *e, FILE *out)
{
	const struct finding_scan_event *f = e->event;

	trace_begin_line(out, "event");
	if (f == NULL) {
		fprintf(out, "scan event %" PRIu64 " taken back\n", e->id);
		return;
	}
	fprintf(out, "scan event %" PRIu64 " %s: %s, %s, %s, in %s, by %s %s\n",
	    e->id, e->revised ? "revised" : "written",
	    technique_name(f->technique), answer_name(f->answer),
	    place_name(f->place), phase_name(f->phase), rule_name(f->rule),
	    confidence_name(f->confidence));
}

static void
print_icmp(const struct trace_icmp *i, FILE *out)
{
	static const char *const texts[] = {
		"no error matches",
		"port unreachable, from the target",
		"unreachable",
	};

	trace_begin_line(out, "icmp");
	fprintf(out, "%s\n",
	    i->found == ICMP_ERROR_NONE && i->ambiguous
		? "errors match, but others' attempts too"
		: texts[i->found]);
}

static void
print_timer(const struct trace_timer *timer, FILE *out)
{
	char text[TRACE_TEXT_MAX];

	trace_begin_line(out, "timer");
	trace_time(timer->until_ms, text);
	switch (timer->state) {
	case TRACE_WAITS:
		fprintf(out, "waits for more until %s\n", text);
		break;
	case TRACE_REVOCABLE:
		fprintf(out, "provisional: an answer revokes it until %s\n",
		    text);
		break;
	case TRACE_REMEMBERED:
		fprintf(out, "decided: remembered until %s\n", text);
		break;
	}
}

/* --- blocks --------------------------------------------------------------- */

static bool
is_same_conversation(const struct engine_trace *a, const struct engine_trace *b)
{
	return addr_equal(&a->outer, &b->outer) &&
	       addr_equal(&a->inner, &b->inner) &&
	       a->outer_port == b->outer_port &&
	       a->inner_port == b->inner_port && a->proto == b->proto &&
	       a->generation == b->generation && a->internal == b->internal;
}

/* A block that no record begins: time, or another conversation's verdict. */
static void
begin_block(struct trace_printer *p, const struct engine_trace *t)
{
	char time[TRACE_TEXT_MAX];
	char outer[TRACE_TEXT_MAX];
	char inner[TRACE_TEXT_MAX];
	char proto[TRACE_TEXT_MAX];

	fprintf(p->out, "time %s ", trace_time(t->clock_ms, time));
	trace_endpoint(&t->inner, t->inner_port, t->proto, inner);
	trace_proto(t->proto, proto);
	if (t->kind == TRACE_MAP && t->map.aged)
		fprintf(p->out, "%s %s\n", inner, proto);
	else
		fprintf(p->out, "%s - %s %s generation %u\n",
		    trace_endpoint(&t->outer, t->outer_port, t->proto, outer),
		    inner, proto, (unsigned)t->generation);
}

static void
print_step(struct trace_printer *p, const struct engine_trace *t)
{
	switch (t->kind) {
	case TRACE_RECORD:
		print_record(p, t);
		break;
	case TRACE_JUDGED:
		print_judged(&t->judged, p->out);
		break;
	case TRACE_VERDICT:
		print_verdict(t, p->out);
		break;
	case TRACE_MAP:
		print_map(&t->map, p->out);
		break;
	case TRACE_EVENT:
		print_event(&t->event, p->out);
		break;
	case TRACE_ICMP:
		print_icmp(&t->icmp, p->out);
		break;
	case TRACE_TIMER:
		print_timer(&t->timer, p->out);
		break;
	case TRACE_DUE:
		trace_begin_line(p->out, "due");
		fputs("its time is up\n", p->out);
		break;
	case TRACE_SHED:
		trace_begin_line(p->out, "shed");
		fputs("no room: max_pairs are there\n", p->out);
		break;
	case TRACE_OVER:
		trace_begin_line(p->out, "over");
		fputs("forgotten\n", p->out);
		break;
	}
}

void
trace_print(const struct engine_trace *t, void *printer)
{
	struct trace_printer *p = printer;

	p->records += t->kind == TRACE_RECORD;
	if (!trace_filters_match(&p->filters, t)) {
		/* what a record leads to elsewhere is not told under it */
		if (t->kind == TRACE_RECORD || t->kind == TRACE_DUE ||
		    t->kind == TRACE_SHED)
			p->in_block = false;
		return;
	}
	if (t->kind != TRACE_RECORD &&
	    (!p->in_block || t->kind == TRACE_DUE || t->kind == TRACE_SHED ||
		!is_same_conversation(t, &p->block)))
		begin_block(p, t);
	p->block = *t;
	p->in_block = true;
	print_step(p, t);
}
