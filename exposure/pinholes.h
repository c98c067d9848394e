/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pinholes: internal endpoints of a protocol without flags that spoke first, to
 * anyone, a short time ago (rule DP). What comes back to them opens nothing. A
 * bounded table. When full: the one unused longest goes.
 */
#ifndef EXPOSURE_PINHOLES_H
#define EXPOSURE_PINHOLES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/hash.h"

#define PINHOLES_MAX 65536
#define PINHOLE_MS   300000

struct pinholes;

/* owned: pinholes_free(). NULL: no memory. */
struct pinholes *pinholes_new(const struct hash_key *key);
void pinholes_free(struct pinholes *p); /* takes NULL */
size_t pinholes_bytes(void);

/* The endpoint spoke first, and was last heard at ts_ms. */
void pinholes_note(struct pinholes *p, const struct addr *host, uint8_t proto,
    uint16_t port, int64_t ts_ms);

/* It did so within PINHOLE_MS before ts_ms. */
bool pinholes_has(const struct pinholes *p, const struct addr *host,
    uint8_t proto, uint16_t port, int64_t ts_ms);

#endif
