/* SPDX-License-Identifier: Apache-2.0 */
/* The client sketch. */
#include <math.h>
#include <string.h>

#include "common/hash.h"
#include "exposure/clients.h"

/* Public on purpose: see the header. */
static const struct hash_key sketch_key = { "darkport clients" };

#define REGISTER_BITS 6 /* log2 of CLIENT_REGISTERS */
#define RANK_MAX      (32 - REGISTER_BITS + 1)

_Static_assert(CLIENT_REGISTERS == 1 << REGISTER_BITS,
    "a register is chosen by REGISTER_BITS bits");

static bool
add_to_registers(struct client_sketch *s, uint32_t hash)
{
	uint32_t which = hash >> (32 - REGISTER_BITS);
	uint32_t rest = hash << REGISTER_BITS;
	uint8_t rank =
	    rest == 0 ? RANK_MAX : (uint8_t)(__builtin_clz(rest) + 1);

	if (s->registers[which] >= rank)
		return false;
	s->registers[which] = rank;
	return true;
}

bool
clients_add(struct client_sketch *s, const struct addr *client)
{
	/* SipHash-2-4, as in every store there is */
	uint32_t hash = (uint32_t)siphash(&sketch_key, client->octets,
	    sizeof(client->octets), 2, 4);
	/* the registers are kept from the start: order makes no difference */
	bool rises = add_to_registers(s, hash);

	if (s->count > CLIENT_EXACT)
		return rises;
	for (uint32_t i = 0; i < s->count; i++)
		if (s->exact[i] == hash)
			return rises;
	if (s->count < CLIENT_EXACT) {
		/* sorted, for the same reason */
		uint32_t at = s->count++;

		while (at > 0 && s->exact[at - 1] > hash) {
			s->exact[at] = s->exact[at - 1];
			at--;
		}
		s->exact[at] = hash;
		return true;
	}
	memset(s->exact, 0, sizeof(s->exact));
	s->count = CLIENT_EXACT + 1;
	return true;
}

uint32_t
clients_estimate(const struct client_sketch *s)
{
	const double m = CLIENT_REGISTERS;
	const double alpha = 0.709; /* for 64 registers */
	uint64_t shares = 0;	    /* in units of the smallest, 2^-RANK_MAX */
	double sum;
	int zeros = 0;
	double estimate;

	if (s->count <= CLIENT_EXACT)
		return s->count;
	for (int i = 0; i < CLIENT_REGISTERS; i++) {
		shares += UINT64_C(1) << (RANK_MAX - s->registers[i]);
		zeros += s->registers[i] == 0;
	}
	sum = (double)shares / (double)(UINT64_C(1) << RANK_MAX);
	estimate = alpha * m * m / sum;
	if (estimate <= 2.5 * m && zeros != 0)
		estimate = m * log(m / zeros); /* linear counting */
	if (estimate < CLIENT_EXACT + 1)
		return CLIENT_EXACT + 1;
	if (estimate > UINT32_MAX)
		return UINT32_MAX;
	return (uint32_t)(estimate + 0.5);
}

bool
clients_is_valid(const struct client_sketch *s)
{
	for (int i = 0; i < CLIENT_REGISTERS; i++)
		if (s->registers[i] > RANK_MAX)
			return false;
	return s->count <= CLIENT_EXACT + 1;
}
