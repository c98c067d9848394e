/* SPDX-License-Identifier: Apache-2.0 */
/* Sampling rates. */
#include "collector/sampling.h"

#define HEADER_INTERVAL_MASK 0x3fffU

static bool
has(ie_set present, enum ie ie)
{
	return (present & IE_BIT(ie)) != 0;
}

static uint32_t
clamp(uint64_t rate)
{
	return rate > UINT32_MAX ? UINT32_MAX : (uint32_t)rate;
}

/* The rate of `taken` packets out of `of`, to the nearest. */
static uint32_t
ratio(uint64_t of, uint64_t taken)
{
	if (taken == 0)
		return 0;
	return clamp((of + taken / 2) / taken);
}

/* The rate a record tells; 0: none, or elements left unfilled. */
static uint32_t
told_rate(const struct ie_record *r, ie_set present)
{
	uint32_t rate = 0;

	if (has(present, IE_SAMPLING_PACKETS) && r->sampling_packets != 0)
		rate = ratio((uint64_t)r->sampling_packets +
				 (has(present, IE_SAMPLING_SPACE)
					 ? r->sampling_space
					 : 0),
		    r->sampling_packets);
	if (rate == 0 && has(present, IE_SAMPLING_SIZE) &&
	    has(present, IE_SAMPLING_POPULATION))
		rate = ratio(r->sampling_population, r->sampling_size);
	if (rate == 0 && has(present, IE_SAMPLING_INTERVAL))
		rate = r->sampling_interval;
	if (rate == 0 && has(present, IE_SAMPLER_INTERVAL))
		rate = r->sampler_interval;
	return rate;
}

/* selectorId says it in 64 bits, samplerId in up to 32. */
static bool
sampler_of(const struct ie_record *r, ie_set present, uint64_t *id)
{
	*id = has(present, IE_SELECTOR_ID) ? r->selector_id : r->sampler_id;
	return has(present, IE_SELECTOR_ID) || has(present, IE_SAMPLER_ID);
}

static bool
set_rate(uint32_t *at, uint32_t rate)
{
	bool changed = *at != rate;

	*at = rate;
	return changed;
}

static bool
learn_sampler(struct sampling *s, uint64_t id, uint32_t rate)
{
	for (unsigned i = 0; i < s->samplers; i++)
		if (s->by_sampler[i].id == id)
			return set_rate(&s->by_sampler[i].rate, rate);
	if (s->samplers == SAMPLING_SAMPLERS)
		return false;
	s->by_sampler[s->samplers++] = (struct sampler_rate){ id, rate };
	return true;
}

static bool
learn_interface(struct sampling *s, uint32_t interface, uint32_t rate)
{
	for (unsigned i = 0; i < s->interfaces; i++)
		if (s->by_interface[i].interface == interface)
			return set_rate(&s->by_interface[i].rate, rate);
	if (s->interfaces == SAMPLING_INTERFACES)
		return false;
	s->by_interface[s->interfaces++] =
	    (struct interface_rate){ interface, rate };
	return true;
}

bool
sampling_learn(struct sampling *s, const struct ie_record *r, ie_set present)
{
	uint32_t rate = told_rate(r, present);
	uint64_t id;

	if (rate == 0)
		rate = 1;
	if (sampler_of(r, present, &id))
		return learn_sampler(s, id, rate);
	if (has(present, IE_INGRESS_IF) && r->ingress_if != 0)
		return learn_interface(s, r->ingress_if, rate);
	if (has(present, IE_EGRESS_IF) && r->egress_if != 0)
		return learn_interface(s, r->egress_if, rate);
	return set_rate(&s->rate, rate);
}

static uint32_t
rate_of_interface(const struct sampling *s, uint32_t interface)
{
	for (unsigned i = 0; interface != 0 && i < s->interfaces; i++)
		if (s->by_interface[i].interface == interface)
			return s->by_interface[i].rate;
	return 0;
}

/* A sampler nobody has described samples, but we do not know how. */
static uint32_t
rate_of_sampler(const struct sampling *s, uint64_t id)
{
	for (unsigned i = 0; i < s->samplers; i++)
		if (s->by_sampler[i].id == id)
			return s->by_sampler[i].rate;
	return 0;
}

uint32_t
sampling_of(const struct sampling *s, const struct ie_record *r, ie_set present,
    uint32_t header_rate)
{
	uint32_t rate = 0;
	uint64_t id;

	if ((present & SAMPLING_PRESENT) != 0)
		rate = told_rate(r, present);
	if (rate == 0 && sampler_of(r, present, &id)) {
		rate = rate_of_sampler(s, id);
		if (id != 0)
			return rate;
	}
	if (rate != 0)
		return rate;
	rate = rate_of_interface(s, r->ingress_if);
	if (rate == 0)
		rate = rate_of_interface(s, r->egress_if);
	if (rate == 0)
		rate = s->rate;
	if (rate == 0)
		rate = header_rate;
	return rate != 0 ? rate : 1;
}

uint32_t
sampling_of_exporter(const struct sampling *s, uint32_t header_rate)
{
	uint32_t rate = s->rate;

	if (rate == 0 && s->samplers == 1)
		rate = s->by_sampler[0].rate;
	if (rate == 0)
		rate = header_rate;
	return rate != 0 ? rate : 1;
}

uint32_t
sampling_of_header(uint16_t sampling)
{
	return sampling & HEADER_INTERVAL_MASK;
}

uint16_t
sampling_save(const struct sampling *s, uint8_t out[SAMPLING_OCTETS_MAX])
{
	uint8_t *p = out;

	wire_put_u32(p, s->rate);
	p[4] = s->samplers;
	p[5] = s->interfaces;
	p += 6;
	for (unsigned i = 0; i < s->samplers; i++, p += 12) {
		wire_put_u32(p, (uint32_t)(s->by_sampler[i].id >> 32));
		wire_put_u32(p + 4, (uint32_t)s->by_sampler[i].id);
		wire_put_u32(p + 8, s->by_sampler[i].rate);
	}
	for (unsigned i = 0; i < s->interfaces; i++, p += 8) {
		wire_put_u32(p, s->by_interface[i].interface);
		wire_put_u32(p + 4, s->by_interface[i].rate);
	}
	return (uint16_t)(p - out);
}

bool
sampling_load(struct sampling *out, struct wire octets)
{
	*out = (struct sampling){ .rate = wire_u32(&octets) };
	out->samplers = wire_u8(&octets);
	out->interfaces = wire_u8(&octets);
	if (out->samplers > SAMPLING_SAMPLERS ||
	    out->interfaces > SAMPLING_INTERFACES)
		return false;
	for (unsigned i = 0; i < out->samplers; i++) {
		out->by_sampler[i].id = wire_u64(&octets);
		out->by_sampler[i].rate = wire_u32(&octets);
	}
	for (unsigned i = 0; i < out->interfaces; i++) {
		out->by_interface[i].interface = wire_u32(&octets);
		out->by_interface[i].rate = wire_u32(&octets);
	}
	return !octets.failed && wire_left(&octets) == 0;
}
