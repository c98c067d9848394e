/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many distinct clients: exact up to CLIENT_EXACT, then HyperLogLog over
 * CLIENT_REGISTERS registers (Flajolet et al., 2007), standard error
 * 1.04 / sqrt(64) = 13 %. Small, because there is one for every exposure.
 *
 * The hash is not the tables' random one: the estimate goes into the store,
 * and the same records must give the same store. Who picks addresses to
 * bend it can only make his own crowd look larger or smaller.
 */
#ifndef EXPOSURE_CLIENTS_H
#define EXPOSURE_CLIENTS_H

#include <stdbool.h>

#include "common/addr.h"
#include "exposure/finding.h"

/*
 * Adds a client. Order and repetition make no difference. False: the sketch
 * is as before, and so is its estimate.
 */
bool clients_add(struct client_sketch *s, const struct addr *client);

/* 0 for a zeroed sketch. */
uint32_t clients_estimate(const struct client_sketch *s);

/* A sketch that clients_add() can have made. */
bool clients_is_valid(const struct client_sketch *s);

#endif
